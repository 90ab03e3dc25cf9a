"""The sidecar's document, from what is known when a run starts and when it has ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import luigi

from superluigi.execution.order import RunOrder, utc_text
from superluigi.hashing import insignificant_params, significant_params
from superluigi.sidecar import SIDECAR_FORMAT
from superluigi_catalog.records import InputEntry
from superluigi_catalog.sidecar import input_row

__all__ = ["known_at_start", "sidecar_document"]

_BEFORE_OUTPUT = (
    "format",
    "task_hash",
    "family",
    "module",
    "params",
    "insignificant_params",
    "upstream",
    "inputs",
)
_AFTER_OUTPUT = ("code", "run_id", "build_id", "reason", "started_at")


def known_at_start(
    task: luigi.Task, order: RunOrder, inputs: Iterable[InputEntry], started: float
) -> dict[str, Any]:
    """What `metadata` is prefilled with."""
    return {
        "format": SIDECAR_FORMAT,
        "task_hash": order.task_hash,
        "family": task.get_task_family(),
        "module": task.task_module,
        "params": significant_params(task),
        "insignificant_params": insignificant_params(task),
        "upstream": order.upstream,
        "inputs": [input_row(entry) for entry in inputs],
        "code": order.code,
        "run_id": order.run_id,
        "build_id": order.build_id,
        "reason": order.reason,
        "started_at": utc_text(started),
        "environment": order.environment,
    }


def sidecar_document(
    known: Mapping[str, Any],
    output: Mapping[str, Any],
    *,
    ended: float,
    duration_s: float,
    yielded: Mapping[str, str] | None = None,
    added: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The sidecar of one output, in the order in which a person reads it."""
    document = {key: known[key] for key in _BEFORE_OUTPUT}
    if yielded:
        document["dynamic_upstream"] = dict(yielded)
    document["output"] = dict(output)
    document |= {key: known[key] for key in _AFTER_OUTPUT}
    document["ended_at"] = utc_text(ended)
    document["duration_s"] = round(duration_s, 6)
    document["environment"] = known["environment"]
    return document | dict(added or {})
