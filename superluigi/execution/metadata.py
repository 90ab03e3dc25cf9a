"""The `metadata` that `run()` is handed: prefilled with what is known, checked at every assignment."""

from __future__ import annotations

import math
import uuid
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from superluigi.errors import MetadataError
from superluigi.sidecar import RESERVED_KEYS

__all__ = ["Metadata", "to_json"]

_MAX_DEPTH = 24


class Metadata(dict[str, Any]):
    """A dict whose own keys go to the sidecar's top level.

    It starts with `params`, `task_hash`, `family`, `upstream`, `inputs` and what else is known, to read.

    Raises:
        MetadataError: at the assignment, for a key that is Super Luigi's own or a value that JSON cannot
            hold.
    """

    def __init__(self, known: Mapping[str, Any]) -> None:
        super().__init__(known)

    def __setitem__(self, key: str, value: Any) -> None:
        _check_key(key)
        to_json(value, key)
        super().__setitem__(key, value)

    def __delitem__(self, key: str) -> None:
        _check_key(key)
        super().__delitem__(key)

    def update(self, *others: Any, **more: Any) -> None:
        """Set several keys; each is checked before any is set."""
        rows = dict(*others, **more)
        for key, value in rows.items():
            _check_key(key)
            to_json(value, key)
        super().update(rows)

    def setdefault(self, key: str, default: Any = None) -> Any:
        """Set a key unless it is there."""
        if key not in self:
            self[key] = default
        return self[key]

    def pop(self, key: str, *default: Any) -> Any:
        """Remove a key of the task's own."""
        _check_key(key)
        return super().pop(key, *default)

    def clear(self) -> None:
        """Remove the task's own keys."""
        for key in self.added_keys():
            super().__delitem__(key)

    def popitem(self) -> tuple[str, Any]:
        """Remove the key that the task set last."""
        key = next(reversed(self.added_keys()), None)
        if key is None:
            message = "the task added nothing to metadata yet"
            raise KeyError(message)
        return key, super().pop(key)

    def __ior__(self, other: Any) -> Metadata:  # type: ignore[override,misc]
        self.update(other)
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # A copy, here or in another process, is nobody's sidecar.
        return (dict, (dict(self),))

    def added_keys(self) -> list[str]:
        """The keys that the task set, in order."""
        return [key for key in self if key not in RESERVED_KEYS]

    def added(self) -> dict[str, Any]:
        """What the task set, as JSON holds it.

        Raises:
            MetadataError: a value was changed to something that JSON cannot hold after it was assigned.
        """
        return {key: to_json(self[key], key) for key in self.added_keys()}


def to_json(value: Any, name: str, depth: int = 0) -> Any:
    """A value as the sidecar holds it.

    Dates and times become ISO 8601, Decimal, Path, UUID and timedelta text, numpy and pandas scalars the
    Python value (pandas' NA null), NaN and infinities the texts `NaN`, `Infinity` and `-Infinity`.

    Raises:
        MetadataError: anything else, a key that is no text, a cycle, or text that UTF-8 cannot hold.
    """
    if depth > _MAX_DEPTH:
        message = f"metadata[{name!r}] is nested more than {_MAX_DEPTH} deep. Store it in a file."
        raise MetadataError(message)
    if value is None or isinstance(value, (bool, str)):
        return _checked_text(value, name) if isinstance(value, str) else value
    if isinstance(value, (int, float)):
        return _number(value, name)
    if isinstance(value, Mapping):
        return {
            _text_key(key, name): to_json(item, f"{name}.{key}", depth + 1)
            for key, item in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [to_json(item, f"{name}.{index}", depth + 1) for index, item in enumerate(value)]
    return _other(value, name, depth)


def _number(value: float, name: str) -> Any:
    if isinstance(value, int):
        if value.bit_length() > 1024:
            message = (
                f"metadata[{name!r}] is an integer of {value.bit_length()} bits. Store its text."
            )
            raise MetadataError(message)
        return int(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(value)


def _other(value: Any, name: str, depth: int) -> Any:
    if isinstance(value, (datetime, date, time)):
        return value.isoformat()
    if isinstance(value, (Decimal, PurePath, uuid.UUID, timedelta)):
        return _checked_text(str(value), name)
    # A scalar of numpy or pandas, without importing either.
    if hasattr(value, "dtype") and getattr(value, "shape", None) == () and hasattr(value, "item"):
        if getattr(value.dtype, "kind", "") in "mM":
            return str(value)  # numpy's own times: item() may give a bare number of nanoseconds
        return to_json(value.item(), name, depth + 1)
    if type(value).__name__ == "NAType":
        return None
    kind = f"{type(value).__module__}.{type(value).__qualname__}"
    message = (
        f"metadata[{name!r}] is a {kind}, which JSON cannot hold. "
        "Store numbers, texts, dates, lists or dicts of them; write larger things to a file."
    )
    raise MetadataError(message)


def _check_key(key: object) -> None:
    if not isinstance(key, str):
        message = f"metadata keys are texts; {key!r} is a {type(key).__name__}. Use str(…)."
        raise MetadataError(message)
    _checked_text(key, key)
    if key in RESERVED_KEYS:
        message = f"metadata[{key!r}] is Super Luigi's own key. Choose another name for yours."
        raise MetadataError(message)


def _text_key(key: object, name: str) -> str:
    if not isinstance(key, str):
        message = (
            f"metadata[{name!r}] has the key {key!r}, a {type(key).__name__}; JSON keys are texts. "
            "Use str(…)."
        )
        raise MetadataError(message)
    return _checked_text(key, name)


def _checked_text(text: str, name: str) -> str:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        message = (
            f"metadata[{name!r}] holds {text[:80]!r}, which UTF-8 cannot encode. Clean it first."
        )
        raise MetadataError(message) from None
    if "\0" in text:
        message = f"metadata[{name!r}] holds a NUL character. Remove it."
        raise MetadataError(message)
    return text
