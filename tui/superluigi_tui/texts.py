"""Records as short texts: times, sizes, parameters; and any text made to fit a number of cells."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from rich.cells import cell_len, set_cell_size

from superluigi_catalog.text import printable, size_text

__all__ = [
    "age_text",
    "count_text",
    "duration_text",
    "fit",
    "one_line",
    "params_text",
    "run_words",
    "short_hash",
    "size_text",
]

_JOINERS = {0x200C: None, 0x200D: None}
_MAX_CHARACTERS = 4_000
"""Of one line: more is not looked at, so that a parameter of 100 kB costs nothing."""

_MINUTE, _HOUR, _DAY = 60, 3_600, 86_400


def one_line(text: object) -> str:
    """Make anything harmless for a cell of a screen: one line, no control characters, bounded.

    Joiners go: with them terminals disagree on how wide an emoji is.
    """
    shown = str(text)
    if len(shown) > _MAX_CHARACTERS:
        shown = shown[:_MAX_CHARACTERS] + "…"
    return printable(shown).translate(_JOINERS)


def fit(text: str, width: int, *, right: bool = False, more: str = "…") -> str:
    """Cut or pad harmless text to exactly `width` cells.

    Args:
        text: From `one_line`.
        right: Pad on the left.
        more: What stands at the end of cut text.
    """
    if width <= 0:
        return ""
    length = cell_len(text)
    if length > width:
        return set_cell_size(text, width - 1) + more if width > 1 else more[:width]
    padding = " " * (width - length)
    return padding + text if right else text + padding


def short_hash(task_hash: str, digits: int = 8) -> str:
    """The beginning of a hash, which people compare."""
    return task_hash[:digits]


def params_text(params: Mapping[str, Any]) -> str:
    """Parameters on one line, looked at no further than a line is long."""
    parts: list[str] = []
    length = 0
    for name, value in params.items():
        parts.append(f"{name[:200]}={str(value)[:500]}")
        length += len(parts[-1])
        if length > _MAX_CHARACTERS:
            break
    return one_line(" ".join(parts))


def count_text(count: int) -> str:
    """A number with its thousands apart."""
    return f"{count:,}"


def duration_text(seconds: float | None) -> str:
    """A duration, at most six cells wide.

    Example:
        >>> duration_text(0.25), duration_text(12), duration_text(220), duration_text(7300)
        ('0.2s', '12s', '3m40s', '2h01m')
    """
    if seconds is None:
        return ""
    if seconds < 10:
        return f"{max(seconds, 0):.1f}s"
    whole = int(seconds)
    if whole < _MINUTE:
        return f"{whole}s"
    if whole < _HOUR:
        return f"{whole // _MINUTE}m{whole % _MINUTE:02}s"
    if whole < 100 * _HOUR:
        return f"{whole // _HOUR}h{whole % _HOUR // _MINUTE:02}m"
    return f"{whole // _DAY}d"


def age_text(moment: str | None, now: float) -> str:
    """How long ago something was, at most four cells wide; empty when unknown.

    Args:
        moment: UTC, ISO 8601.
        now: Seconds since the epoch.
    """
    then = _seconds(moment)
    if then is None:
        return ""
    ago = max(0, int(now - then))
    for unit, sign in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "m")):
        if ago >= unit:
            return f"{ago // unit}{sign}"
    return f"{ago}s"


def run_words(status: str) -> str:
    """A run's status as a word of a column."""
    return {"succeeded": "ok", "interrupted": "crashed"}.get(status, status)


def _seconds(moment: str | None) -> float | None:
    try:
        parsed = datetime.fromisoformat((moment or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    if parsed.tzinfo is None:
        parsed = parsed.replace(tzinfo=timezone.utc)
    return parsed.timestamp()
