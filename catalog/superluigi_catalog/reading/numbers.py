"""Which run or build an id means, or the beginning of one."""

from __future__ import annotations

from typing import Literal

from superluigi_catalog.errors import AmbiguousHash
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["number_of"]

_MIN_PREFIX = 8
_MAX_LISTED = 10
_WHOLE = {
    "runs": "SELECT id FROM runs WHERE uuid = ? AND status IS NOT NULL",
    "builds": "SELECT id FROM builds WHERE uuid = ?",
}
_BEGINNING = {
    "runs": "SELECT id, uuid FROM runs WHERE uuid >= ? AND uuid < ? AND status IS NOT NULL ORDER BY uuid LIMIT ?",
    "builds": "SELECT id, uuid FROM builds WHERE uuid >= ? AND uuid < ? AND status IS NOT NULL ORDER BY uuid LIMIT ?",
}


def number_of(session: Session, table: Literal["runs", "builds"], uuid: str) -> int | None:
    """Identify a row by its id, or at least eight characters of its beginning; None when there is none.

    Raises:
        AmbiguousHash: several begin so.
    """
    key = storable(uuid)
    found = session.row(_WHOLE[table], (key,))
    if found is not None or len(key) < _MIN_PREFIX:
        return None if found is None else int(found[0])
    rows = session.rows(_BEGINNING[table], (key, key + "\U0010ffff", _MAX_LISTED + 1))
    if len(rows) > 1:
        matches = tuple(row[1] for row in rows[:_MAX_LISTED])
        message = f"{uuid!r} stands for several {table}: {', '.join(matches)}. Give more of one."
        raise AmbiguousHash(message, ref=uuid, matches=matches, path=session.path)
    return rows[0][0] if rows else None
