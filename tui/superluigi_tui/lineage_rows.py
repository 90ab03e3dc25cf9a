"""Lineage as rows of a list: which tasks are shown, and how a line says what each is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from superluigi_catalog import Lineage, Task
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.gutter import gutter_rows
from superluigi_tui.texts import age_text, fit, one_line, params_text
from superluigi_tui.widgets.pieces import Piece
from superluigi_tui.widgets.row_list import Row

__all__ = ["LineageShape", "lineage_rows"]

_MAX_GUTTER = 24
_NAME_WIDTH = 16
MAX_SHOWN = 5_000


@dataclass
class LineageShape:
    """What of a lineage is shown."""

    lineage: Lineage
    folded: set[str] = field(default_factory=set)
    hides_fresh: bool = False

    def below(self) -> dict[str, list[str]]:
        """What hangs from each task, as far as it is shown."""
        hanging: dict[str, list[str]] = {}
        for edge in self.lineage.edges:
            near, far = edge.task_hash, edge.upstream_hash
            if self.lineage.direction == "downstream":
                near, far = far, near
            if far not in hanging.setdefault(near, []):
                hanging[near].append(far)
        if self.hides_fresh:
            kept = self._worth_showing(hanging)
            hanging = {near: [f for f in fars if f in kept] for near, fars in hanging.items()}
        return {near: fars for near, fars in hanging.items() if near not in self.folded}

    def _worth_showing(self, hanging: dict[str, list[str]]) -> set[str]:
        """Tasks that are not fresh, and all on the way to them."""
        above: dict[str, list[str]] = {}
        for near, fars in hanging.items():
            for far in fars:
                above.setdefault(far, []).append(near)
        pending = [task.task_hash for task in self.lineage if task.status != "fresh"]
        kept = set(pending)
        while pending:
            for near in above.get(pending.pop(), ()):
                if near not in kept:
                    kept.add(near)
                    pending.append(near)
        return kept


def lineage_rows(shape: LineageShape, glyphs: Glyphs, now: float) -> list[Row]:
    """Draw it, the task that it begins with first."""
    lineage = shape.lineage
    tasks = {task.task_hash: task for task in (lineage.root, *lineage.tasks)}
    drawn = gutter_rows([lineage.root.task_hash], shape.below(), is_ascii=glyphs.is_ascii)
    drawn = drawn[: 2 * MAX_SHOWN]
    widest = min(max((len(r.before) + 1 + len(r.after) for r in drawn), default=0), _MAX_GUTTER)
    rows = []
    for number, each in enumerate(drawn):
        if each.node is None:
            rows.append(Row(f"line-{number}", pieces=[Piece(each.before[:_MAX_GUTTER], "dim")]))
            continue
        task = tasks[each.node]
        pieces = [
            Piece(each.before[:_MAX_GUTTER], "dim"),
            Piece(glyphs.state(task.status), task.status),
            Piece(each.after[: max(0, _MAX_GUTTER - len(each.before))], "dim"),
            Piece(" " * max(0, widest - len(each.before) - 1 - len(each.after)) + "  "),
            *_said_of(task, task.task_hash in shape.folded, glyphs, now),
        ]
        rows.append(Row(task.task_hash, pieces=pieces, value=task))
    return rows


def _said_of(task: Task, is_folded: bool, glyphs: Glyphs, now: float) -> Sequence[Piece]:
    return (
        Piece(fit(one_line(task.family) or "?", _NAME_WIDTH, more=glyphs.more), "bold"),
        Piece(f" {task.status:<8}", task.status),
        Piece(f"{age_text(task.last_started_at, now) or glyphs.none:>4}  ", "dim"),
        Piece("[folded] " if is_folded else "", "accent"),
        Piece(params_text(task.params)),
    )


def counted(tasks: Collection[Task]) -> dict[str, int]:
    """How many of them are in which state."""
    counts: dict[str, int] = {}
    for task in tasks:
        counts[task.status] = counts.get(task.status, 0) + 1
    return counts
