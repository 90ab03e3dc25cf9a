"""Runs: their start, their end, what they consumed and made, and the pointers to them."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from superluigi_catalog.recording.code import code_id, environment_id
from superluigi_catalog.recording.edges import settle_edges
from superluigi_catalog.recording.identify import (
    build_id,
    content_id,
    run_id,
    target_id,
    task_id,
)
from superluigi_catalog.records import InputEntry, JsonObject, OutputEntry, RunEntry
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable, to_json

__all__ = ["GOOD_STATUSES", "KnownRun", "finish_run", "known_run", "start_run", "write_run"]

GOOD_STATUSES = frozenset({"succeeded", "unchanged", "adopted", "shared"})
"""With these a run stands for the content of its targets."""

_FINAL_STATUSES = GOOD_STATUSES | {"failed"}

_WEIGHT_OF_NEWEST = 0.3
"""In a family's typical duration: the last five runs make 83 % of it."""


@dataclass(frozen=True, slots=True)
class KnownRun:
    """What the catalog has of a run before it is written again."""

    id: int
    task: int
    status: str | None
    origin: str

    @property
    def is_final(self) -> bool:
        """Whether it has ended, as its own process said."""
        return self.status in _FINAL_STATUSES


def known_run(session: Session, uuid: str) -> KnownRun | None:
    """Look a run up; None when nothing mentions it."""
    found = session.row(
        "SELECT id, task_id, status, origin FROM runs WHERE uuid = ?", (storable(uuid),)
    )
    return None if found is None else KnownRun(*found)


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
    session.execute(
        """
        INSERT INTO runs(status, uuid, task_id, build_id, reason, reasons, started_at, owner, log)
        VALUES ('running', ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT(uuid) DO UPDATE SET status = 'running', task_id = excluded.task_id,
          build_id = excluded.build_id, reason = excluded.reason, reasons = excluded.reasons,
          started_at = excluded.started_at, owner = excluded.owner, log = excluded.log
        WHERE status IS NULL
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
    _point_to_start(session, task, run_id(session, uuid, task))


def finish_run(session: Session, entry: RunEntry) -> None:
    """Record how a run ended; written twice it is there once.

    What another build made (`shared`) does not overwrite that build's own record.
    """
    known = known_run(session, entry.run_id)
    task = task_id(session, entry.task_hash)
    is_told = known is not None and known.is_final and entry.status == "shared"
    number = known.id if known is not None and is_told else write_run(session, entry, known)
    _point_to_start(session, task, number)
    if entry.status not in GOOD_STATUSES:
        return
    session.execute("UPDATE tasks SET current_run_id = ? WHERE id = ?", (number, task))
    settle_run_edges(session, task, entry)
    for output in entry.outputs:
        point_target(session, output, number)


def write_run(session: Session, entry: RunEntry, known: KnownRun | None) -> int:
    """Write a run with what it consumed and made, whatever was known of it; no pointers.

    Returns:
        Its id.
    """
    task = task_id(session, entry.task_hash)
    number = known.id if known is not None else run_id(session, entry.run_id, task)
    session.execute(_COMPLETE_RUN, (*_run_values(session, entry, task), number))
    if known is not None and known.status not in (None, "running"):
        session.execute("DELETE FROM run_inputs WHERE run_id = ?", (number,))
        session.execute("DELETE FROM run_outputs WHERE run_id = ?", (number,))
    if entry.status == "succeeded" and (known is None or not known.is_final):
        _learn_duration(session, task, entry.duration_s)
    _write_inputs(session, number, entry.inputs)
    write_outputs(session, number, entry.outputs)
    return number


def write_outputs(session: Session, run: int, outputs: Sequence[OutputEntry]) -> None:
    """Add to what a run made."""
    session.executemany(
        """
        INSERT OR REPLACE INTO run_outputs(run_id, place, content_id, mtime_ns, etag, version_id)
        VALUES (?, ?, ?, ?, ?, ?)
        """,
        [
            (
                run,
                storable(output.place),
                output_content(session, output),
                output.mtime_ns,
                _optional(output.etag),
                _optional(output.version_id),
            )
            for output in outputs
        ],
    )


def output_content(session: Session, output: OutputEntry) -> int:
    """Identify the content of an output."""
    return content_id(
        session,
        target_id(session, output.uri, output.kind),
        output.fingerprint,
        size_bytes=output.size_bytes,
        file_count=output.file_count,
    )


def point_target(session: Session, output: OutputEntry, run: int) -> None:
    """Say that a run's content is what stands at a target, and that it was seen there."""
    content = output_content(session, output)
    session.execute(
        """
        UPDATE targets SET kind = ?, state = 'present', token = ?, seen_content_id = ?,
          size_bytes = ?, mtime_ns = ?, etag = ?, version_id = ?, observed_ns = ?, error = NULL,
          run_id = ?, run_content_id = ?, run_place = ?
        WHERE id = ?
        """,
        (
            storable(output.kind),
            _optional(output.token),
            content,
            output.size_bytes,
            output.mtime_ns,
            _optional(output.etag),
            _optional(output.version_id),
            output.observed_ns or time.time_ns(),
            run,
            content,
            storable(output.place),
            target_id(session, output.uri, output.kind),
        ),
    )


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


_COMPLETE_RUN = """
UPDATE runs SET task_id = ?, build_id = coalesce(?, build_id), code_id = coalesce(?, code_id),
  environment_id = coalesce(?, environment_id), status = ?, started_at = ?, ended_at = ?,
  duration_s = ?, origin = ?, owner = coalesce(nullif(?, ''), owner), log = coalesce(nullif(?, ''), log),
  error_type = ?, error = ?, reason = coalesce(?, reason), reasons = coalesce(?, reasons),
  metadata = ?, traceback = ?
WHERE id = ?
"""


def _run_values(session: Session, entry: RunEntry, task: int) -> tuple[Any, ...]:
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
        _optional(entry.error_type),
        _optional(entry.error),
        _reason(entry.reason),
        _reasons(entry.reason, entry.reasons),
        to_json(dict(entry.metadata)) if entry.metadata else None,
        _optional(entry.traceback),
    )


def _write_inputs(session: Session, run: int, inputs: Sequence[InputEntry]) -> None:
    session.executemany(
        """
        INSERT OR IGNORE INTO run_inputs(run_id, place, content_id, source_task_id, source_run_id,
          etag, version_id)
        VALUES (?, ?, ?, ?, ?, ?, ?)
        """,
        [_input_values(session, run, source) for source in inputs],
    )


def _input_values(session: Session, run: int, source: InputEntry) -> tuple[Any, ...]:
    content = content_id(
        session,
        target_id(session, source.uri, source.kind),
        source.fingerprint,
        size_bytes=source.size_bytes,
    )
    task, made_by = _source(session, source)
    return (
        run,
        storable(source.place),
        content,
        task,
        made_by,
        _optional(source.etag),
        _optional(source.version_id),
    )


def _source(session: Session, source: InputEntry) -> tuple[int | None, int | None]:
    """Identify the task and the run that had made an input."""
    if source.task_hash is not None:
        task = task_id(session, source.task_hash)
        return task, None if source.run_id is None else run_id(session, source.run_id, task)
    known = None if source.run_id is None else known_run(session, source.run_id)
    return (None, None) if known is None else (known.task, known.id)


def _point_to_start(session: Session, task: int, run: int) -> None:
    session.execute(
        "UPDATE tasks SET last_run_id = ? WHERE id = ? AND (last_run_id IS NULL OR last_run_id < ?)",
        (run, task, run),
    )


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


def _optional(text: str | None) -> str | None:
    return None if text is None else storable(text)
