"""A plan as lines: modes, counts, tasks, what is replaced, what can be pressed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from superluigi_catalog import Catalog, TaskNotFound
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.rerun_request import MODES, PlanShown, RerunRequest
from superluigi_tui.texts import duration_text, fit, one_line
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece
from superluigi_tui.widgets.row_list import Row

__all__ = [
    "PLAN_COLUMNS",
    "Replaced",
    "button_line",
    "headline",
    "mode_line",
    "option_line",
    "plan_rows",
    "replaced_by",
    "replaced_line",
]

PLAN_COLUMNS = (Column("", 1), Column("", 14), Column("", 0), Column("", 7, right=True))

_MODE_WIDTH = 22
_COUNTED = 200
_STYLES = {"run": "running", "maybe": "stale", "blocked": "failed"}


class Replaced(NamedTuple):
    """An output that stands, and that a plan makes anew."""

    family: str
    uri: str


def replaced_by(catalog: Catalog, plan: PlanShown) -> list[Replaced]:
    """List the outputs that the first tasks of a plan replace, by what was last seen."""
    found: list[Replaced] = []
    for each in plan.with_action("run", "maybe")[:_COUNTED]:
        try:
            targets = catalog.targets(str(each["task_hash"]))
        except TaskNotFound:
            continue
        family = str(each.get("family"))
        found += [Replaced(family, each.uri) for each in targets if each.state == "present"]
    return found


def mode_line(request: RerunRequest, first: int, glyphs: Glyphs) -> Line:
    """Three of the modes, the chosen one marked."""
    pieces: list[Piece] = []
    for number, (mode, text) in list(enumerate(MODES.items(), start=1))[first : first + 3]:
        is_chosen = mode == request.mode
        dot = ("*" if glyphs.is_ascii else "•") if is_chosen else " "
        if mode == "from" and is_chosen:
            text = f"from {one_line(request.forced_from)}"
        shown = fit(f"{number} ({dot}) {text}", _MODE_WIDTH, more=glyphs.more)
        pieces.append(Piece(shown, "accent" if is_chosen else "", f"mode:{number - 1}"))
    return pieces


def headline(plan: PlanShown, glyphs: Glyphs) -> Line:
    """How many tasks run, may run, do not; and how long that may take."""
    counts = [
        f"{len(found):,} {action}"
        for action in ("run", "maybe", "blocked", "skip")
        if (found := plan.with_action(action))
    ]
    dot = f" {glyphs.dot} "
    about = plan.estimate_s
    took = f"{dot}about {duration_text(about)} (from past runs)" if about is not None else ""
    return [Piece("PLAN  ", "bold"), Piece(dot.join(counts) + took)]


def plan_rows(plan: PlanShown, glyphs: Glyphs, *, shows_all: bool) -> list[Row]:
    """What is to run, in its order; at the end what is not, or how much that is."""
    shown = plan.with_action("run", "maybe", "blocked")
    skipped = plan.with_action("skip")
    rows = [_row(each, glyphs) for each in (*shown, *(skipped if shows_all else ()))]
    if skipped and not shows_all:
        said = f"{len(skipped):,} up to date (a shows them)"
        rows.append(Row("skipped", pieces=[Piece(f"{glyphs.state('fresh')} {said}", "dim")]))
    return rows


def _row(decision: Mapping[str, Any], glyphs: Glyphs) -> Row:
    action = str(decision.get("action"))
    reasons: Sequence[Mapping[str, Any]] = decision.get("reasons") or ({},)
    estimate = decision.get("estimate_s")
    return Row(
        str(decision.get("task_hash")),
        (
            Cell(glyphs.state(action), _STYLES.get(action, "fresh")),
            Cell(str(decision.get("family")), "bold"),
            Cell(("maybe: " if action == "maybe" else "") + str(reasons[0].get("text", ""))),
            Cell(f"~{duration_text(estimate)}" if estimate is not None else "", "dim"),
        ),
    )


def replaced_line(plan: PlanShown, request: RerunRequest, replaced: Sequence[Replaced]) -> Line:
    """What stands and is replaced; or what the user should know before that."""
    roots = {str(each.get("task_hash")) for each in plan.decisions if each.get("is_root")}
    if other := sorted(roots - {task.task_hash for task in request.target_tasks()}):
        return [Piece(f"Its code makes another task of it now: {other[0][:8]}.", "stale")]
    if not plan.to_run:
        return [Piece("Nothing is to be done. Force it with 2 or 3.", "dim")]
    if not replaced:
        return [Piece("replaces nothing that stands", "dim")]
    families = list(dict.fromkeys(one_line(each.family) for each in replaced))
    named = ", ".join(families[:3]) + (", …" if len(families) > 3 else "")
    outputs = f"{len(replaced)} output{'s' if len(replaced) > 1 else ''}"
    return [Piece(f"replaces {outputs} ({named})"), Piece(" · o lists them", "dim", "replaced")]


def option_line(request: RerunRequest) -> Line:
    """What else can be chosen."""
    resume = "yes" if request.resumes else "no"
    return [
        Piece("+ - ", "accent"),
        Piece(f"workers {request.workers}   "),
        Piece("e ", "accent", "resume"),
        Piece(f"resume the last build: {resume}   ", "", "resume"),
        Piece("p ", "accent", "place"),
        Piece("python, directory", "", "place"),
    ]


def button_line(plan: PlanShown | None) -> Line:
    """Leaving, and starting."""
    count = plan.to_run if plan is not None else 0
    run = f"[ Run {count:,} task{'s' if count > 1 else ''}  ctrl+r ]" if count else ""
    return [
        Piece("   [ Cancel  esc ]", "bold", "close"),
        Piece("      "),
        Piece(run, "accent", "run"),
    ]
