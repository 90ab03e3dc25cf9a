"""Builds: their beginning and their end."""

from __future__ import annotations

from collections.abc import Mapping

from superluigi_catalog.recording.identify import build_id
from superluigi_catalog.records import BuildEntry
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import optional, storable, to_json

__all__ = ["end_build", "start_build"]


def start_build(session: Session, entry: BuildEntry) -> None:
    """Record that a build began; until it ends, what is told again stands in its place."""
    number = build_id(session, entry.build_id)
    session.execute(
        """
        UPDATE builds SET status = 'running', started_at = ?, roots = ?, host = ?, user = ?, cwd = ?,
          argv = ?, arguments = ?, versions = ?, directory = ?, owner = ?
        WHERE id = ? AND coalesce(status, 'running') = 'running'
        """,
        (
            entry.started_at,
            to_json(list(entry.roots)),
            storable(entry.host),
            storable(entry.user),
            storable(entry.cwd),
            to_json(list(entry.argv)),
            to_json(dict(entry.arguments)),
            to_json(dict(entry.versions)),
            storable(entry.directory),
            storable(entry.owner),
            number,
        ),
    )


def end_build(
    session: Session,
    uuid: str,
    *,
    status: str,
    ended_at: str,
    counts: Mapping[str, int],
    error: str | None,
) -> None:
    """Record how a build ended; the last word stands."""
    session.execute(
        "UPDATE builds SET status = ?, ended_at = ?, counts = ?, error = ? WHERE id = ?",
        (
            status,
            ended_at,
            to_json(dict(counts)),
            optional(error),
            build_id(session, uuid),
        ),
    )
