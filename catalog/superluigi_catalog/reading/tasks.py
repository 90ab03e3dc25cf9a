"""Tasks: one by its reference, many by filters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from superluigi_catalog.reading.status import STATUS, WITH_DEAD, dead_runs
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.results import Task
from superluigi_catalog.storage.bulk import garbage_kept, maker_of
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
        return {row[0]: task for row, task in zip(rows, _tasks(rows), strict=True)}


def tasks_matching(session: Session, wanted: TaskFilter, limit: int | None) -> tuple[Task, ...]:
    """List tasks, those recorded last first."""
    sql = f"{_COLUMNS} FROM tasks t {_JOINS} WHERE {wanted.sql} ORDER BY t.id DESC LIMIT ?"
    values = (dead_runs(session), *wanted.values, -1 if limit is None else limit)
    with garbage_kept():
        return tuple(_tasks(session.rows(sql, values)))


_made = maker_of(Task)


def _tasks(rows: Sequence[Row]) -> list[Task]:
    """Make tasks of rows; one call parses all parameters, and equal reasons are parsed once."""
    params = json.loads(f"[{','.join(row[4] for row in rows)}]")
    reasons: dict[str | None, Any] = {None: {}}
    for text in {row[13] for row in rows} - reasons.keys():
        reasons[text] = from_json(text)
    return [
        _made(
            row[1],
            row[2] or "",
            row[3] or "",
            values,
            row[15],
            bool(row[5]),
            bool(row[6]),
            from_json(row[7]),
            row[8],
            row[9],
            row[10],
            row[11],
            row[12],
            reasons[row[13]],
            row[14],
        )
        for row, values in zip(rows, params, strict=True)
    ]
