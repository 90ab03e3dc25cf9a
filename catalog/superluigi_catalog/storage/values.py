"""Values on their way into and out of the database."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

__all__ = ["from_json", "optional", "storable", "time_text", "to_json", "utc_now"]


def storable(text: str) -> str:
    r"""Bring text into a form that SQLite takes and compares as a whole.

    Lone surrogates (bytes of a file name that are no UTF-8) become `\udc80`, NUL becomes `\x00`. The
    form is the same every time, so that what was stored under it is found under it.

    Returns:
        The text itself in all but those cases.
    """
    if text.isascii() and "\0" not in text:
        return text
    if "\0" in text:
        text = text.replace("\0", "\\x00")
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return text.encode("utf-8", "backslashreplace").decode("utf-8")
    return text


def optional(text: str | None) -> str | None:
    """Bring text into its storable form where there is any."""
    return None if text is None else storable(text)


_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))
"""One for all: `json.dumps` makes a new one for every call."""


def to_json(value: Any) -> str:
    """Write a value as JSON that SQLite takes; `from_json` gives lone surrogates back as they were.

    Recording must not fail over a detail: what JSON cannot hold becomes text.
    """
    if value == {}:
        return "{}"  # most of what is optional is empty
    try:
        text = _ENCODER.encode(value)
        text.encode("utf-8")
    except UnicodeEncodeError:
        return json.dumps(value, allow_nan=False, separators=(",", ":"))
    except (TypeError, ValueError):
        return json.dumps(_jsonable(value), allow_nan=False, separators=(",", ":"))
    return text


def from_json(text: str | None) -> Any:
    """Read what `to_json` wrote; None stays None."""
    if text is None:
        return None
    # Most of what is optional is empty, in hundreds of thousands of rows.
    return {} if text == "{}" else json.loads(text)


def utc_now() -> str:
    """Write down the present time as every record does: `2026-01-05T08:12:31.123456Z`."""
    return time_text(datetime.now(timezone.utc))


def time_text(when: datetime) -> str:
    """Write down a time in UTC as every record does."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _jsonable(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else _non_finite(value)
    if isinstance(value, Mapping):
        return {str(key): _jsonable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_jsonable(item) for item in value]
    return str(value)


def _non_finite(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"
