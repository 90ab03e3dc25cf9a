"""Acceptances: that a stale result is right as it is, on record and in the sidecar.

An acceptance is a run that ran nothing: with the status `accepted` it says which inputs and which code the
standing content counts for from now on. The sidecar keeps what its run consumed, and holds the same under
`acceptance`, so that it survives the catalog. It is undone by giving the run before it its place back.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superluigi_catalog.errors import InvalidSidecar
from superluigi_catalog.project import Project
from superluigi_catalog.records import InputEntry, JsonObject
from superluigi_catalog.results import Record
from superluigi_catalog.sidecar import MAX_SIDECAR_BYTES, parse_sidecar

__all__ = [
    "Acceptance",
    "Host",
    "acceptance_document",
    "host",
    "person",
    "set_host",
    "with_acceptance",
]

SIDECAR_SUFFIX = ".metadata.json"


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


@dataclass(frozen=True)
class Host:
    """What the catalog cannot do alone: whoever runs tasks in this process lends it.

    Attributes:
        code_of: (module, family) → fingerprint and parts of the code as it is now; None when unknown.
        write: (uri, kind, document or None) → whether the target's sidecar now says so.
    """

    code_of: Callable[[str, str], JsonObject | None]
    write: Callable[[str, str, JsonObject | None], bool]


_host: Host | None = None


def set_host(given: Host) -> None:
    """Lend the catalog of this process what it cannot do alone."""
    global _host
    _host = given


def host(project: Project) -> Host:
    """What was lent, else what can be done without: local sidecars, and no knowledge of code."""

    def write(uri: str, kind: str, document: JsonObject | None) -> bool:
        path = project.absolute_path(uri)
        return "://" not in path and _write_beside(Path(path), document)

    return _host or Host(lambda module, family: None, write)


def person() -> str:
    """Who is asking: `user@host`."""
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


def input_row(entry: InputEntry) -> dict[str, Any]:
    """An input as the sidecar names it."""
    return {
        "place": entry.place,
        "path": entry.uri,
        "type": entry.kind,
        "fingerprint": entry.fingerprint,
        "size_bytes": entry.size_bytes,
        "etag": entry.etag,
        "version_id": entry.version_id,
        "task_hash": entry.task_hash,
        "run_id": entry.run_id,
    }


def with_acceptance(document: Mapping[str, Any], acceptance: JsonObject | None) -> dict[str, Any]:
    """A sidecar with an acceptance, or without one."""
    changed = {key: value for key, value in document.items() if key != "acceptance"}
    if acceptance is not None:
        changed["acceptance"] = dict(acceptance)
    return changed


def _write_beside(target: Path, acceptance: JsonObject | None) -> bool:
    sidecar = Path(f"{target}{SIDECAR_SUFFIX}")
    try:
        with sidecar.open("rb") as file:
            document = parse_sidecar(file.read(MAX_SIDECAR_BYTES + 1), path=str(sidecar))
        changed = with_acceptance(document, acceptance)
        temporary = Path(f"{sidecar}.superluigi-tmp-{os.getpid()}")
        temporary.write_text(_text(changed), encoding="utf-8", errors="surrogatepass")
        temporary.replace(sidecar)
    except (OSError, InvalidSidecar):
        return False
    return True


def _text(document: Mapping[str, Any]) -> str:
    rows = [f" {json.dumps(k)}: {json.dumps(v, ensure_ascii=False)}" for k, v in document.items()]
    return "{\n" + ",\n".join(rows) + "\n}\n"
