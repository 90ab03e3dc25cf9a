"""Sidecars that the tests of S3 targets publish with."""

from __future__ import annotations

from typing import Any

from superluigi.sidecar import output_row

__all__ = ["document"]


def document(target: Any, content: Any = None, *, run_id: str = "run-1") -> dict[str, Any]:
    """A small sidecar of a target; without a content, as it is announced before a run."""
    row: dict[str, Any] = {"type": target.kind, "place": "", "path": target.uri}
    row["fingerprint"] = "sha256:unknown"
    if content is not None:
        row = output_row(target.kind, "", target.uri, content)
    return {
        "format": "superluigi-sidecar/1",
        "task_hash": "0" * 32,
        "family": "Family",
        "params": {},
        "upstream": {},
        "inputs": [],
        "output": row,
        "run_id": run_id,
        "started_at": "2026-01-05T08:12:31.123456Z",
        "ended_at": "2026-01-05T08:12:32.123456Z",
    }
