"""Runs, newest first."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from superluigi_catalog.owner import is_alive
from superluigi_catalog.reading.numbers import number_of
from superluigi_catalog.reading.order import place_key
from superluigi_catalog.reading.sources import Sources
from superluigi_catalog.reading.status import dead_runs
from superluigi_catalog.records import OutputEntry
from superluigi_catalog.results import Run
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.values import from_json

if TYPE_CHECKING:
    from superluigi_catalog.storage.session import Row, Session

__all__ = ["run_by_uuid", "run_number", "runs_by_id", "runs_matching", "status_now"]

_RUN_COLUMNS = """
SELECT r.id, r.uuid, t.hash, f.name, t.params, r.status, r.started_at, r.ended_at, r.duration_s,
  b.uuid, r.reason, r.reasons, c.fingerprint, r.metadata, r.error_type, r.error, r.traceback,
  r.log, r.owner, r.origin
"""
_RUN_JOINS = """
CROSS JOIN tasks t ON t.id = r.task_id
LEFT JOIN families f ON f.id = t.family_id
LEFT JOIN builds b ON b.id = r.build_id
LEFT JOIN code c ON c.id = r.code_id
"""
_AFTER = "(r.started_at, r.id) < (SELECT started_at, id FROM runs WHERE id = ?)"
_HAS_STATUS = """
CASE WHEN r.status = 'running' AND r.id IN (SELECT value FROM json_each(?)) THEN 'interrupted'
  ELSE r.status END IN (SELECT value FROM json_each(?))
"""
_RARE = frozenset({"running", "failed", "interrupted"})
_IS_RARE = """
r.id IN (SELECT id FROM runs WHERE status IN ('failed', 'interrupted') UNION ALL
  SELECT id FROM runs WHERE status = 'running')
"""
"""What an index finds, a few runs of millions."""
_NEWEST_FIRST = "ORDER BY r.started_at DESC, r.id DESC LIMIT ?"


def runs_matching(
    session: Session,
    *,
    task: int | None = None,
    build: int | None = None,
    statuses: Collection[str] = (),
    since: str | None = None,
    after: int | None = None,
    limit: int | None,
) -> tuple[Run, ...]:
    """List runs: of a task, of a build, with one of some statuses, begun since then; all that is given.

    Args:
        session: With an open snapshot.
        task: Its id.
        build: Its id.
        statuses: Of `RUN_STATUSES`; none: any.
        since: As recorded.
        after: The id of the last run of the page before.
        limit: How many at most; None: all.
    """
    conditions = ["r.status IS NOT NULL"]
    values: list[Any] = []
    for condition, value in (
        ("r.task_id = ?", task),
        ("r.build_id = ?", build),
        ("r.started_at >= ?", since),
        (_AFTER, after),
    ):
        if value is not None:
            conditions.append(condition)
            values.append(value)
    if statuses:
        conditions.append(_HAS_STATUS)
        values += [dead_runs(session), json.dumps(sorted(statuses))]
        if _RARE.issuperset(statuses):
            conditions.append(_IS_RARE)
    where = " AND ".join(conditions)
    sql = f"{_RUN_COLUMNS} FROM runs r {_RUN_JOINS} WHERE {where} {_NEWEST_FIRST}"
    return _loaded(session, session.rows(sql, [*values, -1 if limit is None else limit]))


def run_number(session: Session, uuid: str) -> int | None:
    """Identify a run by its id, or at least eight characters of its beginning; None when there is none.

    Raises:
        AmbiguousHash: several begin so.
    """
    return number_of(session, "runs", uuid)


def runs_by_id(session: Session, ids: Iterable[int], limit: int | None = None) -> tuple[Run, ...]:
    """Load runs, newest first."""
    sql = (
        f"{_RUN_COLUMNS} FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value {_RUN_JOINS}"
        f" WHERE r.status IS NOT NULL {_NEWEST_FIRST}"
    )
    return _loaded(
        session, session.rows(sql, (json.dumps(sorted(ids)), -1 if limit is None else limit))
    )


def run_by_uuid(session: Session, uuid: str) -> Run | None:
    """Load one run with its code and environment, by its id or its beginning; None when there is none.

    Raises:
        AmbiguousHash: several begin so.
    """
    number = run_number(session, uuid)
    if number is None:
        return None
    ((code, environment),) = session.rows(
        """
        SELECT c.content, e.content FROM runs r LEFT JOIN code c ON c.id = r.code_id
        LEFT JOIN environments e ON e.id = r.environment_id WHERE r.id = ?
        """,
        (number,),
    )
    (run,) = runs_by_id(session, [number])
    return replace(run, code=from_json(code) or {}, environment=from_json(environment) or {})


def _loaded(session: Session, rows: list[Row]) -> tuple[Run, ...]:
    with garbage_kept():
        ids = [row[0] for row in rows]
        inputs = Sources().inputs_of(session, ids)
        outputs = _outputs(session, ids)
        return tuple(
            _run(
                row,
                tuple(sorted(inputs.get(row[0], ()), key=lambda each: place_key(each.place))),
                tuple(outputs.get(row[0], ())),
            )
            for row in rows
        )


def _outputs(session: Session, ids: Iterable[int]) -> dict[int, list[OutputEntry]]:
    found: dict[int, list[OutputEntry]] = {}
    for run, *output in session.rows(
        """
        SELECT o.run_id, o.place, g.uri, g.kind, k.fingerprint, k.size_bytes, o.mtime_ns,
          k.file_count, o.etag, o.version_id
        FROM json_each(?) w CROSS JOIN run_outputs o ON o.run_id = w.value
        CROSS JOIN contents k ON k.id = o.content_id CROSS JOIN targets g ON g.id = k.target_id
        """,
        (json.dumps(sorted(ids)),),
    ):
        found.setdefault(run, []).append(OutputEntry(*output))
    return {
        run: sorted(entries, key=lambda entry: place_key(entry.place))
        for run, entries in found.items()
    }


def status_now(recorded: str, owner: str) -> str:
    """What is recorded as running by a process that is gone was interrupted; the next build writes so."""
    return "interrupted" if recorded == "running" and owner and not is_alive(owner) else recorded


def _run(row: Row, inputs: tuple[Any, ...], outputs: tuple[OutputEntry, ...]) -> Run:
    reason = from_json(row[10]) or {}
    reasons = from_json(row[11])
    if reasons is None:
        reasons = [reason] if reason else []
    return Run(
        run_id=row[1],
        task_hash=row[2],
        family=row[3] or "",
        params=from_json(row[4]),
        status=status_now(row[5], row[18]),
        started_at=row[6],
        ended_at=row[7],
        duration_s=row[8],
        build_id=row[9],
        reason=reason,
        reasons=tuple(reasons),
        inputs=inputs,
        outputs=outputs,
        code_fingerprint=row[12],
        metadata=from_json(row[13]) or {},
        error_type=row[14],
        error=row[15],
        traceback=row[16],
        log=row[17],
        owner=row[18],
        origin=row[19],
    )
