"""Looks at targets: the stat cache, and what stands where."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Sequence
from typing import Any

from superluigi_catalog.recording.identify import target_ids
from superluigi_catalog.records import Observed
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import optional, storable

__all__ = ["observe"]


def observe(session: Session, observations: Iterable[Observed]) -> None:
    """Record what looks at targets showed; a look that is older than the last one is ignored.

    A content stays known as long as the token does; a new token without a fingerprint means that
    nobody knows what stands there now. A look that failed says nothing about the content, and of what is
    gone the content that was last seen stays known: it is what its readers are compared with.
    """
    seen = {observed.uri: observed for observed in observations}
    if not seen:
        return
    now = time.time_ns()
    ids = target_ids(session, {uri: observed.kind for uri, observed in seen.items()})
    contents = _content_ids(session, list(seen.values()), ids)
    session.executemany(
        """
        UPDATE targets SET kind = ?, state = ?, token = ?,
          seen_content_id = coalesce(?, CASE WHEN token IS ? OR ? THEN seen_content_id END),
          size_bytes = ?, mtime_ns = ?, etag = ?, version_id = ?, observed_ns = ?, error = ?
        WHERE id = ? AND observed_ns <= ?
        """,
        [
            _look(observed, contents.get(uri), ids[uri], observed.observed_ns or now)
            for uri, observed in seen.items()
            if observed.state != "error"
        ],
    )
    session.executemany(
        "UPDATE targets SET state = 'error', error = ?, observed_ns = ? WHERE id = ? AND observed_ns <= ?",
        [
            (
                optional(observed.error),
                observed.observed_ns or now,
                ids[uri],
                observed.observed_ns or now,
            )
            for uri, observed in seen.items()
            if observed.state == "error"
        ],
    )


def _look(observed: Observed, content: int | None, target: int, when: int) -> tuple[Any, ...]:
    token = optional(observed.token)
    return (
        storable(observed.kind),
        observed.state,
        token,
        content,
        token,
        observed.state == "missing",
        observed.size_bytes,
        observed.mtime_ns,
        optional(observed.etag),
        optional(observed.version_id),
        when,
        optional(observed.error),
        target,
        when,
    )


def _content_ids(
    session: Session, observations: Sequence[Observed], ids: dict[str, int]
) -> dict[str, int]:
    """Identify the contents that were read, by uri."""
    read = {ids[seen.uri]: seen for seen in observations if seen.fingerprint}
    found = _find_contents(session, read)
    missing = [(target, seen) for target, seen in read.items() if target not in found]
    if missing:
        session.executemany(
            "INSERT INTO contents(target_id, fingerprint, size_bytes, file_count) VALUES (?, ?, ?, ?)",
            [
                (target, storable(seen.fingerprint or ""), seen.size_bytes, seen.file_count)
                for target, seen in missing
            ],
        )
        found |= _find_contents(session, dict(missing))
    return {seen.uri: found[target] for target, seen in read.items()}


def _find_contents(session: Session, read: dict[int, Observed]) -> dict[int, int]:
    """Look up the contents that are known, by target."""
    wanted = {str(target): storable(seen.fingerprint or "") for target, seen in read.items()}
    if not wanted:
        return {}
    rows = session.rows(
        """
        SELECT k.target_id, k.id FROM json_each(?) w
        CROSS JOIN contents k ON k.fingerprint = w.value AND k.target_id = CAST(w.key AS INTEGER)
        """,
        (json.dumps(wanted),),
    )
    return dict(rows)
