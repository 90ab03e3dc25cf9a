"""A sidecar that was deleted, made again from the catalog."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from superluigi.sidecar import SIDECAR_FORMAT
from superluigi_catalog.records import OutputEntry
from superluigi_catalog.results import Run
from superluigi_catalog.sidecar import input_row

__all__ = ["restored_document"]


def restored_document(run: Run, place: str, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The sidecar of one output as its run wrote it; only the list of a folder's files is not kept.

    Args:
        run: With code and environment.
        place: The output's.
        declared: `module`, `insignificant_params` and `upstream` of the task.
    """
    outputs = {entry.place: entry for entry in run.outputs}
    document: dict[str, Any] = {
        "format": SIDECAR_FORMAT,
        "task_hash": run.task_hash,
        "family": run.family,
        "module": declared["module"],
        "params": dict(run.params),
        "insignificant_params": dict(declared["insignificant_params"]),
        "upstream": dict(declared["upstream"]),
        "inputs": [input_row(entry) for entry in run.inputs],
        "output": _output_row(outputs.pop(place)),
        "code": dict(run.code) or None,
        "run_id": run.run_id,
        "build_id": run.build_id,
        "reason": dict(run.reason),
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "duration_s": run.duration_s,
        "environment": dict(run.environment),
    }
    document["output"]["siblings"] = [
        {"place": entry.place, "path": entry.uri, "fingerprint": entry.fingerprint}
        for entry in outputs.values()
    ]
    if run.status == "adopted":
        document["adopted"] = True
    return document | dict(run.metadata)


def _output_row(entry: OutputEntry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "type": entry.kind,
        "place": entry.place,
        "path": entry.uri,
        "fingerprint": entry.fingerprint,
        "size_bytes": entry.size_bytes,
        "siblings": [],
    }
    known = {
        "mtime_ns": entry.mtime_ns,
        "etag": entry.etag,
        "version_id": entry.version_id,
        "file_count": entry.file_count,
    }
    return row | {key: value for key, value in known.items() if value is not None}
