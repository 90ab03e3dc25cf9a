"""Tasks: one by its reference, many by filters."""

from __future__ import annotations

import json
from collections.abc import Iterable

from superluigi_catalog.reading.status import STATUS, WITH_DEAD, dead_runs
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.results import Task
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import from_json

__all__ = ["tasks_by_id", "tasks_matching"]

_COLUMNS = f"""
{WITH_DEAD}
SELECT t.id, t.hash, f.name, m.name, t.params, t.is_external, t.is_stub, t.insignificant_params,
  t.luigi_task_id, l.uuid, l.status, l.started_at, l.duration_s, l.reason, c.uuid, {STATUS}
"""
_JOINS = """
LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN modules m ON m.id = t.module_id
LEFT JOIN runs l ON l.id = t.last_run_id
LEFT JOIN runs c ON c.id = t.current_run_id
"""


def tasks_by_id(session: Session, ids: Iterable[int]) -> dict[int, Task]:
    """Load tasks."""
    sql = f"{_COLUMNS} FROM json_each(?) w CROSS JOIN tasks t ON t.id = w.value {_JOINS}"
    with garbage_kept():
        rows = session.rows(sql, (dead_runs(session), json.dumps(sorted(ids))))
        return {row[0]: _task(row) for row in rows}


def tasks_matching(session: Session, wanted: TaskFilter, limit: int | None) -> tuple[Task, ...]:
    """List tasks, those recorded last first."""
    sql = f"{_COLUMNS} FROM tasks t {_JOINS} WHERE {wanted.sql} ORDER BY t.id DESC LIMIT ?"
    values = (dead_runs(session), *wanted.values, -1 if limit is None else limit)
    with garbage_kept():
        return tuple(_task(row) for row in session.rows(sql, values))


def _task(row: Row) -> Task:
    return Task(
        task_hash=row[1],
        family=row[2] or "",
        module=row[3] or "",
        params=from_json(row[4]),
        status=row[15],
        is_external=bool(row[5]),
        is_stub=bool(row[6]),
        insignificant_params=from_json(row[7]),
        luigi_task_id=row[8],
        last_run_id=row[9],
        last_status=row[10],
        last_started_at=row[11],
        last_duration_s=row[12],
        last_reason=from_json(row[13]) or {},
        current_run_id=row[14],
    )
