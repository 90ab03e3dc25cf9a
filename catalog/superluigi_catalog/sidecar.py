"""The sidecar's format: what it holds, what is refused, and reading it from untrusted bytes.

`sidecar.schema.json` beside this file says the same as a JSON Schema, for other tools; nothing here
needs a validator. Keys beyond those named are allowed everywhere, at the top level they are the task's own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

from superluigi_catalog.errors import InvalidSidecar, SidecarTooNew
from superluigi_catalog.records import InputEntry
from superluigi_catalog.sidecar_checks import problem_of

__all__ = [
    "MAX_SIDECAR_BYTES",
    "MAX_SIDECAR_DEPTH",
    "RESERVED_KEYS",
    "SIDECAR_FORMAT",
    "InvalidSidecar",
    "SidecarTooNew",
    "input_row",
    "parse_sidecar",
    "user_metadata",
    "validate_sidecar",
]

SIDECAR_FORMAT = "superluigi-sidecar/1"

MAX_SIDECAR_BYTES = 64 * 1024 * 1024
"""A sidecar takes about 2 KB; a thousand files of a folder in `output.contents` take 200 KB. The cap
leaves room for long inputs, and keeps a file that only looks like a sidecar from filling the memory."""

MAX_SIDECAR_DEPTH = 32
"""Our own keys nest four deep; the rest is for what tasks add."""

RESERVED_KEYS = frozenset(
    {
        "format",
        "state",
        "task_hash",
        "family",
        "module",
        "params",
        "insignificant_params",
        "upstream",
        "dynamic_upstream",
        "inputs",
        "output",
        "code",
        "run_id",
        "build_id",
        "reason",
        "started_at",
        "ended_at",
        "duration_s",
        "environment",
        "adopted",
        "acceptance",
    }
)
"""Top-level keys that are Super Luigi's; all others are the task's."""

_VERSION = re.compile(r"superluigi-sidecar/([1-9][0-9]{0,5})")


def parse_sidecar(data: bytes, *, path: str) -> dict[str, Any]:
    """Read a sidecar from bytes that nobody vouches for.

    Args:
        data: The whole file; read no more than `MAX_SIDECAR_BYTES` + 1 of it.
        path: Where it came from, for messages.

    Returns:
        The document, checked by `validate_sidecar`. Lone surrogates (file names that are no UTF-8)
        are kept as they are.

    Raises:
        SidecarTooNew: its format is newer than `SIDECAR_FORMAT`.
        InvalidSidecar: too large, nested too deeply, no JSON, or not of the format.
    """
    if len(data) > MAX_SIDECAR_BYTES:
        found = f"larger than {MAX_SIDECAR_BYTES:,} bytes"
        raise _invalid(path, found, "oversize")
    try:
        # Python's own JSON would take UTF-16, NaN and numbers that no float holds.
        text = data.decode("utf-8", "surrogatepass")
        document = _decode(text)
    except RecursionError:
        found = f"nested deeper than {MAX_SIDECAR_DEPTH} levels"
        raise _invalid(path, found) from None
    except ValueError as error:
        found = f"not JSON in UTF-8 ({error})"
        raise _invalid(path, found) from error
    brackets = text.count("{") + text.count("[")
    if brackets > MAX_SIDECAR_DEPTH and _is_deeper(document, MAX_SIDECAR_DEPTH):
        found = f"nested deeper than {MAX_SIDECAR_DEPTH} levels"
        raise _invalid(path, found)
    validate_sidecar(document, path=path)
    return dict(document)


def validate_sidecar(document: Any, *, path: str = "") -> None:
    """Check a document's structure.

    A document with the `state` `running` or `failed` (only ever in `<sidecar>.next`) needs no more
    than its `format`, `task_hash`, `family` and `run_id`.

    Args:
        document: What JSON gave.
        path: Where it came from, for messages.

    Raises:
        SidecarTooNew: its format is newer than `SIDECAR_FORMAT`.
        InvalidSidecar: a key is missing or of the wrong kind; the message names the first.
    """
    if not isinstance(document, dict):
        found = "not a JSON object"
        raise _invalid(path, found)
    _check_format(document.get("format"), path)
    problem = problem_of(document)
    if problem is not None:
        raise _invalid(path, problem)


def user_metadata(document: Mapping[str, Any]) -> dict[str, Any]:
    """Pick what the task added.

    Args:
        document: A sidecar's.

    Returns:
        The top-level keys that are not Super Luigi's, in the document's order.
    """
    return {key: value for key, value in document.items() if key not in RESERVED_KEYS}


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


def _check_format(value: Any, path: str) -> None:
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        found = f'no Super Luigi sidecar: "format" is not "{SIDECAR_FORMAT}"'
        raise _invalid(path, found, "foreign")
    if value != SIDECAR_FORMAT:
        message = (
            f"The sidecar {path!r} has the format {value!r}, newer than {SIDECAR_FORMAT!r}. "
            "Upgrade superluigi to read it."
        )
        why = f"the format {value!r} is newer than {SIDECAR_FORMAT!r}"
        raise SidecarTooNew(message, path=path, problem="newer", why=why)


def _invalid(path: str, found: str, problem: str = "broken") -> InvalidSidecar:
    message = f"The sidecar {path!r} cannot be used: {found}."
    return InvalidSidecar(message, path=path, problem=problem, why=found)


def _refuse_constant(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        message = f"the number {text[:40]} is out of range"
        raise ValueError(message)
    return value


_decode = json.JSONDecoder(parse_constant=_refuse_constant, parse_float=_finite).decode


def _is_deeper(document: Any, limit: int) -> bool:
    level = [document] if _is_container(document) else []
    for _ in range(limit + 1):
        below: list[Any] = []
        for container in level:
            # Most of what is nested is short rows of plain values: filtered by one call each.
            values = container.values() if isinstance(container, dict) else container
            below += filter(_is_container, values)
        if not below:
            return False
        level = below
    return True


def _is_container(value: Any) -> bool:
    return isinstance(value, (dict, list))
