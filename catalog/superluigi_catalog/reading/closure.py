"""Which tasks are upstream or downstream of one, and through what.

Ids only, and never a depth beside them: `UNION (id, depth)` visits a task once for every length of a way
to it, which a ladder of diamonds doubles with every rung. With a limit, one step at a time instead.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping

from superluigi_catalog.lineage import Direction, Lineage, LineageEdge
from superluigi_catalog.reading.order import place_key
from superluigi_catalog.reading.tasks import tasks_by_id
from superluigi_catalog.results import Task
from superluigi_catalog.storage.bulk import garbage_kept, maker_of
from superluigi_catalog.storage.session import Row, Session

__all__ = [
    "KINDS",
    "Consumed",
    "Edge",
    "closure_rows",
    "count_reached",
    "directions_of",
    "lineage_of",
    "put_together",
]

Edge = tuple[int, str, int, str]
"""(task, place, upstream, kind)."""

Consumed = tuple[str, str, str, "str | None"]
"""(place, uri, fingerprint, the run that had made it)."""

_CLOSURES = {
    "upstream": """
        WITH RECURSIVE reached(id) AS (
          SELECT ? UNION
          SELECT e.upstream_id FROM reached CROSS JOIN edges e ON e.task_id = reached.id WHERE e.kind < 3)
    """,
    "downstream": """
        WITH RECURSIVE reached(id) AS (
          SELECT ? UNION
          SELECT e.task_id FROM reached CROSS JOIN edges e ON e.upstream_id = reached.id WHERE e.kind < 3)
    """,
}
_IDS = "SELECT id FROM reached"
_COUNT = "SELECT count(*) FROM (SELECT id FROM reached LIMIT ?)"
# SQLite takes what is reached from a queue: in the order in which it was found, the nearest first.
_ROWS = """
SELECT t.id, t.hash, t.family_id, t.params FROM reached CROSS JOIN tasks t ON t.id = reached.id LIMIT ?
"""
_STEPS = {
    "upstream": """
        SELECT DISTINCT e.upstream_id FROM json_each(?) w
        CROSS JOIN edges e ON e.task_id = w.value WHERE e.kind < 3
    """,
    "downstream": """
        SELECT DISTINCT e.task_id FROM json_each(?) w
        CROSS JOIN edges e ON e.upstream_id = w.value WHERE e.kind < 3
    """,
}
_EDGES = """
SELECT e.task_id, e.place, e.upstream_id, min(e.kind) FROM json_each(?) w
CROSS JOIN edges e ON e.task_id = w.value WHERE e.kind < 3 GROUP BY e.task_id, e.place, e.upstream_id
"""
_CONSUMED = """
SELECT t.id, i.source_task_id, i.place, g.uri, k.fingerprint, m.uuid FROM json_each(?) w
CROSS JOIN tasks t ON t.id = w.value
CROSS JOIN run_inputs i ON i.run_id = t.current_run_id
CROSS JOIN contents k ON k.id = i.content_id
CROSS JOIN targets g ON g.id = k.target_id
LEFT JOIN runs m ON m.id = i.source_run_id
WHERE i.source_task_id IS NOT NULL
"""
_edge = maker_of(LineageEdge)
KINDS = ("required", "yielded", "consumed")


def lineage_of(session: Session, root: int, direction: Direction, depth: int | None) -> Lineage:
    """Collect what is upstream or downstream of a task.

    Args:
        session: With an open snapshot.
        root: The task's id.
        direction: Towards inputs, or towards results.
        depth: Steps to go; None: all.

    Raises:
        ValueError: the depth is negative.
    """
    if depth is not None and depth < 0:
        message = f"depth must be 0 or more, not {depth}"
        raise ValueError(message)
    ids: set[int] = set()
    for each in directions_of(direction):
        ids |= (
            _closure(session, root, each) if depth is None else _steps(session, root, each, depth)
        )
    with garbage_kept():
        edges = _edges(session, ids)
        tasks = tasks_by_id(session, ids)
        consumed = _consumed(session, ids)
        return put_together(root, direction, tasks, edges, consumed)


def closure_rows(session: Session, root: int, direction: Direction, limit: int | None) -> list[Row]:
    """Look up the tasks upstream or downstream of one, nearest first, without itself.

    Args:
        session: With an open snapshot.
        root: The task's id.
        direction: Towards inputs, or towards results.
        limit: How many at most; None: all.

    Returns:
        Of each: id, hash, id of the family, parameters as JSON.
    """
    many = -1 if limit is None else limit + 1
    return session.rows(f"{_CLOSURES[direction]} {_ROWS}", (root, many))[1:]


def directions_of(direction: Direction) -> tuple[str, ...]:
    """Name the ways that a direction goes."""
    return ("upstream", "downstream") if direction == "both" else (direction,)


def put_together(
    root: int,
    direction: Direction,
    tasks: Mapping[int, Task],
    edges: list[Edge],
    consumed: Mapping[tuple[int, int], list[Consumed]],
) -> Lineage:
    """Put a lineage into its order.

    Args:
        root: The task's id.
        direction: Towards inputs, results, or both.
        tasks: All that are reached, the root too.
        edges: Between these.
        consumed: What the first of two tasks consumed that the second had made.
    """
    depths = _depths(root, edges, directions_of(direction))
    order = {task: rank for rank, task in enumerate(depths)}
    ranks = {place: rank for rank, place in enumerate(sorted({e[1] for e in edges}, key=place_key))}
    edges.sort(key=lambda edge: (order[edge[0]], ranks[edge[1]], edge[2]))
    hashes = {number: task.task_hash for number, task in tasks.items()}
    return Lineage(
        root=tasks[root],
        direction=direction,
        tasks=tuple(tasks[number] for number in depths if number != root),
        edges=tuple(_with_targets(edges, hashes, consumed)),
        depths={hashes[number]: steps for number, steps in depths.items()},
    )


def _closure(session: Session, root: int, direction: str) -> set[int]:
    return {number for (number,) in session.rows(f"{_CLOSURES[direction]} {_IDS}", (root,))}


def count_reached(session: Session, root: int, direction: str, most: int) -> int:
    """Count the tasks in one direction, without the root; no further than `most`."""
    row = session.row(f"{_CLOSURES[direction]} {_COUNT}", (root, most + 1))
    return int(row[0]) - 1 if row else 0


def _steps(session: Session, root: int, direction: str, depth: int) -> set[int]:
    reached = {root}
    frontier = {root}
    for _ in range(depth):
        rows = session.rows(_STEPS[direction], (json.dumps(sorted(frontier)),))
        frontier = {number for (number,) in rows} - reached
        if not frontier:
            break
        reached |= frontier
    return reached


def _edges(session: Session, ids: Collection[int]) -> list[Edge]:
    rows = session.rows(_EDGES, (json.dumps(sorted(ids)),))
    return [
        (task, place, upstream, KINDS[kind])
        for task, place, upstream, kind in rows
        if upstream in ids
    ]


def _depths(root: int, edges: Collection[Edge], directions: Iterable[str]) -> dict[int, int]:
    """Count the steps from the root, nearest first; in each direction in the order in which SQLite finds them."""
    depths: dict[int, int] = {}
    for direction in directions:
        for task, steps in _steps_away(root, edges, direction).items():
            depths[task] = min(steps, depths.get(task, steps))
    return dict(sorted(depths.items(), key=lambda item: item[1]))


def _steps_away(root: int, edges: Collection[Edge], direction: str) -> dict[int, int]:
    """Count the steps one way: inputs by their places, results as their tasks were recorded."""
    away: dict[int, list[int]] = {}
    if direction == "upstream":
        for task, _, upstream, _ in sorted(edges):
            away.setdefault(task, []).append(upstream)
    else:
        for task, _, upstream, _ in sorted(edges):
            away.setdefault(upstream, []).append(task)
    depths = {root: 0}
    frontier = [root]
    steps = 0
    while frontier:
        steps += 1
        following: list[int] = []
        for near in frontier:
            for far in away.get(near, ()):
                if far not in depths:
                    depths[far] = steps
                    following.append(far)
        frontier = following
    return depths


def _consumed(session: Session, ids: Iterable[int]) -> dict[tuple[int, int], list[Consumed]]:
    """Look up what the current runs of tasks consumed, by task and source."""
    consumed: dict[tuple[int, int], list[Consumed]] = {}
    for task, source, place, uri, fingerprint, run in session.rows(
        _CONSUMED, (json.dumps(sorted(ids)),)
    ):
        consumed.setdefault((task, source), []).append((place, uri, fingerprint, run))
    return consumed


def _with_targets(
    edges: Iterable[Edge],
    hashes: Mapping[int, str],
    consumed: Mapping[tuple[int, int], list[Consumed]],
) -> Iterable[LineageEdge]:
    """Say of every edge what was consumed through it; several targets make several edges."""
    nothing: list[Consumed] = []
    for task, place, upstream, kind in edges:
        through = consumed.get((task, upstream), nothing)
        if len(through) != 1 or through[0][0] != place:
            through = [what for what in through if _lies_in(what[0], place)]
            through.sort(key=lambda what: place_key(what[0]))
        for what in through:
            yield _edge(hashes[task], hashes[upstream], what[0], kind, what[1], what[2], what[3])
        if not through:
            yield _edge(hashes[task], hashes[upstream], place, kind, None, None, None)


def _lies_in(inner: str, place: str) -> bool:
    return inner == place or not place or inner.startswith(f"{place}.")
