"""A list of tasks of any length: their ids first, piece by piece, and the tasks of a part when it is looked at.

Every piece is a short look of its own: one that stayed open for the whole list would keep the log of
a busy catalog from being emptied.
"""

from __future__ import annotations

import json
import re
from array import array
from collections.abc import Iterable
from typing import Any

from superluigi_catalog.reading.status import STATUS, WITH_DEAD, dead_runs
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.reading.words import match_of
from superluigi_catalog.storage.session import Session

__all__ = ["ORDERS", "ListingQuery", "count_newer", "next_ids", "sorted_ids"]

ORDERS = {
    "family": "f.name, t.id DESC",
    "status": f"{STATUS}, t.id DESC",
    "age": "l.started_at IS NULL, l.started_at DESC, t.id DESC",
    "duration": "l.duration_s IS NULL, l.duration_s DESC, t.id DESC",
}
"""By what a list can be sorted, besides the order in which tasks were recorded."""

_JOINS = """
LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN runs l ON l.id = t.last_run_id
LEFT JOIN runs c ON c.id = t.current_run_id
"""
_HASH_PREFIX = re.compile(r"[0-9a-f]{4,32}")
_MAX_BY_HASH = 100
_MAX_NEWER = 1_000
_BEYOND = 1 << 62


class ListingQuery:
    """What a list holds: words to search for, and conditions."""

    def __init__(self, wanted: TaskFilter, search: str) -> None:
        self.conditions = wanted.sql
        self.values = tuple(wanted.values)
        self.text = search.strip()

    def sql(self, session: Session, bound: str, limit: int) -> tuple[str, list[Any]]:
        """The query for ids, the newest first.

        Args:
            session: With an open snapshot.
            bound: A condition on the id, with one placeholder, whose value comes first.
        """
        match = match_of(session, self.text)
        if match is not None:
            source = "tasks_fts s CROSS JOIN tasks t ON t.id = s.rowid"
            conditions = [f"s.rowid {bound} ?", "s.words MATCH ?", self.conditions]
            values = [match, *self.values]
            order = "s.rowid"
        else:
            source, order = "tasks t", "t.id"
            conditions = [f"t.id {bound} ?", self.conditions]
            values = list(self.values)
        return _select(source, conditions, f"ORDER BY {order} DESC LIMIT {limit:d}"), values


def next_ids(session: Session, query: ListingQuery, known: array[int], count: int) -> array[int]:
    """Find the ids that come after those that are known.

    Returns:
        As many as there are, up to `count`; the first piece may have some more, which the beginning of a
        hash found.
    """
    last = known[-1] if known else _BEYOND
    by_hash = _by_hash(session, query) if not known else []
    sql, values = query.sql(session, "<", count)
    found = _ids(session, sql, [last, *values])
    return array("q", [*(number for number in by_hash if number not in found), *found])


def count_newer(session: Session, query: ListingQuery, known: array[int]) -> int:
    """Count what would stand above the list by now, up to a thousand."""
    newest = max(known[:_MAX_BY_HASH], default=0)
    sql, values = query.sql(session, ">", _MAX_NEWER)
    return len(_ids(session, sql, [newest, *values]))


def sorted_ids(session: Session, ids: Iterable[int], order: str, *, reverse: bool) -> array[int]:
    """Sort a list by what the tasks of it hold.

    Args:
        order: A key of `ORDERS`.
        reverse: The other way round, as a whole.
    """
    source = "json_each(?) w CROSS JOIN tasks t ON t.id = w.value"
    sql = _select(source, ["NOT t.is_stub"], f"ORDER BY {ORDERS[order]}")
    found = _ids(session, sql, [json.dumps(list(ids))])
    return array("q", reversed(found) if reverse else found)


def _by_hash(session: Session, query: ListingQuery) -> list[int]:
    """Find tasks whose hash begins with what is searched for; nobody mixes this with words."""
    prefix = query.text.lower()
    if not _HASH_PREFIX.fullmatch(prefix):
        return []
    conditions = ["t.hash >= ?", "t.hash < ?", query.conditions]
    sql = _select("tasks t", conditions, f"ORDER BY t.hash LIMIT {_MAX_BY_HASH:d}")
    return _ids(session, sql, [prefix, f"{prefix}g", *query.values])


def _select(source: str, conditions: Iterable[str], ending: str) -> str:
    """Put a query for ids together, of constant parts."""
    return " ".join(
        (WITH_DEAD, "SELECT t.id FROM", source, _JOINS, "WHERE", " AND ".join(conditions), ending)
    )


def _ids(session: Session, sql: str, values: list[Any]) -> list[int]:
    return [number for (number,) in session.rows(sql, [dead_runs(session), *values])]
