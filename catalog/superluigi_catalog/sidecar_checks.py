"""What a sidecar's keys hold, as plain checks; `sidecar.schema.json` says the same for other tools."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["problem_of"]

_TASK_HASH = re.compile(r"[0-9a-f]{32}")
_FINGERPRINT = re.compile(r"[a-z][a-z0-9-]*:.+", re.DOTALL)
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z")
_PATH = re.compile(r"^(?:[A-Za-z][A-Za-z0-9+.-]*://[\s\S]*|(?!(?:[\s\S]*/)?\.\.(?:/|$))[\s\S]+)$")
_MAX_INTEGER = 2**63 - 1
_MAX_SECONDS = 10**12

_Check = Callable[[Any], "str | None"]
"""Says what a value should have been, or None when it is right."""


def problem_of(document: Mapping[str, Any]) -> str | None:
    """Name the first key of a document that is missing or of the wrong kind; None when all is right."""
    is_announced = document.get("state") in ("running", "failed")
    return _row_problem(document, _ANNOUNCED if is_announced else _COMPLETE, _TOP_LEVEL)


def _row_problem(row: Any, required: tuple[str, ...], checks: Mapping[str, _Check]) -> str | None:
    """Name the first key of an object that is missing or wrong."""
    if not isinstance(row, dict):
        return "an object was expected"
    for key in required:
        if key not in row:
            return f'"{key}" is missing'
    for key, value in row.items():
        check = checks.get(key)
        if check is not None:
            expected = check(value)
            if expected is not None:
                return f'"{key}": {expected}'
    return None


def _text(value: Any) -> str | None:
    return None if isinstance(value, str) else "text was expected"


def _filled_text(value: Any) -> str | None:
    return None if isinstance(value, str) and value else "text that is not empty was expected"


def _path(value: Any) -> str | None:
    """Take a path in its stored form, which climbs nowhere, or a URI."""
    if not isinstance(value, str) or not value:
        return "text that is not empty was expected"
    is_right = ".." not in value or _PATH.search(value)
    return None if is_right else "a path without '..', or a URI, was expected"


def _optional_text(value: Any) -> str | None:
    return None if value is None or isinstance(value, str) else "text or null was expected"


def _matching(pattern: re.Pattern[str], expected: str) -> _Check:
    matches = pattern.fullmatch

    def check(value: Any) -> str | None:
        return None if isinstance(value, str) and matches(value) else expected

    return check


def _either_null(check: _Check) -> _Check:
    return lambda value: None if value is None else check(value)


def _count(value: Any) -> str | None:
    is_count = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _MAX_INTEGER
    return None if is_count else "a whole number from 0 to 2^63-1 was expected"


def _seconds(value: Any) -> str | None:
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return None if is_number and 0 <= value <= _MAX_SECONDS else "a number of seconds was expected"


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
        for key, item in value.items():
            bad = check(item)
            if bad is not None:
                return f'"{key}": {bad}'
        return None

    return check_all


def _list_of(check: _Check) -> _Check:
    def check_all(value: Any) -> str | None:
        if not isinstance(value, list):
            return "a list was expected"
        for index, item in enumerate(value):
            bad = check(item)
            if bad is not None:
                return f"[{index}]: {bad}"
        return None

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
        "path": _path,
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
    {"place": _text, "path": _path, "fingerprint": _either_null(_fingerprint)},
)
_CONTENT = _row(
    ("path",), {"path": _filled_text, "size_bytes": _count, "fingerprint": _filled_text}
)
_OUTPUT = _row(
    ("type", "place", "path", "fingerprint"),
    {
        "type": _text,
        "place": _text,
        "path": _path,
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

_ACCEPTANCE = _row(
    ("run_id", "at", "fingerprint", "inputs"),
    {
        "run_id": _filled_text,
        "accepted_run_id": _filled_text,
        "by": _text,
        "at": _time,
        "reason": _text,
        "fingerprint": _fingerprint,
        "inputs": _list_of(_INPUT),
        "code": _either_null(_CODE),
    },
)

_right_code: dict[str, Any] = {}
"""Codes that were checked, by fingerprint: thousands of sidecars name the same few."""
_MAX_REMEMBERED = 64
_MAX_REMEMBERED_PARTS = 200


def _code_once(value: Any) -> str | None:
    """Check a code, unless just the same one was checked before."""
    fingerprint = value.get("fingerprint") if isinstance(value, dict) else None
    if not isinstance(fingerprint, str):
        return _CODE(value)
    if _right_code.get(fingerprint) == value:
        return None
    problem = _CODE(value)
    if problem is None and len(value.get("parts", ())) <= _MAX_REMEMBERED_PARTS:
        if len(_right_code) >= _MAX_REMEMBERED:
            _right_code.clear()
        _right_code[fingerprint] = value
    return problem


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
    "code": _either_null(_code_once),
    "run_id": _filled_text,
    "build_id": _either_null(_filled_text),
    "reason": _either_null(_object),
    "started_at": _time,
    "ended_at": _time,
    "duration_s": _either_null(_seconds),
    "environment": _object,
    "adopted": _true_or_false,
    "acceptance": _either_null(_ACCEPTANCE),
}
