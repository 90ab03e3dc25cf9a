"""Lineage as an indented tree."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.drawing.label import params_text, task_name
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage, LineageEdge
    from superluigi_catalog.results import Task

__all__ = ["draw"]

_DIGEST_CHARACTERS = 12

_Branch = tuple[tuple["LineageEdge", ...], str]
"""(edges, task hash)."""


def draw(
    lineage: Lineage, direction: str, *, max_lines: int | None = None, with_targets: bool = False
) -> str:
    """Draw the tree towards inputs or results; see `Lineage.to_text`."""
    branches = _branches(lineage, direction)
    tasks = {task.task_hash: task for task in (lineage.root, *lineage.tasks)}
    drawn: set[str] = set()
    lines: list[str] = []
    # A stack instead of recursion: chains of tens of thousands of tasks are real.
    pending: list[tuple[str, str, tuple[LineageEdge, ...], str]] = [
        ("", "", (), lineage.root.task_hash)
    ]
    while pending and (max_lines is None or len(lines) < max_lines):
        prefix, elbow, edges, task_hash = pending.pop()
        below = branches.get(task_hash, [])
        is_repeated = task_hash in drawn and bool(below)
        lines.append(f"{prefix}{elbow}{_line(edges, tasks[task_hash], is_repeated)}")
        inner = prefix + _CONTINUED[elbow]
        if with_targets:
            stem = "│  " if below and not is_repeated else "   "
            lines += [f"{inner}{stem}{_target(edge)}" for edge in edges if edge.uri]
        if task_hash in drawn:
            continue
        drawn.add(task_hash)
        for index, (inner_edges, inner_hash) in enumerate(reversed(below)):
            pending.append((inner, "└─ " if index == 0 else "├─ ", inner_edges, inner_hash))
    hidden = _reached(branches, lineage.root.task_hash) - len(drawn) if pending else 0
    if hidden:
        lines.append(f"… and {hidden} more")
    return "\n".join(lines) + "\n"


_CONTINUED = {"": "", "├─ ": "│  ", "└─ ": "   "}


def _branches(lineage: Lineage, direction: str) -> dict[str, list[_Branch]]:
    """List the tasks that hang from each, every one once, with the edges that lead to it."""
    found: dict[str, dict[str, list[LineageEdge]]] = {}
    for edge in lineage.edges:
        near, far = edge.task_hash, edge.upstream_hash
        if direction == "downstream":
            near, far = far, near
        found.setdefault(near, {}).setdefault(far, []).append(edge)
    return {
        near: [(tuple(edges), far) for far, edges in below.items()] for near, below in found.items()
    }


def _reached(branches: dict[str, list[_Branch]], root: str) -> int:
    """Count the tasks of the whole tree."""
    reached = {root: None}
    pending = [root]
    while pending:
        for _, below in branches.get(pending.pop(), ()):
            if below not in reached:
                reached[below] = None
                pending.append(below)
    return len(reached)


def _line(edges: tuple[LineageEdge, ...], task: Task, is_repeated: bool) -> str:
    places = ", ".join(dict.fromkeys(edge.place for edge in edges if edge.place))
    place = f"{printable(places)}: " if places else ""
    params = f"  {params_text(task)}" if task.params else ""
    repeated = "  (see above)" if is_repeated else ""
    return f"{place}{task_name(task)}  {task.status}{params}{repeated}"


def _target(edge: LineageEdge) -> str:
    """Say which content of which target was consumed."""
    kind, _, value = (edge.fingerprint or "").partition(":")
    return printable(f"{edge.uri}  {kind}:{value[:_DIGEST_CHARACTERS]}")
