"""Acceptances: that a stale result is right as it is, on record and in the sidecar.

An acceptance is a run that ran nothing: with the status `accepted` it says which inputs and which code the
standing content counts for from now on. The sidecar keeps what its run consumed, and holds the same under
`acceptance`, so that it survives the catalog. It is undone by giving the run before it its place back.
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from superluigi_catalog.records import InputEntry, JsonObject
from superluigi_catalog.results import Record
from superluigi_catalog.sidecar import input_row

__all__ = ["Acceptance", "acceptance_document", "code_of", "person", "set_code_source"]


@dataclass(frozen=True, slots=True)
class Acceptance(Record):
    """What was accepted, or what an acceptance was withdrawn from."""

    task_hash: str
    run_id: str
    """Of the acceptance itself."""
    accepted_run_id: str
    """Of the run whose result it is."""
    by: str
    """`user@host`."""
    at: str
    """UTC, ISO 8601."""
    reason: str
    uris: tuple[str, ...]
    """The targets."""
    unwritten: tuple[str, ...] = ()
    """Targets whose sidecars could not be written: there the catalog alone knows."""


CodeSource = Callable[[str, str], "JsonObject | None"]
"""(module, family) → fingerprint and parts of the code as it is now; None when it is not known."""

_code_source: list[CodeSource] = []


def set_code_source(given: CodeSource) -> None:
    """Lend the catalog of this process what it cannot know alone: the code of tasks."""
    _code_source[:] = [given]


def code_of(module: str, family: str) -> JsonObject | None:
    """The code of a family as it is in this process; None when nothing here knows."""
    return _code_source[0](module, family) if _code_source else None


def person() -> str:
    """Who is asking: `user@host`."""
    import getpass

    with contextlib.suppress(KeyError, OSError):
        return f"{getpass.getuser()}@{socket.gethostname()}"
    return f"?@{socket.gethostname()}"


def acceptance_document(
    acceptance: Acceptance,
    fingerprint: str,
    inputs: tuple[InputEntry, ...],
    code: JsonObject | None,
) -> dict[str, Any]:
    """What the sidecar of one target holds under `acceptance`."""
    parts = [
        {k: v for k, v in part.items() if k != "source"} for part in (code or {}).get("parts", ())
    ]
    return {
        "run_id": acceptance.run_id,
        "accepted_run_id": acceptance.accepted_run_id,
        "by": acceptance.by,
        "at": acceptance.at,
        "reason": acceptance.reason,
        "fingerprint": fingerprint,
        "inputs": [input_row(entry) for entry in inputs],
        "code": None if code is None else {**code, "parts": parts},
    }
