"""Conditions on parameters: a value, or a range of numbers or dates."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from datetime import date
from typing import Any

from superluigi_catalog.recording.tasks import MAX_INDEXED_VALUE
from superluigi_catalog.storage.values import storable

__all__ = ["Condition", "param_conditions"]

Condition = tuple[str, tuple[Any, ...]]
"""Constant SQL about the task `t`, and its values."""

_DATE = re.compile(r"\d{4}(-\d\d?(-\d\d?([T ][\d:]*)?)?|-W\d\d)?")
_EQUAL = """
t.id IN (SELECT p.task_id FROM task_params p JOIN param_names n ON n.id = p.param_id
  WHERE n.name = ? AND p.value = ?)
"""
_EQUAL_WHOLE = "EXISTS (SELECT 1 FROM json_each(t.params) j WHERE j.key = ? AND j.value = ?)"
_BETWEEN_TEXTS = """
t.id IN (SELECT p.task_id FROM param_names n CROSS JOIN task_params p ON p.param_id = n.id
  WHERE n.name = ? AND p.value >= ? AND p.value < ?)
"""
_BETWEEN_NUMBERS = """
t.id IN (SELECT p.task_id FROM param_names n CROSS JOIN task_params p ON p.param_id = n.id
  WHERE n.name = ? AND CASE WHEN json_valid(p.value) THEN
    json_type(p.value) IN ('integer', 'real') AND p.value + 0 BETWEEN ? AND ? END)
"""
_MOST = sys.float_info.max
_BEYOND_ALL = "\U0010ffff"


def param_conditions(name: str, value: Any) -> Iterator[Condition]:
    """Say in SQL that a parameter has a value, or lies in a range.

    Args:
        name: The parameter's.
        value: Compared as text; or a pair (lowest, highest), both included, None for an open end: of
            numbers, or of dates, of which the beginning is enough (`2026-01` as highest is all of January).

    Raises:
        ValueError: a range of anything else.
    """
    if isinstance(value, tuple):
        yield _range(name, value)
        return
    text = str(value)
    yield _EQUAL, (storable(name), storable(text[:MAX_INDEXED_VALUE]))
    if len(text) > MAX_INDEXED_VALUE:
        yield _EQUAL_WHOLE, (name, text)


def _range(name: str, ends: tuple[Any, ...]) -> Condition:
    if len(ends) != 2 or ends == (None, None):
        message = f"The range {ends!r} of {name!r} is no pair (lowest, highest), with None for an open end."
        raise ValueError(message)
    low, high = ends
    numbers = [None if end is None else _number(end) for end in ends]
    if all(end is None or number is not None for end, number in zip(ends, numbers, strict=True)):
        least = -_MOST if numbers[0] is None else numbers[0]
        most = _MOST if numbers[1] is None else numbers[1]
        return _BETWEEN_NUMBERS, (storable(name), least, most)
    first = "0" if low is None else _date(name, low)
    last = ":" if high is None else _date(name, high) + _BEYOND_ALL
    return _BETWEEN_TEXTS, (storable(name), first, last)


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        number = float(value)
    except ValueError:
        return None
    return None if number != number else number


def _date(name: str, value: Any) -> str:
    """Write a date as Luigi's parameters do, which have no colons in their times."""
    text = value.isoformat() if isinstance(value, date) else str(value)
    if not _DATE.fullmatch(text):
        message = f"{value!r} in the range of {name!r} is neither a number nor a date."
        raise ValueError(message)
    return text.replace(" ", "T").replace(":", "")
