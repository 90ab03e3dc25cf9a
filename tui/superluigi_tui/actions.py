"""Every action once: its id, key, text and screens. Bindings, help, palette and the key table come from here."""

from __future__ import annotations

from textual.binding import Binding, BindingType

from superluigi_tui.action import Action, shown_key

__all__ = ["ACTIONS", "Action", "action_named", "actions_of", "bindings_of", "shown_key"]


_TASKS = ("tasks",)
_ANY_TASK = ("home", "tasks", "task", "lineage")
_LISTS = ("home", "tasks", "task", "lineage", "builds", "build", "diff")
_MARKED = ("tasks", "task", "lineage", "builds")

ACTIONS: tuple[Action, ...] = (
    Action("go-home", "1", "home", "what needs attention", "Anywhere", method="app.go('home')"),
    Action("go-tasks", "2", "tasks", "all tasks", "Anywhere", method="app.go('tasks')"),
    Action("go-lineage", "3", "lineage", "lineage", "Anywhere", method="app.go('lineage')"),
    Action("go-builds", "4", "builds", "builds", "Anywhere", method="app.go('builds')"),
    Action("search", "slash", "search", "search, or find in the text shown", "Anywhere"),
    Action(
        "palette",
        "colon,ctrl+p",
        "command",
        "all commands by name",
        "Anywhere",
        method="app.command_palette",
    ),
    Action(
        "help",
        "question_mark",
        "help",
        "the keys of this screen",
        "Anywhere",
        method="app.show_keys",
    ),
    Action("back", "escape", "back", "clear the filter, close, go back", "Anywhere"),
    Action(
        "history-back",
        "left_square_bracket",
        "back",
        "back in the history",
        "Anywhere",
        method="app.history(-1)",
    ),
    Action(
        "history-forward",
        "right_square_bracket",
        "forward",
        "forward in the history",
        "Anywhere",
        method="app.history(1)",
    ),
    Action("refresh", "R", "refresh", "read everything again", "Anywhere"),
    Action("copy", "y", "copy", "copy hash, parameters, command, path…", "Act", _LISTS),
    Action("copy-route", "Y", "copy route", "copy the command that opens this screen", "Anywhere"),
    Action("quit", "q,ctrl+q", "quit", "quit; builds go on", "Anywhere", method="app.leave"),
    Action("open", "enter", "open", "open what the cursor is on", "Move", _LISTS),
    Action("mark", "space", "mark", "mark, or not: for what takes several", "Move", _MARKED),
    Action(
        "rerun",
        "r",
        "rerun",
        "rerun: a plan first",
        "Act",
        (*_ANY_TASK, "build", "builds"),
        changes=True,
    ),
    Action("why", "w", "why", "why it would run again, or not", "Act", _ANY_TASK),
    Action(
        "lineage",
        "L",
        "lineage",
        "its lineage",
        "Act",
        ("home", "tasks", "task", "build"),
        method="show_lineage",
    ),
    Action("filter", "f", "filter", "by state, family, time, parameter", "Act", _TASKS),
    Action("sort", "s", "sort", "sort by the next column", "Act", _TASKS),
    Action("editor", "o", "editor", "open the source in $EDITOR", "Act", ("task", "build")),
    Action(
        "next-problem",
        "n",
        "next",
        "next match, or next failure",
        "Move",
        ("build", "lineage", "task", "diff"),
        method="next_match(1)",
    ),
    Action(
        "previous-problem",
        "N",
        "previous",
        "the one before",
        "Move",
        ("build", "lineage", "task", "diff"),
        method="next_match(-1)",
    ),
    Action(
        "diff",
        "D",
        "diff",
        "compare the two that are marked, or with the one before",
        "Act",
        ("tasks", "task", "build", "builds"),
    ),
    Action(
        "verify",
        "v",
        "verify",
        "look at the outputs now",
        "Act",
        ("tasks", "task", "lineage"),
        changes=True,
    ),
    Action(
        "accept",
        "a",
        "accept",
        "declare the result right as it is, with a reason",
        "Act",
        ("tasks", "task", "lineage"),
        changes=True,
    ),
    Action("next-pane", "tab", "pane", "next pane", "Move", method="app.focus_next"),
    Action(
        "previous-pane", "shift+tab", "pane", "pane before", "Move", method="app.focus_previous"
    ),
    Action(
        "next-tab",
        "greater_than_sign",
        "tab",
        "next tab",
        "Move",
        ("task", "diff"),
        method="turn_tab(1)",
    ),
    Action(
        "previous-tab",
        "less_than_sign",
        "tab",
        "tab before",
        "Move",
        ("task", "diff"),
        method="turn_tab(-1)",
    ),
    Action("upstream", "u", "upstream", "what it was made from", "Lineage", ("lineage",)),
    Action("downstream", "d", "downstream", "what was made from it", "Lineage", ("lineage",)),
    Action(
        "deeper",
        "plus",
        "deeper",
        "one step more",
        "Lineage",
        ("lineage",),
        method="change_depth(1)",
    ),
    Action(
        "shallower",
        "minus",
        "less",
        "one step less",
        "Lineage",
        ("lineage",),
        method="change_depth(-1)",
    ),
    Action("map", "m", "map", "the map, or rows only", "Lineage", ("lineage",)),
    Action(
        "collapse",
        "c",
        "families",
        "tasks of one family together, or each",
        "Lineage",
        ("lineage",),
    ),
    Action("hide-fresh", "x", "hide fresh", "hide tasks that are fresh", "Lineage", ("lineage",)),
    Action(
        "fold",
        "h,left",
        "fold",
        "fold what hangs from it",
        "Lineage",
        ("lineage",),
        method="fold(True)",
    ),
    Action("unfold", "l,right", "unfold", "unfold", "Lineage", ("lineage",), method="fold(False)"),
    Action(
        "focus",
        "full_stop",
        "focus",
        "begin at this task",
        "Lineage",
        ("lineage",),
        method="focus_task",
    ),
    Action("same", "s", "same", "show also what is the same", "Act", ("diff",)),
    Action("export", "e", "export", "write it into a file", "Act", ("lineage", "diff")),
    Action("follow", "F", "follow", "stay at the end of the log", "Build", ("build",)),
    Action("full-log", "t", "log", "the whole log of the build", "Build", ("build",)),
    Action(
        "filter-lines",
        "ampersand",
        "only lines",
        "only lines that hold some words",
        "Move",
        ("build", "task", "diff"),
    ),
    Action("wrap", "W", "wrap", "wrap long lines", "Build", ("build", "task")),
    Action(
        "cancel",
        "c",
        "cancel",
        "stop the build; again: harder",
        "Build",
        ("build", "builds"),
        changes=True,
    ),
    Action(
        "debug",
        "x",
        "debug",
        "run it here, with a debugger where it raises",
        "Build",
        ("build",),
        changes=True,
    ),
)

_BY_ID = {action.id: action for action in ACTIONS}


def action_named(action_id: str) -> Action:
    """Look up an action."""
    return _BY_ID[action_id]


def actions_of(screen: str) -> list[Action]:
    """List what there is on a screen, in the order of the registry."""
    return [action for action in ACTIONS if not action.screens or screen in action.screens]


def bindings_of(screen: str) -> list[BindingType]:
    """Make the bindings that a screen has of its own; for `""` those that are everywhere."""
    return [
        Binding(
            action.key,
            action.action,
            action.text,
            show=False,
            id=action.id,
            # Before anything else, or letters typed right behind it go to the list that had the focus.
            priority=action.id == "search",
        )
        for action in ACTIONS
        if (screen in action.screens if screen else not action.screens)
    ]
