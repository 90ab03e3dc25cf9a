"""Lineage as it stood at a moment: every task by the run that stood for it then.

What a task requires is in its hash and never changes; what it consumed is in its runs. So nothing but the
runs is needed to know the graph of any day.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field, replace

from superluigi_catalog.errors import TaskNotFound
from superluigi_catalog.lineage import Direction, Lineage
from superluigi_catalog.reading.closure import (
    KINDS,
    Consumed,
    Edge,
    directions_of,
    put_together,
)
from superluigi_catalog.reading.standing import with_standing
from superluigi_catalog.reading.tasks import tasks_by_id
from superluigi_catalog.recording.edges import REPLACED, wanted_edges
from superluigi_catalog.results import Task
from superluigi_catalog.storage.session import Row, Session

__all__ = ["lineage_then", "task_then"]

_STOOD = with_standing("""
SELECT w.value, (SELECT r.id FROM runs r WHERE r.task_id = w.value AND r.status IN STANDING
  AND r.ended_at <= ? ORDER BY r.ended_at DESC, r.id DESC LIMIT 1)
FROM json_each(?) w
""")
_REQUIRED = """
SELECT e.task_id, e.place, e.upstream_id FROM json_each(?) w
CROSS JOIN edges e ON e.task_id = w.value WHERE e.kind IN (0, 3)
"""
_YIELDED = """
SELECT e.task_id, e.place, e.upstream_id FROM json_each(?) w
CROSS JOIN tasks t ON t.current_run_id = w.value AND t.id = (SELECT task_id FROM runs WHERE id = w.value)
CROSS JOIN edges e ON e.task_id = t.id AND e.kind = 1
"""
_CONSUMED = """
SELECT r.task_id, i.source_task_id, i.place, g.uri, k.fingerprint, m.uuid FROM json_each(?) w
CROSS JOIN runs r ON r.id = w.value
CROSS JOIN run_inputs i ON i.run_id = r.id
CROSS JOIN contents k ON k.id = i.content_id
CROSS JOIN targets g ON g.id = k.target_id
LEFT JOIN runs m ON m.id = i.source_run_id
"""
_WITH_OUTPUTS = """
SELECT w.value FROM json_each(?) w
WHERE EXISTS (SELECT 1 FROM task_targets o WHERE o.task_id = w.value)
"""
_CONSUMERS = """
SELECT DISTINCT r.task_id FROM json_each(?) w
CROSS JOIN runs m ON m.task_id = w.value
CROSS JOIN run_outputs o ON o.run_id = m.id
CROSS JOIN run_inputs i ON i.content_id = o.content_id AND i.source_task_id = w.value
CROSS JOIN runs r ON r.id = i.run_id
"""
_REQUIRERS = """
SELECT DISTINCT e.task_id FROM json_each(?) w CROSS JOIN edges e ON e.upstream_id = w.value
"""
_LAST = """
SELECT w.value, r.uuid, r.status, r.started_at, r.duration_s FROM json_each(?) w
CROSS JOIN runs r ON r.id = (SELECT l.id FROM runs l WHERE l.task_id = w.value AND l.started_at <= ?
  ORDER BY l.started_at DESC, l.id DESC LIMIT 1)
"""
_UUIDS = "SELECT r.id, r.uuid FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value"
_OUTDATED = with_standing("""
SELECT DISTINCT i.run_id FROM json_each(?) w
CROSS JOIN run_inputs i ON i.run_id = w.value
CROSS JOIN contents k ON k.id = i.content_id
WHERE coalesce((
  SELECT o.content_id FROM contents x CROSS JOIN run_outputs o ON o.content_id = x.id
  CROSS JOIN runs m ON m.id = o.run_id
  WHERE x.target_id = k.target_id AND m.ended_at <= ?
    AND m.status IN STANDING
  ORDER BY m.ended_at DESC, m.id DESC LIMIT 1), i.content_id) <> i.content_id
""")
_FIRST = with_standing("""
SELECT t.hash, (SELECT min(r.ended_at) FROM runs r WHERE r.task_id = t.id
  AND r.status IN STANDING)
FROM tasks t WHERE t.id = ?
""")


def lineage_then(
    session: Session, root: int, direction: Direction, depth: int | None, when: str
) -> Lineage:
    """Collect what was upstream or downstream of a task at a moment.

    Raises:
        TaskNotFound: no run stood for the task then.
        ValueError: the depth is negative.
    """
    if depth is not None and depth < 0:
        message = f"depth must be 0 or more, not {depth}"
        raise ValueError(message)
    graph = _Then(session, when)
    graph.load([root])
    _check_stood(graph, root)
    reached = {root}
    for each in directions_of(direction):
        reached |= _followed(
            graph, root, graph.upstream if each == "upstream" else graph.downstream, depth
        )
    edges = [edge for edge in graph.edges if edge[0] in reached and edge[2] in reached]
    return put_together(root, direction, _tasks(graph, reached), edges, graph.consumed)


def task_then(session: Session, number: int, when: str) -> Task:
    """Load a task with the runs that it had had by then.

    Raises:
        TaskNotFound: no run stood for it.
    """
    graph = _Then(session, when)
    graph.load([number])
    _check_stood(graph, number)
    return _tasks(graph, {number})[number]


@dataclass
class _Then:
    """The part of the graph that was asked for, as it stood."""

    session: Session
    when: str
    stood: dict[int, int | None] = field(default_factory=dict)
    """The run that stood for a task, by task."""
    edges: set[Edge] = field(default_factory=set)
    consumed: dict[tuple[int, int], list[Consumed]] = field(default_factory=dict)

    def upstream(self, tasks: Collection[int]) -> set[int]:
        """Say what these depended on."""
        self.load(tasks)
        wanted = set(tasks)
        return {edge[2] for edge in self.edges if edge[0] in wanted}

    def downstream(self, tasks: Collection[int]) -> set[int]:
        """Say what depended on these."""
        asked = json.dumps(sorted(tasks))
        rows = [*self.session.rows(_CONSUMERS, (asked,)), *self.session.rows(_REQUIRERS, (asked,))]
        able = {number for (number,) in rows}
        self.load(able)
        wanted = set(tasks)
        return {edge[0] for edge in self.edges if edge[2] in wanted and edge[0] in able}

    def load(self, tasks: Collection[int]) -> None:
        """Look up the edges of tasks that were not met before."""
        new = sorted(set(tasks) - self.stood.keys())
        if not new:
            return
        self.stood.update(self.session.rows(_STOOD, (self.when, json.dumps(new))))
        runs = json.dumps([run for task in new if (run := self.stood[task]) is not None])
        required = _by_task(self.session.rows(_REQUIRED, (json.dumps(new),)))
        yielded = _by_task(self.session.rows(_YIELDED, (runs,)))
        sources: dict[int, list[tuple[str, int | None]]] = {}
        for task, source, place, *what in self.session.rows(_CONSUMED, (runs,)):
            sources.setdefault(task, []).append((place, source))
            if source is not None:
                self.consumed.setdefault((task, source), []).append(
                    (place, what[0], what[1], what[2])
                )
        has_outputs = self._with_outputs(required)
        for task in new:
            consumed = sources.get(task, [])
            asked = yielded.get(task) or _yielded_then(consumed)
            for place, upstream, kind in wanted_edges(
                required.get(task, {}), asked, consumed, has_outputs
            ):
                if kind != REPLACED:
                    self.edges.add((task, place, upstream, KINDS[kind]))

    def _with_outputs(self, required: dict[int, dict[str, int]]) -> Callable[[int], bool]:
        asked = sorted({upstream for places in required.values() for upstream in places.values()})
        rows = self.session.rows(_WITH_OUTPUTS, (json.dumps(asked),))
        return {number for (number,) in rows}.__contains__


def _by_task(rows: Iterable[Row]) -> dict[int, dict[str, int]]:
    found: dict[int, dict[str, int]] = {}
    for task, place, upstream in rows:
        found.setdefault(task, {})[place] = upstream
    return found


def _yielded_then(consumed: Iterable[tuple[str, int | None]]) -> dict[str, int]:
    """Say what an older run yielded: only what it consumed of it is still known."""
    return {
        place: source
        for place, source in consumed
        if source is not None and place.startswith("yielded.")
    }


def _followed(
    graph: _Then, root: int, step: Callable[[Collection[int]], set[int]], depth: int | None
) -> set[int]:
    reached = {root}
    frontier = {root}
    while frontier and depth != 0:
        frontier = step(frontier) - reached
        reached |= frontier
        depth = None if depth is None else depth - 1
    graph.load(reached)
    return reached


def _tasks(graph: _Then, ids: Collection[int]) -> dict[int, Task]:
    """Load tasks with what was recorded of them by then."""
    session, when = graph.session, graph.when
    last = {row[0]: row[1:] for row in session.rows(_LAST, (json.dumps(sorted(ids)), when))}
    runs = json.dumps([run for task in ids if (run := graph.stood[task]) is not None])
    uuids: dict[int, str] = dict(session.rows(_UUIDS, (runs,)))
    outdated = {run for (run,) in session.rows(_OUTDATED, (runs, when))}
    sources = {source for _, source in graph.consumed}
    tasks = {}
    for number, task in tasks_by_id(session, ids).items():
        run = graph.stood[number]
        run_id, status, started_at, duration_s = last.get(number, (None, None, None, None))
        tasks[number] = replace(
            task,
            status="fresh"
            if task.is_external and run is None and number in sources
            else _status(run, run in outdated, status),
            current_run_id=None if run is None else uuids[run],
            last_run_id=run_id,
            last_status=status,
            last_started_at=started_at,
            last_duration_s=duration_s,
            last_reason={},
        )
    return tasks


def _status(run: int | None, is_outdated: bool, last_status: str | None) -> str:
    if run is not None and not is_outdated:
        return "fresh"
    if last_status == "failed":
        return "failed"
    return "unknown" if run is None else "stale"


def _check_stood(graph: _Then, number: int) -> None:
    """Refuse a task that had its first result later; one without any run is as it always was.

    Raises:
        TaskNotFound: no run stood for it then.
    """
    ((task_hash, first),) = graph.session.rows(_FIRST, (number,))
    if graph.stood[number] is None and first is not None:
        message = (
            f"No result of {task_hash[:8]} stood on {graph.when}. Its first one is of {first}."
        )
        raise TaskNotFound(message, ref=task_hash, path=graph.session.path)
