"""What a place has held: every content, who put it there, who consumed it."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timezone

from superluigi_catalog.moments import utc_moment
from superluigi_catalog.reading.refs import References
from superluigi_catalog.reading.runs import runs_by_id
from superluigi_catalog.results import Consumption, Revision, Run
from superluigi_catalog.storage.session import Row, Session

__all__ = ["history_of"]

_CONTENTS = """
SELECT k.id, g.uri, k.fingerprint, k.size_bytes, g.run_id = r.id AND g.run_content_id = k.id,
  g.seen_content_id = k.id AND g.state = 'present', r.id, r.uuid, g.observed_ns
FROM targets g CROSS JOIN contents k ON k.target_id = g.id
LEFT JOIN run_outputs o ON o.content_id = k.id LEFT JOIN runs r ON r.id = o.run_id
WHERE g.id = ?
"""
_CONSUMED = """
SELECT i.content_id, r.uuid, t.hash, coalesce(f.name, ''), coalesce(r.started_at, ''), i.place
FROM contents k CROSS JOIN run_inputs i ON i.content_id = k.id CROSS JOIN runs r ON r.id = i.run_id
CROSS JOIN tasks t ON t.id = r.task_id LEFT JOIN families f ON f.id = t.family_id
WHERE k.target_id = ? ORDER BY r.started_at DESC, r.id DESC
"""


def history_of(
    refs: References, path: str | os.PathLike[str], *, until: str | None = None
) -> tuple[Revision, ...]:
    """List the contents that a target has held, newest first; those known by then."""
    session = refs.session
    number = refs.target(path)
    if number is None:
        refs.not_found(path)
    rows = session.rows(_CONTENTS, (number,))
    runs = {run.run_id: run for run in runs_by_id(session, [row[6] for row in rows if row[6]])}
    readers = _consumptions(session, number)
    revisions = [
        _revision(row, runs.get(row[7]), tuple(readers.get(row[0], ()))) for row in reversed(rows)
    ]
    if until is not None:
        revisions = [_until(each, until) for each in revisions if (each.at or "") <= until]
    revisions.sort(key=lambda revision: revision.at or "", reverse=True)
    if until is not None and revisions:
        # What was written last, no look at that time being on record.
        revisions[0] = replace(revisions[0], is_current=revisions[0].run is not None, is_seen=True)
    return tuple(revisions)


def _until(revision: Revision, until: str) -> Revision:
    readers = tuple(each for each in revision.read_by if each.started_at <= until)
    return replace(revision, read_by=readers, is_current=False, is_seen=False)


def _consumptions(session: Session, target: int) -> dict[int, list[Consumption]]:
    found: dict[int, list[Consumption]] = {}
    for content, *consumption in session.rows(_CONSUMED, (target,)):
        found.setdefault(content, []).append(Consumption(*consumption))
    return found


def _revision(row: Row, run: Run | None, read_by: tuple[Consumption, ...]) -> Revision:
    return Revision(
        uri=row[1],
        fingerprint=row[2],
        size_bytes=row[3],
        run=run,
        is_current=bool(row[4]),
        is_seen=bool(row[5]),
        at=run.ended_at if run is not None else _first_known(row, read_by),
        read_by=read_by,
    )


def _first_known(row: Row, read_by: tuple[Consumption, ...]) -> str | None:
    """Say since when a content is known that no run made."""
    if read_by:
        return read_by[-1].started_at
    if not row[5] or not row[8]:
        return None
    return utc_moment(datetime.fromtimestamp(row[8] / 1e9, timezone.utc))
