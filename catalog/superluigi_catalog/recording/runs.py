"""Runs: their start, their end, what they consumed and made, and the pointers to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from superluigi_catalog.recording.code import code_id, environment_id
from superluigi_catalog.recording.contents import point_target, write_inputs, write_outputs
from superluigi_catalog.recording.edges import settle_edges
from superluigi_catalog.recording.identify import (
    build_id,
    run_id,
    task_id,
)
from superluigi_catalog.recording.known import GOOD_STATUSES, KnownRun, known_run
from superluigi_catalog.recording.leases import give_back
from superluigi_catalog.records import JsonObject, RunEntry
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import optional, storable, to_json

__all__ = [
    "finish_run",
    "run_values",
    "settle_run_edges",
    "start_run",
    "typical_after",
    "write_run",
]

_WEIGHT_OF_NEWEST = 0.3
"""In a family's typical duration: the last five runs make 83 % of it."""


def start_run(
    session: Session,
    uuid: str,
    task_hash: str,
    *,
    build: str | None,
    reason: JsonObject,
    reasons: Sequence[JsonObject],
    started_at: str,
    owner: str,
    log: str,
) -> None:
    """Record that a run began; one that has ended stays ended."""
    task = task_id(session, task_hash)
    begun = session.rows(
        """
        INSERT INTO runs(status, uuid, task_id, build_id, reason, reasons, started_at, owner, log)
        VALUES ('running', ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(uuid) DO UPDATE SET status = 'running', task_id = excluded.task_id,
          build_id = excluded.build_id, reason = excluded.reason, reasons = excluded.reasons,
          started_at = excluded.started_at, owner = excluded.owner, log = excluded.log
        WHERE status IS NULL
        RETURNING id
        """,
        (
            storable(uuid),
            task,
            None if build is None else build_id(session, build),
            _reason(reason),
            _reasons(reason, reasons),
            started_at,
            storable(owner),
            storable(log),
        ),
    )
    if begun:
        session.ids.runs[uuid] = session.ids.begun[uuid] = begun[0][0]
    _point_to_start(session, task, run_id(session, uuid, task))


def finish_run(session: Session, entry: RunEntry) -> None:
    """Record how a run ended; written twice it is there once.

    What another build made (`shared`) does not overwrite that build's own record.
    """
    task = task_id(session, entry.task_hash)
    number = _end_begun(session, entry, task)
    if number is None:
        known = known_run(session, entry.run_id)
        is_told = known is not None and known.is_final and entry.status == "shared"
        number = known.id if known is not None and is_told else write_run(session, entry, known)
        _point_to_start(session, task, number)
    give_back(session, task, number)
    if entry.status not in GOOD_STATUSES:
        return
    session.execute("UPDATE tasks SET current_run_id = ? WHERE id = ?", (number, task))
    settle_run_edges(session, task, entry)
    for output in entry.outputs:
        point_target(session, output, number)


def _end_begun(session: Session, entry: RunEntry, task: int) -> int | None:
    """End a run that began on this connection, without asking what is known of it.

    Returns:
        Its id; None when it did not begin here, or somebody wrote to it meanwhile.
    """
    number = session.ids.begun.pop(entry.run_id, None)
    if number is None or entry.status == "shared":
        return None
    values = (*run_values(session, entry, task), number)
    if session.execute(f"{_COMPLETE_RUN} AND status = 'running'", values).rowcount != 1:
        return None
    _write_rest(session, entry, number)
    if entry.status == "succeeded":
        _learn_duration(session, task, entry.duration_s)
    return number


def write_run(session: Session, entry: RunEntry, known: KnownRun | None) -> int:
    """Write a run with what it consumed and made, whatever was known of it; no pointers.

    Returns:
        Its id.
    """
    task = task_id(session, entry.task_hash)
    number = known.id if known is not None else run_id(session, entry.run_id, task)
    session.execute(_COMPLETE_RUN, (*run_values(session, entry, task), number))
    if known is not None and known.status not in (None, "running"):
        session.execute("DELETE FROM run_inputs WHERE run_id = ?", (number,))
        session.execute("DELETE FROM run_outputs WHERE run_id = ?", (number,))
    if entry.status == "succeeded" and (known is None or not known.is_final):
        _learn_duration(session, task, entry.duration_s)
    _write_rest(session, entry, number)
    return number


def _write_rest(session: Session, entry: RunEntry, number: int) -> None:
    """Write what is in other tables than `runs`."""
    if entry.made_by is not None:
        session.execute(_AS_MADE, (number, storable(entry.made_by)))
    write_inputs(session, number, entry.inputs)
    write_outputs(session, number, entry.outputs)


def settle_run_edges(session: Session, task: int, entry: RunEntry) -> None:
    """Bring the task's edges in line with what this run, its current one, consumed."""
    consumed = [
        (
            storable(source.place),
            None if source.task_hash is None else task_id(session, source.task_hash),
        )
        for source in entry.inputs
    ]
    yielded = [
        (storable(place), task_id(session, upstream)) for place, upstream in entry.dynamic_upstream
    ]
    settle_edges(session, task, consumed, yielded)


_AS_MADE = """
UPDATE runs SET code_id = coalesce(runs.code_id, m.code_id),
  environment_id = coalesce(runs.environment_id, m.environment_id), metadata = coalesce(runs.metadata, m.metadata)
FROM runs m WHERE runs.id = ? AND m.uuid = ?
"""

_COMPLETE_RUN = """
UPDATE runs SET task_id = ?, build_id = coalesce(?, build_id), code_id = coalesce(?, code_id),
  environment_id = coalesce(?, environment_id), status = ?, started_at = ?, ended_at = ?,
  duration_s = ?, origin = ?, owner = coalesce(nullif(?, ''), owner), log = coalesce(nullif(?, ''), log),
  error_type = ?, error = ?, reason = coalesce(?, reason), reasons = coalesce(?, reasons),
  metadata = ?, traceback = ?
WHERE id = ?
"""


def run_values(session: Session, entry: RunEntry, task: int) -> tuple[Any, ...]:
    """What is recorded of a run itself, from `task_id` to `traceback`."""
    return (
        task,
        None if entry.build_id is None else build_id(session, entry.build_id),
        code_id(session, entry.code),
        environment_id(session, entry.environment),
        entry.status,
        entry.started_at,
        entry.ended_at,
        entry.duration_s,
        entry.origin,
        storable(entry.owner),
        storable(entry.log),
        optional(entry.error_type),
        optional(entry.error),
        _reason(entry.reason),
        _reasons(entry.reason, entry.reasons),
        to_json(dict(entry.metadata)) if entry.metadata else None,
        optional(entry.traceback),
    )


def _point_to_start(session: Session, task: int, run: int) -> None:
    session.execute(
        "UPDATE tasks SET last_run_id = ? WHERE id = ? AND (last_run_id IS NULL OR last_run_id < ?)",
        (run, task, run),
    )


def typical_after(typical_s: float | None, duration_s: float) -> float:
    """What is typical of a family once one more of its runs has succeeded."""
    if typical_s is None:
        return duration_s
    return typical_s + _WEIGHT_OF_NEWEST * (duration_s - typical_s)


def _learn_duration(session: Session, task: int, duration_s: float) -> None:
    session.execute(
        """
        UPDATE families SET typical_s = coalesce(typical_s + ? * (? - typical_s), ?)
        WHERE id = (SELECT family_id FROM tasks WHERE id = ?)
        """,
        (_WEIGHT_OF_NEWEST, duration_s, duration_s, task),
    )


def _reason(reason: JsonObject) -> str | None:
    return to_json(dict(reason)) if reason else None


def _reasons(reason: JsonObject, reasons: Sequence[JsonObject]) -> str | None:
    """Leave out what the reason alone says already."""
    if not reasons or (len(reasons) == 1 and reasons[0] == reason):
        return None
    return to_json([dict(each) for each in reasons])
