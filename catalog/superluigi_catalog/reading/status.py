"""What the records alone say of a task's state; the meaning of each word is in `results.STATUSES`.

Constant SQL for any number of tasks at once. Only whether a process is still there cannot be asked in SQL:
the runs under dead owners, a handful at most, are looked up before (`dead_runs`) and given as JSON.
"""

from __future__ import annotations

import json
from collections.abc import Collection

from superluigi_catalog.owner import is_alive
from superluigi_catalog.storage.session import Session

__all__ = ["STATUS", "WITH_DEAD", "candidates", "dead_runs"]

WITH_DEAD = "WITH dead(id) AS (SELECT value FROM json_each(?))"
"""Before a statement that has `STATUS` in it; its value is what `dead_runs` returned."""

STATUS = """
CASE
  WHEN l.status = 'running' AND l.id NOT IN dead THEN 'running'
  WHEN EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
    WHERE o.task_id = t.id AND g.state IN ('missing', 'partial'))
    THEN CASE WHEN l.status = 'failed' THEN 'failed' ELSE 'missing' END
  WHEN t.current_run_id IS NULL THEN
    CASE WHEN t.is_external AND EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
      WHERE o.task_id = t.id AND g.state = 'present') THEN 'fresh'
    WHEN l.status = 'failed' THEN 'failed' ELSE 'unknown' END
  WHEN EXISTS (SELECT 1 FROM run_inputs i JOIN contents k ON k.id = i.content_id
    JOIN targets g ON g.id = k.target_id
    WHERE i.run_id = t.current_run_id AND g.state = 'present' AND g.seen_content_id IS NOT i.content_id)
    OR EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
    JOIN runs m ON m.id = g.run_id
    WHERE o.task_id = t.id AND g.run_id <> t.current_run_id AND m.task_id <> t.id)
    THEN CASE WHEN l.status = 'failed' THEN 'failed' ELSE 'stale' END
  WHEN c.status = 'adopted' AND NOT t.is_external THEN
    CASE WHEN l.status = 'failed' THEN 'failed' ELSE 'unknown' END
  ELSE 'fresh'
END
"""
"""Of the task `t` with its last run `l` and its current run `c`.

A run that failed over a result that stands and is right has changed nothing about that result.
"""

_CANDIDATES = {
    "running": "SELECT task_id FROM runs WHERE status = 'running'",
    "failed": "SELECT task_id FROM runs WHERE status IN ('failed', 'interrupted')",
    "missing": """
        SELECT o.task_id FROM targets w CROSS JOIN task_targets o ON o.target_id = w.id
        WHERE w.state IN ('missing', 'partial')
    """,
    "stale": """
        SELECT r.task_id FROM (
          SELECT target_id FROM contents GROUP BY target_id HAVING count(*) > 1 UNION
          SELECT id FROM targets WHERE state = 'present' AND seen_content_id IS NULL) w
        CROSS JOIN targets g ON g.id = w.target_id AND g.state = 'present'
        CROSS JOIN contents k ON k.target_id = g.id AND k.id IS NOT g.seen_content_id
        CROSS JOIN run_inputs i ON i.content_id = k.id CROSS JOIN runs r ON r.id = i.run_id
        CROSS JOIN tasks c ON c.id = r.task_id AND c.current_run_id = r.id
        UNION
        SELECT o.task_id FROM (
          SELECT target_id FROM task_targets GROUP BY target_id HAVING count(*) > 1) w
        CROSS JOIN task_targets o ON o.target_id = w.target_id
    """,
    "unknown": """
        SELECT id FROM tasks WHERE current_run_id IS NULL UNION
        SELECT task_id FROM runs WHERE status = 'adopted'
    """,
}
"""What is true of every task with a status and is found by an index: few tasks of a million."""


def candidates(statuses: Collection[str]) -> str | None:
    """Return SQL for the ids of all tasks that may have one of these statuses; None: any may."""
    if not set(statuses) <= _CANDIDATES.keys():
        return None
    return " UNION ".join(_CANDIDATES[status] for status in sorted(statuses))


def dead_runs(session: Session) -> str:
    """List the runs that are recorded as running by a process that is gone; as JSON."""
    rows = session.rows("SELECT id, owner FROM runs WHERE status = 'running'")
    alive = {owner: not owner or is_alive(owner) for owner in {owner for _, owner in rows}}
    return json.dumps([number for number, owner in rows if not alive[owner]])
