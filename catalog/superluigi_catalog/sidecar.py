"""The sidecar's format: what it holds, what is refused, and reading it from untrusted bytes.

`sidecar.schema.json` beside this file says the same as a JSON Schema, for other tools; nothing here
needs a validator. Keys beyond those named are allowed everywhere, at the top level they are the task's own.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Mapping
from typing import Any

from superluigi_catalog.errors import InvalidSidecar, SidecarTooNew

__all__ = [
    "MAX_SIDECAR_BYTES",
    "MAX_SIDECAR_DEPTH",
    "RESERVED_KEYS",
    "SIDECAR_FORMAT",
    "InvalidSidecar",
    "SidecarTooNew",
    "parse_sidecar",
    "user_metadata",
    "validate_sidecar",
]

SIDECAR_FORMAT = "superluigi-sidecar/1"

MAX_SIDECAR_BYTES = 8 * 1024 * 1024
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
_TASK_HASH = re.compile(r"[0-9a-f]{32}")
_FINGERPRINT = re.compile(r"[a-z][a-z0-9-]*:.+", re.DOTALL)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_MAX_INTEGER = 2**63 - 1

_Check = Callable[[Any], "str | None"]
"""Says what a value should have been, or None when it is right."""


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
        raise _invalid(path, found)
    try:
        # Python's own JSON would take UTF-16, NaN and numbers that no float holds.
        text = data.decode("utf-8", "surrogatepass")
        document = json.loads(text, parse_constant=_refuse_constant, parse_float=_finite)
    except RecursionError:
        found = f"nested deeper than {MAX_SIDECAR_DEPTH} levels"
        raise _invalid(path, found) from None
    except ValueError as error:
        found = f"not JSON in UTF-8 ({error})"
        raise _invalid(path, found) from error
    if _is_deeper(document, MAX_SIDECAR_DEPTH):
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
    required = _ANNOUNCED if document.get("state") in ("running", "failed") else _COMPLETE
    problem = _row_problem(document, required, _TOP_LEVEL)
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


def _check_format(value: Any, path: str) -> None:
    match = _VERSION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        found = f'no Super Luigi sidecar: "format" is not "{SIDECAR_FORMAT}"'
        raise _invalid(path, found)
    if value != SIDECAR_FORMAT:
        message = (
            f"The sidecar {path!r} has the format {value!r}, newer than {SIDECAR_FORMAT!r}. "
            "Upgrade superluigi to read it."
        )
        raise SidecarTooNew(message, path=path)


def _invalid(path: str, found: str) -> InvalidSidecar:
    message = f"The sidecar {path!r} cannot be used: {found}."
    return InvalidSidecar(message, path=path)


def _refuse_constant(name: str) -> Any:
    message = f"{name} is not JSON"
    raise ValueError(message)


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        message = f"the number {text[:40]} is out of range"
        raise ValueError(message)
    return value


def _is_deeper(document: Any, limit: int) -> bool:
    level = [document]
    for _ in range(limit + 1):
        level = [
            child
            for container in level
            if isinstance(container, (dict, list))
            for child in (container.values() if isinstance(container, dict) else container)
            if isinstance(child, (dict, list))
        ]
        if not level:
            return False
    return True


def _row_problem(row: Any, required: tuple[str, ...], checks: Mapping[str, _Check]) -> str | None:
    """Name the first key of an object that is missing or wrong."""
    if not isinstance(row, dict):
        return "an object was expected"
    for key in required:
        if key not in row:
            return f'"{key}" is missing'
    for key, check in checks.items():
        if key in row:
            expected = check(row[key])
            if expected is not None:
                return f'"{key}": {expected}'
    return None


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "text was expected"


def _filled_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "text that is not empty was expected"


def _optional_text(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "text or null was expected"


def _matching(pattern: re.Pattern[str], expected: str) -> _Check:
    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and pattern.fullmatch(value) else expected

    return check


def _either_null(check: _Check) -> _Check:
    return lambda value: None if value is None else check(value)


def _count(value: Any) -> str | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INTEGER
    return None if is_count else "a whole number from 0 to 2^63-1 was expected"


def _seconds(value: Any) -> str | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if is_number and value >= 0 else "a number of seconds was expected"


def _true_or_false(value: Any) -> str | None:
    return None if isinstance(value, bool) else "true or false was expected"


def _one_of(*choices: str) -> _Check:
    expected = f"one of {', '.join(choices)} was expected"
    return lambda value: None if isinstance(value, str) and value in choices else expected


def _object(value: Any) -> str | None:
    return None if isinstance(value, dict) else "an object was expected"


def _object_of(check: _Check) -> _Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, dict):
            return "an object was expected"
        return next(
            (f'"{key}": {bad}' for key, item in value.items() if (bad := check(item))), None
        )

    return check_all


def _list_of(check: _Check) -> _Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return "a list was expected"
        found = ((index, check(item)) for index, item in enumerate(value))
        return next((f"[{index}]: {bad}" for index, bad in found if bad), None)

    return check_all


def _row(required: tuple[str, ...], checks: Mapping[str, _Check]) -> _Check:
    return lambda value: _row_problem(value, required, checks)


_task_hash = _matching(_TASK_HASH, "32 hex digits were expected")
_fingerprint = _matching(_FINGERPRINT, "a fingerprint such as sha256:… was expected")
_time = _matching(_TIME, "a UTC time such as 2026-01-05T08:12:31.123456Z was expected")

_INPUT = _row(
    ("place", "path", "fingerprint"),
    {
        "place": _text,
        "path": _filled_text,
        "type": _text,
        "fingerprint": _fingerprint,
        "size_bytes": _either_null(_count),
        "etag": _optional_text,
        "version_id": _optional_text,
        "task_hash": _either_null(_task_hash),
        "run_id": _either_null(_filled_text),
    },
)
_SIBLING = _row(
    ("place", "path"),
    {"place": _text, "path": _filled_text, "fingerprint": _either_null(_fingerprint)},
)
_CONTENT = _row(
    ("path",), {"path": _filled_text, "size_bytes": _count, "fingerprint": _filled_text}
)
_OUTPUT = _row(
    ("type", "place", "path", "fingerprint"),
    {
        "type": _text,
        "place": _text,
        "path": _filled_text,
        "fingerprint": _fingerprint,
        "size_bytes": _either_null(_count),
        "mtime_ns": _either_null(_count),
        "etag": _optional_text,
        "version_id": _optional_text,
        "file_count": _either_null(_count),
        "contents": _list_of(_CONTENT),
        "siblings": _list_of(_SIBLING),
    },
)
_PART = _row(
    ("name", "fingerprint"),
    {
        "name": _text,
        "file": _optional_text,
        "line": _either_null(_count),
        "fingerprint": _fingerprint,
    },
)
_CODE = _row(
    ("fingerprint",), {"fingerprint": _either_null(_fingerprint), "parts": _list_of(_PART)}
)

_ANNOUNCED = ("format", "task_hash", "family", "run_id")
_COMPLETE = (*_ANNOUNCED, "params", "upstream", "inputs", "output", "started_at", "ended_at")
_TOP_LEVEL: Mapping[str, _Check] = {
    "state": _one_of("publishing", "running", "failed"),
    "task_hash": _task_hash,
    "family": _filled_text,
    "module": _text,
    "params": _object_of(_text),
    "insignificant_params": _object_of(_text),
    "upstream": _object_of(_task_hash),
    "dynamic_upstream": _object_of(_task_hash),
    "inputs": _list_of(_INPUT),
    "output": _OUTPUT,
    "code": _either_null(_CODE),
    "run_id": _filled_text,
    "build_id": _either_null(_filled_text),
    "reason": _either_null(_object),
    "started_at": _time,
    "ended_at": _time,
    "duration_s": _either_null(_seconds),
    "environment": _object,
    "adopted": _true_or_false,
    "acceptance": _either_null(_object),
}
