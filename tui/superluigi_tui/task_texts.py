"""A task as lines of text: the preview beside a list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from superluigi_catalog import Catalog, Run, Target, Task
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.texts import age_text, duration_text, one_line, short_hash, size_text
from superluigi_tui.widgets.pieces import Line, Piece

__all__ = ["param_lines", "preview_lines", "reach_text", "reason_of", "run_summary", "target_line"]

_MAX_INPUTS = 4
_RUNS_COUNTED = 20
_MAX_REACHED = 1_000


def preview_lines(catalog: Catalog, task: Task, glyphs: Glyphs, now: float) -> list[Line]:
    """Say the most important of a task: state, parameters, inputs, outputs, last run.

    The first two lines are all that is seen where there is little room.
    """
    upstream = catalog.upstream(task.task_hash, depth=1)
    targets = catalog.targets(task.task_hash)
    runs = catalog.runs(task.task_hash, limit=_RUNS_COUNTED)
    many = "+" if len(runs) == _RUNS_COUNTED else ""
    facts = [
        _counted(len(runs), "run", many),
        _counted(len(upstream), "input"),
        f"{reach_text(catalog, task, 'downstream')} downstream",
        *(f"out {target.uri}" for target in targets[:1]),
    ]
    lines: list[Line] = [
        [
            Piece(f"{glyphs.state(task.status)} {task.status}", task.status),
            Piece(f": {reason_of(task, runs[0] if runs else None)}"),
        ],
        [Piece(f" {glyphs.dot} ".join(map(one_line, facts)), "dim")],
        [],
        [Piece("PARAMS", "dim")],
        *param_lines(task),
        [],
        [Piece(f"INPUTS  {len(upstream)}", "dim")],
        *(
            [Piece(f"  {glyphs.state(each.status)} ", each.status), Piece(each.family or "?")]
            for each in upstream.tasks[:_MAX_INPUTS]
        ),
        [],
        [Piece("OUTPUTS", "dim")],
        *(target_line(target, glyphs) for target in targets),
        [],
        [Piece("LAST RUN", "dim")],
        *([run_summary(run, now, glyphs)] for run in runs[:1]),
    ]
    return lines


def reach_text(catalog: Catalog, task: Task, direction: Literal["upstream", "downstream"]) -> str:
    """How many tasks lie in one direction of it, as far as one can count in no time."""
    count = catalog.count_reached(task.task_hash, direction, most=_MAX_REACHED)
    return f"{count:,}" if count < _MAX_REACHED else f"{_MAX_REACHED:,}+"


def _counted(count: int, what: str, more: str = "") -> str:
    return f"{count}{more} {what}" if count == 1 else f"{count}{more} {what}s"


def param_lines(task: Task) -> Iterable[Line]:
    """Every parameter on a line of its own."""
    shown = [(name, value, "") for name, value in task.params.items()]
    shown += [
        (name, value, "  (insignificant)") for name, value in task.insignificant_params.items()
    ]
    width = min(max((len(one_line(name)) for name, _, _ in shown), default=0), 20)
    for name, value, note in shown:
        yield [Piece(f"  {one_line(name):<{width}}  ", "dim"), Piece(value), Piece(note, "dim")]


def target_line(target: Target, glyphs: Glyphs) -> Line:
    """One target: what stands there, where, how large."""
    is_changed = (
        target.fingerprint is not None
        and target.recorded_fingerprint is not None
        and target.fingerprint != target.recorded_fingerprint
    )
    state = "changed since" if is_changed else target.state
    style = {"present": "fresh", "changed since": "stale", "error": "failed"}.get(state, "missing")
    return [
        Piece(f"  {glyphs.state('stale' if is_changed else target.state)} {state:<8}", style),
        Piece(f" {size_text(target.size_bytes):>8}  ", "dim"),
        Piece(target.uri),
    ]


def run_summary(run: Run, now: float, glyphs: Glyphs) -> Piece:
    """A run on one line."""
    return Piece(
        f"  {glyphs.state(run.status)} {run.status}  {age_text(run.started_at, now)} ago  "
        f"{duration_text(run.duration_s)}  {one_line(run.error or '')}"
    )


def reason_of(task: Task, run: Run | None) -> str:
    """Say in a few words why a task is in its state, by the records."""
    if task.status == "failed" and run is not None:
        return one_line(f"{run.error_type or run.status}: {run.error or ''}")
    return {
        "fresh": "what stands is what its last run made",
        "stale": "an input is not the one that it read",
        "missing": "an output is not there",
        "running": "its run has not ended",
        "unknown": "no run of it is recorded"
        if task.last_run_id is None
        else "found without a record",
        "failed": "its last run failed",
    }[task.status]


def hash_and_family(task: Task) -> str:
    """How a task is named on a line."""
    return one_line(f"{task.family or '?'} {short_hash(task.task_hash)}")
