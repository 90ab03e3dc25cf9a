"""The graph as it stands: what a task requires, corrected by what its current run consumed."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from superluigi_catalog.storage.session import Session

__all__ = [
    "CONSUMED",
    "REPLACED",
    "REQUIRED",
    "YIELDED",
    "replace_edges",
    "settle_edges",
    "wanted_edges",
]

REQUIRED = 0
"""`requires()` names it, and nothing says that the run consumed anything else."""
YIELDED = 1
"""`run()` yielded it."""
CONSUMED = 2
"""It had made what the run consumed, although another task is required there, or none."""
REPLACED = 3
"""`requires()` names it, but what the run consumed there was made by another task."""

Source = tuple[str, "int | None"]
"""(place, id of the task that had made what was consumed there)."""


def settle_edges(
    session: Session, task: int, consumed: Sequence[Source], yielded: Sequence[tuple[str, int]]
) -> None:
    """Bring a task's edges in line with what its current run consumed; mostly nothing changes.

    A required task at place `p` feeds the inputs at `p` and at `p.…`. One without outputs (a wrapper)
    feeds nothing and stays as required.
    """
    present = {
        (place, upstream, kind)
        for place, upstream, kind in session.rows(
            "SELECT place, upstream_id, kind FROM edges WHERE task_id = ?", (task,)
        )
    }
    required = {
        place: upstream for place, upstream, kind in present if kind in (REQUIRED, REPLACED)
    }
    wanted = wanted_edges(
        required, dict(yielded), consumed, lambda task: _has_outputs(session, task)
    )
    if wanted != present:
        replace_edges(session, task, wanted - present, present - wanted)


def wanted_edges(
    required: Mapping[str, int],
    yielded: Mapping[str, int],
    consumed: Sequence[Source],
    has_outputs: Callable[[int], bool],
) -> set[tuple[str, int, int]]:
    """Say how a task depends on others, by what a run of it consumed.

    Args:
        required: By place.
        yielded: By place.
        consumed: What was consumed, and who had made it.
        has_outputs: Whether a task declares any.

    Returns:
        (place, upstream, kind).
    """
    fed = _fed_places(required, consumed)
    wanted = {(place, upstream, YIELDED) for place, upstream in yielded.items()}
    for place, upstream in required.items():
        is_replaced = _is_replaced(upstream, fed.get(place, ())) and has_outputs(upstream)
        wanted.add((place, upstream, REPLACED if is_replaced else REQUIRED))
    for place, source in consumed:
        expected = _at(required, place), _at(yielded, place)
        if source is not None and source not in expected:
            wanted.add((place, source, CONSUMED))
    return wanted


def _fed_places(
    required: Mapping[str, int], consumed: Iterable[Source]
) -> dict[str, set[int | None]]:
    """Group the sources of the inputs by the required place that they belong to."""
    fed: dict[str, set[int | None]] = {}
    for place, source in consumed:
        owner = _owner(required, place)
        if owner is not None:
            fed.setdefault(owner, set()).add(source)
    return fed


def _at(tasks: Mapping[str, int], place: str) -> int | None:
    owner = _owner(tasks, place)
    return None if owner is None else tasks[owner]


def _owner(tasks: Mapping[str, int], place: str) -> str | None:
    """Find the longest place that is `place` or that it lies in."""
    while place not in tasks:
        if not place:
            return None
        place = place.rpartition(".")[0]
    return place


def _is_replaced(upstream: int, sources: Iterable[int | None]) -> bool:
    known = set(sources)
    return bool(known) and upstream not in known and None not in known


def _has_outputs(session: Session, task: int) -> bool:
    return session.row("SELECT 1 FROM task_targets WHERE task_id = ? LIMIT 1", (task,)) is not None


def replace_edges(
    session: Session,
    task: int,
    new: Iterable[tuple[str, int, int]],
    gone: Iterable[tuple[str, int, int]],
) -> None:
    """Write the edges of a task that are new, and drop those that are gone: (place, upstream, kind)."""
    session.executemany(
        "DELETE FROM edges WHERE task_id = ? AND place = ? AND upstream_id = ? AND kind = ?",
        [(task, *edge) for edge in gone],
    )
    session.executemany(
        "INSERT INTO edges(task_id, place, upstream_id, kind) VALUES (?, ?, ?, ?)",
        [(task, *edge) for edge in new],
    )
