"""Tasks: one by its reference, many by filters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from superluigi_catalog.reading.status import STATUS, WITH_DEAD, dead_runs
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.results import Task
from superluigi_catalog.storage.bulk import garbage_kept, maker_of
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import from_json

__all__ = ["family_names", "tasks_by_id", "tasks_matching"]

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


def family_names(session: Session) -> dict[int | None, str]:
    """Look up the names of all families, by id."""
    return {None: "", **dict(session.rows("SELECT id, name FROM families"))}


def tasks_matching(session: Session, wanted: TaskFilter, limit: int | None) -> tuple[Task, ...]:
    """List tasks, those recorded last first."""
    dead = dead_runs(session)
    many = -1 if limit is None else limit
    found: list[Row] = []
    with garbage_kept():
        for source, condition, number, value in _sources(wanted):
            where = f"{condition} AND {number} < ? AND {wanted.sql}"
            sql = f"{_COLUMNS} {source} {_JOINS} WHERE {where} ORDER BY {number} DESC LIMIT ?"
            found += session.rows(sql, (dead, *value, wanted.last, *wanted.values, many))
        rows = {row[0]: row for row in sorted(found, key=lambda row: row[0], reverse=True)}
        return tuple(_tasks(list(rows.values())[:limit]))


_Source = tuple[str, str, str]
"""Tables, condition, and the number by which they are read in the order of the list."""

_ALL: _Source = ("FROM tasks t", "true", "t.id")
_BY_HASH: _Source = ("FROM tasks t", "t.hash >= ? AND t.hash < ?", "t.id")
_BY_WORDS: _Source = (
    "FROM tasks_fts s CROSS JOIN tasks t ON t.id = s.rowid",
    "s.tasks_fts MATCH ?",
    "s.rowid",
)


def _sources(wanted: TaskFilter) -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Say from where tasks are taken.

    What the search finds comes from its index in the order of the list, so that a page ends early; a million
    hits are not collected first.
    """
    if wanted.match is None:
        yield (*_ALL, ())
        return
    yield (*_BY_WORDS, (wanted.match,))
    if wanted.hash_prefix is not None:
        yield (*_BY_HASH, (wanted.hash_prefix, f"{wanted.hash_prefix}g"))


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
