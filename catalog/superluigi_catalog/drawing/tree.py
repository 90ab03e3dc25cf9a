"""Lineage as an indented tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.drawing.label import params_text, task_name
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage
    from superluigi_catalog.results import Task

__all__ = ["draw"]

_Branch = tuple[str, str]
"""(places, task hash)."""


def draw(lineage: Lineage, *, max_lines: int | None) -> str:
    """Draw the tree; see `Lineage.to_text`."""
    branches = _branches(lineage)
    tasks = {task.task_hash: task for task in (lineage.root, *lineage.tasks)}
    drawn: set[str] = set()
    lines: list[str] = []
    # A stack instead of recursion: chains of tens of thousands of tasks are real.
    pending = [("", "", "", lineage.root.task_hash)]
    while pending and (max_lines is None or len(lines) < max_lines):
        prefix, elbow, places, task_hash = pending.pop()
        below = branches.get(task_hash, [])
        is_repeated = task_hash in drawn and bool(below)
        lines.append(f"{prefix}{elbow}{_line(places, tasks[task_hash], is_repeated)}")
        if task_hash in drawn:
            continue
        drawn.add(task_hash)
        inner = prefix + _CONTINUED[elbow]
        for index, (inner_places, inner_hash) in enumerate(reversed(below)):
            pending.append((inner, "└─ " if index == 0 else "├─ ", inner_places, inner_hash))
    hidden = len(tasks) - len(drawn)
    if pending and hidden:
        lines.append(f"… and {hidden} more")
    return "\n".join(lines) + "\n"


_CONTINUED = {"": "", "├─ ": "│  ", "└─ ": "   "}


def _branches(lineage: Lineage) -> dict[str, list[_Branch]]:
    """List the tasks that hang from each, every one once, with the places that lead to it."""
    places: dict[str, dict[str, dict[str, None]]] = {}
    for edge in lineage.edges:
        near, far = edge.task_hash, edge.upstream_hash
        if lineage.direction == "downstream":
            near, far = far, near
        places.setdefault(near, {}).setdefault(far, {})[edge.place] = None
    return {
        near: [(", ".join(filter(None, named)), far) for far, named in found.items()]
        for near, found in places.items()
    }


def _line(places: str, task: Task, is_repeated: bool) -> str:
    place = f"{printable(places)}: " if places else ""
    params = f"  {params_text(task)}" if task.params else ""
    repeated = "  (see above)" if is_repeated else ""
    return f"{place}{task_name(task)}  {task.status}{params}{repeated}"
