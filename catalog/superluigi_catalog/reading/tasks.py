"""Tasks: one by its reference, many by filters."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

from superluigi_catalog.reading.status import STATUS, STATUS_FILTERS
from superluigi_catalog.recording.tasks import MAX_INDEXED_VALUE
from superluigi_catalog.results import STATUSES, Task
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import from_json, storable

__all__ = ["TaskFilter", "tasks_by_id", "tasks_matching"]

_COLUMNS = f"""
SELECT t.id, t.hash, f.name, m.name, t.params, t.is_external, t.is_stub, t.insignificant_params,
  t.luigi_task_id, l.uuid, l.status, l.started_at, l.duration_s, l.reason, c.uuid, {STATUS}
"""
_JOINS = """
LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN modules m ON m.id = t.module_id
LEFT JOIN runs l ON l.id = t.last_run_id
LEFT JOIN runs c ON c.id = t.current_run_id
"""

_HASH_PREFIX = re.compile(r"[0-9a-f]{4,32}")
_WORD = re.compile(r"\w+")


def tasks_by_id(session: Session, ids: Iterable[int]) -> dict[int, Task]:
    """Load tasks."""
    sql = f"{_COLUMNS} FROM json_each(?) w CROSS JOIN tasks t ON t.id = w.value {_JOINS}"
    with garbage_kept():
        rows = session.rows(sql, (json.dumps(sorted(ids)),))
        return {row[0]: _task(row) for row in rows}


class TaskFilter:
    """Conditions on tasks, all of which must hold: constant SQL, with the values apart."""

    def __init__(self) -> None:
        self._conditions = ["NOT t.is_stub"]
        self._values: list[Any] = []

    def family(self, name: str) -> None:
        """Of this family."""
        self._add("t.family_id IN (SELECT id FROM families WHERE name = ?)", storable(name))

    def params(self, params: Mapping[str, Any]) -> None:
        """With these values of parameters, compared as text."""
        for name, value in params.items():
            text = str(value)
            self._add(
                """
                t.id IN (SELECT p.task_id FROM task_params p JOIN param_names n ON n.id = p.param_id
                  WHERE n.name = ? AND p.value = ?)
                """,
                storable(name),
                storable(text[:MAX_INDEXED_VALUE]),
            )
            if len(text) > MAX_INDEXED_VALUE:
                self._add(
                    "EXISTS (SELECT 1 FROM json_each(t.params) j WHERE j.key = ? AND j.value = ?)",
                    name,
                    text,
                )

    def status(self, status: str | Collection[str]) -> None:
        """With one of these statuses.

        Raises:
            ValueError: there is no such status.
        """
        wanted = {status} if isinstance(status, str) else set(status)
        unknown = sorted(wanted.difference(STATUSES))
        if unknown:
            message = f"{unknown[0]!r} is no status. Choose from {', '.join(STATUSES)}."
            raise ValueError(message)
        if len(wanted) == 1:
            self._conditions += filter(None, [STATUS_FILTERS.get(*wanted)])
        is_wanted = " ".join((STATUS, "IN (SELECT value FROM json_each(?))"))
        self._add(is_wanted, json.dumps(sorted(wanted)))

    def search(self, text: str) -> None:
        """With words that begin with all of these; or with this beginning of a hash."""
        words = _WORD.findall(text)
        if not words:
            return
        # Quoted, every word is only a word: AND, NEAR and * mean nothing.
        match = " ".join(f'"{word}"*' for word in words)
        found = "t.id IN (SELECT rowid FROM tasks_fts WHERE tasks_fts MATCH ?)"
        prefix = text.strip().lower()
        if _HASH_PREFIX.fullmatch(prefix):
            self._add(f"({found} OR (t.hash >= ? AND t.hash < ?))", match, prefix, f"{prefix}g")
        else:
            self._add(found, storable(match))

    def since(self, when: datetime | str) -> None:
        """Whose last run began at this time or later."""
        self._add(
            "t.last_run_id IN (SELECT id FROM runs WHERE started_at >= ?)", storable(_utc(when))
        )

    def after(self, task: int) -> None:
        """Further down the list than this one."""
        self._add("t.id < ?", task)

    def sql(self, limit: int | None) -> tuple[str, list[Any]]:
        """The query and its values."""
        where = " AND ".join(self._conditions)
        sql = f"{_COLUMNS} FROM tasks t {_JOINS} WHERE {where} ORDER BY t.id DESC LIMIT ?"
        return sql, [*self._values, -1 if limit is None else limit]

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values += values


def tasks_matching(session: Session, wanted: TaskFilter, limit: int | None) -> tuple[Task, ...]:
    """List tasks, those recorded last first."""
    with garbage_kept():
        return tuple(_task(row) for row in session.rows(*wanted.sql(limit)))


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


def _utc(when: datetime | str) -> str:
    if isinstance(when, str):
        return when
    return when.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
