"""Recording results that were not made in this build: adopted ones, and ones under a new identity."""

from __future__ import annotations

import time
from collections.abc import Iterable

import luigi

from superluigi.errors import SidecarError, TargetError
from superluigi.execution.document import known_at_start, sidecar_document
from superluigi.execution.order import RunOrder, utc_text
from superluigi.sidecar import output_row
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.state import Content, Observation
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import InputEntry, OutputEntry, RunEntry

__all__ = ["adopt_outputs", "standing_entry", "write_new_identity"]


def adopt_outputs(
    task: luigi.Task,
    order: RunOrder,
    standing: Iterable[tuple[OutputEntry, TargetWithMetadata | None, Observation]],
) -> RunEntry:
    """Record targets that stand without a record, with the inputs as they are now; sidecars included.

    A sidecar that cannot be written (a read-only place) leaves the adoption to the catalog alone.
    """
    now = time.time()
    rows = list(standing)
    inputs = tuple(expected.entry for expected in order.inputs or ())
    known = known_at_start(task, order, inputs, now)
    for entry, target, seen in rows:
        if target is None or target.read_sidecar() is not None:
            continue  # what is there and cannot be read is left for a person to look at
        row = output_row(
            target.kind, entry.place, entry.uri, Content(entry.fingerprint, entry.size_bytes)
        )
        row |= {"mtime_ns": seen.mtime_ns, "etag": seen.etag, "version_id": seen.version_id}
        document = sidecar_document(known, row, ended=now, duration_s=0.0)
        document["adopted"] = True
        try:
            target.write_sidecar(document)
        except (OSError, TargetError):
            continue
    return standing_entry(order, "adopted", inputs, [entry for entry, _, _ in rows], now)


def write_new_identity(
    task: luigi.Task,
    order: RunOrder,
    inputs: tuple[InputEntry, ...],
    targets: Iterable[TargetWithMetadata],
) -> None:
    """Let the sidecars of an unchanged result name the identity under which it counts now.

    The run that made the bytes, its times and what it added stay as they are.
    """
    known = known_at_start(task, order, inputs, time.time())
    for target in targets:
        try:
            document = target.metadata()
        except SidecarError:
            continue
        if document is None:
            continue
        for key in ("task_hash", "family", "module", "params", "upstream", "inputs"):
            document[key] = known[key]
        if document.get("acceptance"):
            document["acceptance"] = {**document["acceptance"], "inputs": known["inputs"]}
        target.write_sidecar(document)


def standing_entry(
    order: RunOrder,
    status: str,
    inputs: tuple[InputEntry, ...],
    outputs: Iterable[OutputEntry],
    at: float,
) -> RunEntry:
    """The record of something that did not run."""
    return RunEntry(
        run_id=order.run_id,
        task_hash=order.task_hash,
        status=status,
        started_at=utc_text(at),
        ended_at=utc_text(at),
        duration_s=0.0,
        build_id=order.build_id,
        reason=order.reason,
        inputs=inputs,
        outputs=tuple(outputs),
        environment=order.environment,
        owner=this_owner(),
    )
