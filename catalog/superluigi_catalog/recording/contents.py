"""What runs consumed and made, and what therefore stands at targets."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from superluigi_catalog.recording.identify import content_id, run_id, target_id, task_id
from superluigi_catalog.recording.known import known_run
from superluigi_catalog.records import InputEntry, OutputEntry
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import optional, storable

__all__ = [
    "INSERT_INPUT",
    "INSERT_OUTPUT",
    "POINT_TARGET",
    "output_content",
    "output_values",
    "point_target",
    "standing_values",
    "write_inputs",
    "write_outputs",
]


INSERT_INPUT = """
INSERT OR IGNORE INTO run_inputs(run_id, place, content_id, source_task_id, source_run_id,
  etag, version_id)
VALUES (?, ?, ?, ?, ?, ?, ?)
"""
INSERT_OUTPUT = """
INSERT OR REPLACE INTO run_outputs(run_id, place, content_id, mtime_ns, etag, version_id)
VALUES (?, ?, ?, ?, ?, ?)
"""
POINT_TARGET = """
UPDATE targets SET kind = ?, state = 'present', token = ?, seen_content_id = ?,
  size_bytes = ?, mtime_ns = ?, etag = ?, version_id = ?, observed_ns = ?, error = NULL,
  run_id = ?, run_content_id = ?, run_place = ?
WHERE id = ?
"""


def write_inputs(session: Session, run: int, inputs: Sequence[InputEntry]) -> None:
    """Write what a run consumed."""
    if inputs:
        session.executemany(
            INSERT_INPUT, [_input_values(session, run, source) for source in inputs]
        )


def write_outputs(session: Session, run: int, outputs: Sequence[OutputEntry]) -> None:
    """Add to what a run made."""
    session.executemany(
        INSERT_OUTPUT, [output_values(run, each, output_content(session, each)) for each in outputs]
    )


def output_values(run: int, output: OutputEntry, content: int) -> tuple[Any, ...]:
    """The values of `INSERT_OUTPUT`."""
    return (
        run,
        storable(output.place),
        content,
        output.mtime_ns,
        optional(output.etag),
        optional(output.version_id),
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
    target, content = target_id(session, output.uri, output.kind), output_content(session, output)
    session.execute(POINT_TARGET, standing_values(output, target, content, run, time.time_ns()))


def standing_values(
    output: OutputEntry, target: int, content: int, run: int, now: int
) -> tuple[Any, ...]:
    """The values of `POINT_TARGET`."""
    return (
        storable(output.kind),
        optional(output.token),
        content,
        output.size_bytes,
        output.mtime_ns,
        optional(output.etag),
        optional(output.version_id),
        output.observed_ns or now,
        run,
        content,
        storable(output.place),
        target,
    )


def _input_values(session: Session, run: int, source: InputEntry) -> tuple[Any, ...]:
    """The values of `INSERT_INPUT`."""
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
        optional(source.etag),
        optional(source.version_id),
    )


def _source(session: Session, source: InputEntry) -> tuple[int | None, int | None]:
    """Identify the task and the run that had made an input."""
    if source.task_hash is not None:
        task = task_id(session, source.task_hash)
        return task, None if source.run_id is None else run_id(session, source.run_id, task)
    known = None if source.run_id is None else known_run(session, source.run_id)
    return (None, None) if known is None else (known.task, known.id)
