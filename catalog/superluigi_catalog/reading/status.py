"""What the records alone say of a task's state; the meaning of each word is in `results.STATUSES`."""

from __future__ import annotations

__all__ = ["STATUS", "STATUS_FILTERS"]

_STANDING = """
CASE
  WHEN EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
    WHERE o.task_id = t.id AND g.state IN ('missing', 'partial')) THEN 'missing'
  WHEN t.current_run_id IS NULL THEN
    CASE WHEN t.is_external AND EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
      WHERE o.task_id = t.id AND g.state = 'present') THEN 'fresh' ELSE 'unknown' END
  WHEN EXISTS (SELECT 1 FROM run_inputs i JOIN contents k ON k.id = i.content_id
    JOIN targets g ON g.id = k.target_id
    WHERE i.run_id = t.current_run_id AND g.state = 'present' AND g.seen_content_id IS NOT i.content_id)
    THEN 'stale'
  WHEN EXISTS (SELECT 1 FROM task_targets o JOIN targets g ON g.id = o.target_id
    JOIN runs m ON m.id = g.run_id WHERE o.task_id = t.id AND m.task_id <> t.id) THEN 'stale'
  WHEN c.status = 'adopted' AND NOT t.is_external THEN 'unknown'
  ELSE 'fresh'
END
"""

# A run that failed over a result that stands and is right has changed nothing about that result.
STATUS = f"""
CASE
  WHEN l.status = 'running' THEN 'running'
  WHEN l.status IN ('failed', 'interrupted') AND ({_STANDING}) <> 'fresh' THEN 'failed'
  ELSE {_STANDING}
END
"""
"""Of the task `t` with its last run `l` and its current run `c`."""

STATUS_FILTERS = {
    "running": "t.id IN (SELECT task_id FROM runs WHERE status = 'running')",
    "failed": "t.id IN (SELECT task_id FROM runs WHERE status IN ('failed', 'interrupted'))",
}
"""What is true of every task with a status and can be found by an index: few tasks of a million."""
