"""The plan of a rerun: made by a child process with the user's code, shown, and started only on purpose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType
from textual.widgets import Input

from superluigi_catalog import Catalog
from superluigi_tui.children import CommandFailed
from superluigi_tui.rerun_request import MODES, CannotRerun, PlanShown, RerunRequest
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.dialog import Dialog
from superluigi_tui.texts import duration_text, fit, one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece, wrapped
from superluigi_tui.widgets.row_list import Row, RowList

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["RerunDialog"]

_COUNTED = 200
_INNER_WIDTH = 64
_MODE_WIDTHS = (22, 22, 22)
_COLUMNS = (Column("", 1), Column("", 18), Column("", 0), Column("", 7, right=True))


class RerunDialog(Dialog[RerunRequest]):
    """Answers with what to start; None when nothing is."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+r", "run", show=False),
        Binding("a", "show_all", show=False),
        Binding("plus,equals_sign", "workers(1)", show=False),
        Binding("minus", "workers(-1)", show=False),
        Binding("e", "resume", show=False),
        Binding("y", "copy", show=False),
        *(Binding(str(n), f"mode({n - 1})", show=False) for n in range(1, len(MODES) + 1)),
    ]

    def __init__(self, request: RerunRequest) -> None:
        title = f"Rerun {one_line(request.task.family)}  {request.task.task_hash[:8]}"
        super().__init__(title, "nothing is started before ctrl+r")
        self.request = request
        self.plan: PlanShown | None = None
        self._shows_all = False
        self._replaced = 0
        self._message = ""

    @property
    def _tui(self) -> SuperLuigiApp:
        return cast("SuperLuigiApp", self.app)

    def compose_box(self) -> Iterable[Any]:
        """Give the modes, the plan, the options and the keys."""
        for number in range(0, len(MODES), 3):
            yield Bar(partial(self._modes, number), classes="modes")
        yield Bar(self._headline, id="headline")
        yield RowList(_COLUMNS, id="plan")
        yield TextPane(id="trouble")
        yield Bar(self._notes, id="notes")
        yield Bar(self._options, id="options")
        yield Bar(self._command, id="command")
        yield Input(placeholder="type the number of tasks to start them", compact=True, id="typed")
        yield Bar(self._buttons, id="buttons")

    def on_mount(self) -> None:
        """Plan."""
        self.query_one("#plan", RowList).focus()
        self._replan()

    # -- planning ------------------------------------------------------------------------------

    def _replan(self) -> None:
        self.plan, self._message, self._replaced = None, "", 0
        self._draw()
        # A worker of the dialog: closing that ends the child.
        plan: Any = partial(self._plan, self.request)
        self.run_worker(plan, group="plan", exclusive=True, exit_on_error=False)

    async def _plan(self, request: RerunRequest) -> None:
        try:
            document = await self._tui.answer_of(request.plan_words(), request.cwd)
            self.plan = PlanShown.from_document(document)
            self._replaced = await self._count_replaced(self.plan)
        except (CommandFailed, CannotRerun, OSError) as error:
            self._message = str(error)
        self._draw()

    async def _count_replaced(self, plan: PlanShown) -> int:
        hashes = [str(each["task_hash"]) for each in plan.with_action("run", "maybe")]

        def count(catalog: Catalog) -> int:
            from superluigi_catalog import TaskNotFound

            present = 0
            for task_hash in hashes[:_COUNTED]:
                try:
                    targets = catalog.targets(task_hash)
                except TaskNotFound:
                    continue
                present += sum(target.state == "present" for target in targets)
            return present

        return await self._tui.lookups["detail"].ask(count)

    # -- drawing -------------------------------------------------------------------------------

    def _draw(self) -> None:
        rows = self.query_one("#plan", RowList)
        shown = self._shown()
        rows.set_rows([self._row(decision) for decision in shown])
        rows.styles.height = max(1, min(len(shown), self.app.size.height - 14))
        rows.display = not self._message
        trouble = self.query_one("#trouble", TextPane)
        trouble.display = bool(self._message)
        if self._message:
            lines = self._message.strip().splitlines()[-40:]
            parts = [
                part
                for line in lines
                for part in wrapped([Piece(line.expandtabs(4), "failed")], _INNER_WIDTH)
            ]
            trouble.set_lines(parts)
            trouble.styles.height = min(len(parts), 10)
            trouble.scroll_end(animate=False)
        typed = self.query_one("#typed", Input)
        typed.display = self.plan is not None and self.plan.needs_typing(self.request.mode)
        for bar in self.query(Bar):
            bar.refresh()

    def _shown(self) -> list[Mapping[str, Any]]:
        if self.plan is None:
            return []
        actions = (
            ("run", "maybe", "blocked", "skip") if self._shows_all else ("run", "maybe", "blocked")
        )
        return self.plan.with_action(*actions)

    def _row(self, decision: Mapping[str, Any]) -> Row:
        action = str(decision.get("action"))
        reasons: Sequence[Mapping[str, Any]] = decision.get("reasons") or ({},)
        style = {"run": "running", "maybe": "stale", "blocked": "failed"}.get(action, "fresh")
        estimate = decision.get("estimate_s")
        return Row(
            str(decision.get("task_hash")),
            (
                Cell(self._tui.glyphs.state(action), style),
                Cell(str(decision.get("family")), "bold"),
                Cell(("maybe: " if action == "maybe" else "") + str(reasons[0].get("text", ""))),
                Cell(f"~{duration_text(estimate)}" if estimate is not None else "", "dim"),
            ),
        )

    def _modes(self, first: int, width: int) -> Line:
        pieces: list[Piece] = []
        for number, (mode, text) in list(enumerate(MODES.items(), start=1))[first : first + 3]:
            is_chosen = mode == self.request.mode
            mark = (
                "(•)"
                if is_chosen and not self._tui.glyphs.is_ascii
                else "(*)"
                if is_chosen
                else "( )"
            )
            style = "accent" if is_chosen else ""
            shown = fit(f"{number} {mark} {text}", _MODE_WIDTHS[(number - 1) % 3])
            pieces.append(Piece(shown, style, f"mode:{number - 1}"))
        return pieces

    def _headline(self, width: int) -> Line:
        if self._message:
            return [Piece("Cannot plan:", "failed")]
        if self.plan is None:
            return [Piece(f"planning with {self._tui.python} in {self.request.cwd} …", "dim")]
        counts = [
            f"{len(found)} {word}"
            for word, actions in (
                ("run", "run"),
                ("maybe", "maybe"),
                ("blocked", "blocked"),
                ("skip", "skip"),
            )
            if (found := self.plan.with_action(actions))
        ]
        about = self.plan.estimate_s
        took = f"  about {duration_text(about)} (from past runs)" if about is not None else ""
        return [Piece("PLAN  ", "bold"), Piece(f" {self._tui.glyphs.dot} ".join(counts) + took)]

    def _notes(self, width: int) -> Line:
        if self.plan is None:
            return ()
        root = next((each for each in self.plan.decisions if each.get("is_root")), None)
        if root is not None and root.get("task_hash") != self.request.target_task().task_hash:
            now = str(root.get("task_hash"))[:8]
            return [Piece(f"Its code makes another task of it now: {now}.", "stale")]
        if not self.plan.to_run:
            return [Piece("Nothing is to be done. Force it with 2 or 3.", "dim")]
        return [
            Piece(
                f"{self._replaced} outputs that stand are replaced when their runs succeed", "dim"
            )
        ]

    def _options(self, width: int) -> Line:
        resume = "yes" if self.request.resumes else "no"
        return [
            Piece("+ - ", "accent"),
            Piece(f"workers {self.request.workers}   "),
            Piece("e ", "accent", "resume"),
            Piece(f"resume the last build: {resume}   ", "", "resume"),
            Piece("a ", "accent", "all"),
            Piece("show what is up to date", "", "all"),
        ]

    def _command(self, width: int) -> Line:
        try:
            return [Piece(f"$ {self.request.command()}", "dim", "copy")]
        except CannotRerun:
            return ()

    def _buttons(self, width: int) -> Line:
        can_run = self.plan is not None and self.plan.to_run
        run = f"[ Run {self.plan.to_run} tasks  ctrl+r ]" if self.plan and can_run else ""
        return [
            Piece("[ Cancel  esc ]", "bold", "close"),
            Piece("    "),
            Piece(run, "accent", "run"),
            Piece("    y copy command", "dim", "copy"),
        ]

    # -- actions -------------------------------------------------------------------------------

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Do what was clicked."""
        name, _, number = message.action.partition(":")
        calls = {
            "close": self.action_close,
            "run": self.action_run,
            "copy": self.action_copy,
            "resume": self.action_resume,
            "all": self.action_show_all,
        }
        if name == "mode":
            self.action_mode(int(number))
        else:
            calls[name]()

    def action_mode(self, number: int) -> None:
        """Plan in another mode."""
        mode = list(MODES)[number]
        if mode == "from":
            families = {family: family for family in self.request.families}
            if not families:
                self.notify("Nothing is upstream of it.", timeout=2)
                return
            self._tui.push_screen(Choice("Force from which class down?", families), self._from)
            return
        self.request = self.request.with_mode(mode)
        self._replan()

    def _from(self, family: str | None) -> None:
        if family is not None:
            self.request = replace(self.request, mode="from", forced_from=family)
            self._replan()

    def action_show_all(self) -> None:
        """Show also what is up to date."""
        self._shows_all = not self._shows_all
        self._draw()

    def action_workers(self, step: int) -> None:
        """More or fewer workers."""
        workers = max(1, min(64, self.request.workers + step))
        self.request = replace(self.request, workers=workers)
        self._draw()

    def action_resume(self) -> None:
        """Go on with the last build, or not."""
        self.request = replace(self.request, resumes=not self.request.resumes)
        self._draw()

    def action_copy(self) -> None:
        """Copy the command."""
        self._tui.copy(self.request.command(), "the command")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """The number was typed."""
        self.action_run()

    def action_run(self) -> None:
        """Start it, if that is what the user has seen and wants."""
        if self.plan is None or not self.plan.to_run:
            self.notify("There is nothing to run.", timeout=2)
            return
        typed = self.query_one("#typed", Input)
        if typed.display and typed.value.strip() != str(self.plan.to_run):
            self.notify(f"Type {self.plan.to_run} to run so many tasks.", timeout=3)
            self.set_focus(typed)
            return
        self.dismiss(self.request)
