"""Lineage as rows of a list: one for each task that is shown, with lines between them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from superluigi_catalog import Lineage, Task
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.gutter import gutter_rows
from superluigi_tui.lineage_shape import Shown, ShownGraph, counted
from superluigi_tui.texts import age_text, fit, one_line, params_text
from superluigi_tui.widgets.pieces import Piece
from superluigi_tui.widgets.row_list import Row

__all__ = ["MAX_SHOWN", "lineage_rows", "notes_of"]

_MAX_GUTTER = 24
_NAME_WIDTH = 16
_NOTE_WIDTH = 22
MAX_SHOWN = 5_000


def lineage_rows(
    graph: ShownGraph,
    notes: Mapping[str, str],
    glyphs: Glyphs,
    now: float,
    *,
    folded: Iterable[str] = (),
) -> list[Row]:
    """Draw it, the task that it begins with first.

    Args:
        notes: What is said of a task instead of its age, by hash.
        folded: Keys from which more hangs than is shown.
    """
    drawn = gutter_rows([graph.root], graph.below, is_ascii=glyphs.is_ascii)[: 2 * MAX_SHOWN]
    widest = min(max((len(r.before) + 1 + len(r.after) for r in drawn), default=0), _MAX_GUTTER)
    shut = set(folded)
    rows = []
    for number, each in enumerate(drawn):
        before = _gutter(each.before, glyphs)
        if each.node is None:
            rows.append(Row(f"line-{number}", pieces=[Piece(before, "dim")]))
            continue
        node = graph.nodes[each.node]
        room = max(0, _MAX_GUTTER - len(before))
        after = each.after[:room]
        rows.append(
            Row(
                node.key,
                pieces=[
                    Piece(before, "dim"),
                    Piece(glyphs.state(node.status), node.status),
                    Piece(after, "dim"),
                    Piece(" " * max(0, widest - len(before) - 1 - len(after)) + "  "),
                    *_said_of(node, notes, glyphs, now, is_folded=node.key in shut),
                ],
                value=node,
            )
        )
    return rows


def notes_of(lineage: Lineage, errors: Mapping[str, str]) -> dict[str, str]:
    """Say in a few words why tasks are not fresh.

    Args:
        errors: Of failed tasks, by hash.
    """
    tasks = {task.task_hash: task for task in (lineage.root, *lineage.tasks)}
    notes = {
        task_hash: _NOTES[task.status] for task_hash, task in tasks.items() if task.status in _NOTES
    }
    for edge in lineage.edges:
        far = tasks.get(edge.upstream_hash)
        waits = tasks[edge.task_hash].status in ("missing", "unknown")
        if far is not None and far.status in ("failed", "missing", "unknown") and waits:
            notes[edge.task_hash] = f"waits for {one_line(far.family) or '?'}"
    return {**notes, **errors}


_NOTES = {"stale": "input changed", "missing": "output missing", "unknown": "no run of it"}


def _gutter(text: str, glyphs: Glyphs) -> str:
    """Cut the lines at the left where there are too many, and say how many are left out."""
    if len(text) <= _MAX_GUTTER:
        return text
    left_out = (len(text) - _MAX_GUTTER) // 2 + 3
    return f"{text[: _MAX_GUTTER - 6]}{'|' if glyphs.is_ascii else '┆'}+{left_out:<4}"


def _said_of(
    node: Shown, notes: Mapping[str, str], glyphs: Glyphs, now: float, *, is_folded: bool
) -> Iterable[Piece]:
    folded = Piece("[folded] " if is_folded else "", "accent")
    if node.task is not None:
        yield from _said_of_task(node.task, notes, glyphs, now)
        yield folded
        yield Piece(params_text(node.task.params), "dim")
        return
    yield folded
    name = f"{one_line(node.family) or '?'} {glyphs.times}{len(node.tasks)}"
    yield Piece(fit(name, _NAME_WIDTH, more=glyphs.more), "bold")
    for status, count in counted(node.tasks).items():
        yield Piece(f" {glyphs.state(status)} {count} {status} ", status)
    yield Piece(" enter shows each", "dim")


def _said_of_task(
    task: Task, notes: Mapping[str, str], glyphs: Glyphs, now: float
) -> Iterable[Piece]:
    note = one_line(notes.get(task.task_hash, ""))
    said = note or age_text(task.last_started_at, now) or glyphs.none
    width = _NOTE_WIDTH if note else 4
    yield Piece(fit(one_line(task.family) or "?", _NAME_WIDTH, more=glyphs.more), "bold")
    yield Piece(f" {task.status:<8}", task.status)
    yield Piece(fit(said, width, more=glyphs.more) + "  ", task.status if note else "dim")
