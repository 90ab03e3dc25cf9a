"""Figures about the newest runs: as many as can be looked at while somebody waits."""

from __future__ import annotations

import heapq
import json
from collections.abc import Callable, Iterable
from typing import NamedTuple

from superluigi_catalog.reading.runs import runs_by_id
from superluigi_catalog.reading.tasks import tasks_by_id
from superluigi_catalog.results import Task
from superluigi_catalog.stats import FamilyStats, Stats, TargetStats, TaskStats
from superluigi_catalog.storage.session import Session

__all__ = ["stats_since"]

_WINDOW = """
WITH newest AS MATERIALIZED (
  SELECT id, task_id, status, started_at, coalesce(duration_s, 0) AS took FROM runs
  WHERE started_at >= ? AND status IN ('succeeded', 'failed', 'interrupted', 'running')
  ORDER BY started_at DESC LIMIT ?)
"""
_STATUSES = """
SELECT status, count(*), sum(took), min(started_at) FROM newest GROUP BY status ORDER BY 2 DESC
"""
_TASKS = """
SELECT n.task_id, t.family_id, count(*), sum(n.status = 'failed'), sum(n.took), max(n.took),
  sum(CASE WHEN n.status = 'succeeded' THEN n.took ELSE 0 END), sum(n.status = 'succeeded'), max(n.id)
FROM newest n CROSS JOIN tasks t ON t.id = n.task_id GROUP BY n.task_id
"""
_BIGGEST = """
SELECT g.uri, max(k.size_bytes), k.file_count, t.hash, coalesce(f.name, '') FROM newest n
CROSS JOIN run_outputs o ON o.run_id = n.id CROSS JOIN contents k ON k.id = o.content_id
CROSS JOIN targets g ON g.id = k.target_id CROSS JOIN tasks t ON t.id = n.task_id
LEFT JOIN families f ON f.id = t.family_id
WHERE k.size_bytes > 0 GROUP BY g.id ORDER BY 2 DESC, g.uri LIMIT ?
"""


class _Counted(NamedTuple):
    task: int
    family: int | None
    runs: int
    failed: int
    total_s: float
    longest_s: float
    good_s: float
    good: int
    last_run: int


def stats_since(session: Session, *, since: str, window: int, limit: int) -> Stats:
    """Count the newest runs.

    Args:
        session: With an open snapshot.
        since: Not older than this.
        window: How many runs at most.
        limit: Rows of each list.
    """
    chosen = (since, window)
    statuses = session.rows(" ".join((_WINDOW, _STATUSES)), chosen)
    counted = [_Counted(*row) for row in session.rows(" ".join((_WINDOW, _TASKS)), chosen)]
    often = [each for each in counted if each.runs > 1]
    slowest = heapq.nlargest(limit, counted, key=lambda each: (each.longest_s, each.task))
    most_run = heapq.nlargest(limit, often, key=lambda each: (each.runs, each.task))
    biggest = session.rows(" ".join((_WINDOW, _BIGGEST)), (*chosen, limit))
    failing = _failing(session, counted, limit)
    told = _tasks(session, {each.task: each for each in (*slowest, *most_run, *failing)}.values())
    return Stats(
        runs=sum(row[1] for row in statuses),
        since=min((row[3] for row in statuses), default=None),
        total_s=sum(row[2] for row in statuses),
        statuses={row[0]: row[1] for row in statuses},
        families=_families(session, counted, limit),
        slowest=tuple(map(told, slowest)),
        most_run=tuple(map(told, most_run)),
        failing=tuple(map(told, failing)),
        biggest=tuple(TargetStats(*row) for row in biggest),
    )


def _failing(session: Session, counted: Iterable[_Counted], limit: int) -> list[_Counted]:
    failed = {each.last_run: each for each in counted if each.failed}
    rows = session.rows(
        """
        SELECT r.id FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value WHERE r.status = 'failed'
        """,
        (json.dumps(sorted(failed)),),
    )
    still = [failed[run] for (run,) in rows]
    return heapq.nlargest(limit, still, key=lambda each: (each.failed, each.last_run))


def _families(session: Session, counted: Iterable[_Counted], limit: int) -> tuple[FamilyStats, ...]:
    names: dict[int | None, str] = dict(session.rows("SELECT id, name FROM families"))
    sums: dict[str, list[float]] = {}
    for each in counted:
        found = sums.setdefault(names.get(each.family, ""), [0, 0, 0.0, 0.0, 0])
        for place, value in enumerate(
            (each.runs, each.failed, each.total_s, each.good_s, each.good)
        ):
            found[place] += value
    families = [
        FamilyStats(name, int(runs), int(failed), total_s, good_s / good if good else 0.0)
        for name, (runs, failed, total_s, good_s, good) in sums.items()
    ]
    return tuple(heapq.nlargest(limit, families, key=lambda each: (each.total_s, each.family)))


def _tasks(session: Session, counted: Iterable[_Counted]) -> Callable[[_Counted], TaskStats]:
    """Load what is told of tasks and of their newest runs, all at once."""
    rows = list(counted)
    tasks = tasks_by_id(session, [each.task for each in rows])
    runs = {run.task_hash: run for run in runs_by_id(session, [each.last_run for each in rows])}

    def told(each: _Counted) -> TaskStats:
        task: Task = tasks[each.task]
        run = runs[task.task_hash]
        error = f"{run.error_type}: {run.error}" if run.error_type else run.error
        return TaskStats(
            task.task_hash,
            task.family,
            task.params,
            each.runs,
            each.failed,
            each.total_s,
            each.longest_s,
            run.status,
            error,
        )

    return told
