"""Builds, newest first, with what became of their tasks."""

from __future__ import annotations

import json
from collections.abc import Iterable

from superluigi_catalog.reading.numbers import number_of
from superluigi_catalog.reading.runs import status_now
from superluigi_catalog.results import Build
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import from_json

__all__ = ["build_number", "builds_by_id", "builds_matching"]

_BUILDS = """
SELECT b.id, b.uuid, b.status, b.started_at, b.ended_at, b.roots, b.host, b.user, b.cwd, b.argv,
  b.arguments, b.versions, b.directory, b.owner, b.counts, b.error
"""
_PAGE = """
FROM builds b WHERE b.status IS NOT NULL AND b.started_at >= ?
  AND (? IS NULL OR (b.started_at, b.id) < (SELECT started_at, id FROM builds WHERE id = ?))
"""
_NEWEST_FIRST = "ORDER BY b.started_at DESC, b.id DESC LIMIT ?"
_ORDER = ("ran", "unchanged", "shared", "adopted", "failed", "interrupted", "running")
"""As the counts of a build have it; a run that succeeded is one that ran."""


def builds_matching(
    session: Session, *, since: str | None = None, after: int | None = None, limit: int | None
) -> tuple[Build, ...]:
    """List builds: begun since then, and further down than the build with the id `after`."""
    sql = " ".join((_BUILDS, _PAGE, _NEWEST_FIRST))
    values = (since or "", after, after, -1 if limit is None else limit)
    return _loaded(session, session.rows(sql, values))


def builds_by_id(session: Session, ids: Iterable[int]) -> tuple[Build, ...]:
    """Load builds, newest first."""
    sql = f"{_BUILDS} FROM json_each(?) w CROSS JOIN builds b ON b.id = w.value {_NEWEST_FIRST}"
    return _loaded(session, session.rows(sql, (json.dumps(sorted(ids)), -1)))


def build_number(session: Session, uuid: str) -> int | None:
    """Identify a build by its id, or at least eight characters of its beginning; None when there is none.

    Raises:
        AmbiguousHash: several begin so.
    """
    return number_of(session, "builds", uuid)


def _loaded(session: Session, rows: list[Row]) -> tuple[Build, ...]:
    told = [_build(row) for row in rows]
    # One that did not come to its end has counted nothing.
    silent = [row[0] for row, build in zip(rows, told, strict=True) if not build.counts]
    counts = _counts_of_runs(session, silent)
    return tuple(
        build if build.counts else _build(row, counts.get(row[0], {}))
        for row, build in zip(rows, told, strict=True)
    )


def _counts_of_runs(session: Session, ids: list[int]) -> dict[int, dict[str, int]]:
    """Count the runs of builds by what became of them."""
    counts: dict[int, dict[str, int]] = {}
    for build, recorded, owner, found in session.rows(
        """
        SELECT r.build_id, r.status, r.owner, count(*) FROM json_each(?) w
        CROSS JOIN runs r ON r.build_id = w.value WHERE r.status IS NOT NULL GROUP BY 1, 2, 3
        """,
        (json.dumps(ids),),
    ):
        status = status_now(recorded, owner)
        word = "ran" if status == "succeeded" else status
        of_build = counts.setdefault(build, {})
        of_build[word] = of_build.get(word, 0) + found
    return {
        build: {word: found[word] for word in _ORDER if word in found}
        for build, found in counts.items()
    }


def _build(row: Row, counts: dict[str, int] | None = None) -> Build:
    return Build(
        build_id=row[1],
        status=status_now(row[2], row[13]),
        started_at=row[3],
        ended_at=row[4],
        roots=tuple(from_json(row[5])),
        host=row[6],
        user=row[7],
        cwd=row[8],
        argv=tuple(from_json(row[9])),
        arguments=from_json(row[10]),
        versions=from_json(row[11]),
        directory=row[12],
        owner=row[13],
        counts=from_json(row[14]) if counts is None else counts,
        error=row[15],
    )
