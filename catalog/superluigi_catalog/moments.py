"""Moments as people say them: a date, a time, how long ago."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta, timezone

__all__ = ["Moment", "utc_moment"]

Moment = datetime | date | timedelta | str
"""What `utc_moment` takes."""

_AGO = re.compile(r"(\d+(?:\.\d+)?)\s*([smhdw])")
_UNITS_S = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def utc_moment(when: Moment, *, now: datetime | None = None) -> str:
    """Bring a moment into the form of the records, so that the two compare as text.

    Args:
        when: A time; a date, which means its beginning; or how long ago. As text: `2026-01-05`,
            `2026-01-05T08:30` (also with seconds and an offset), `36h`, `7d` (s, m, h, d, w). What names
            no offset is UTC; a `datetime` without one is local time, as Python has it.
        now: What a duration is counted back from.

    Returns:
        UTC, ISO 8601 with microseconds and a `Z`.

    Raises:
        ValueError: it says no moment.

    Example:
        >>> utc_moment("2026-01-05T09:30+01:00")
        '2026-01-05T08:30:00.000000Z'
    """
    if isinstance(when, str):
        when = _read(when)
    if isinstance(when, timedelta):
        return _ago(when, now or datetime.now(timezone.utc))
    if not isinstance(when, datetime):
        when = datetime.combine(when, time(), timezone.utc)
    return _text(when.astimezone(timezone.utc))


def _read(text: str) -> datetime | timedelta:
    found = _AGO.fullmatch(text.strip())
    try:
        if found is not None:
            return timedelta(seconds=float(found[1]) * _UNITS_S[found[2]])
        # Python 3.10 reads no Z.
        moment = datetime.fromisoformat(re.sub(r"[zZ]$", "+00:00", text.strip()))
    except (ValueError, OverflowError):
        message = (
            f"{text!r} is no moment. Give a date or a time in UTC (2026-01-05, 2026-01-05T08:30), "
            "or how long ago (90m, 36h, 7d, 2w)."
        )
        raise ValueError(message) from None
    return moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)


def _ago(duration: timedelta, now: datetime) -> str:
    try:
        return _text(now.astimezone(timezone.utc) - duration)
    except OverflowError:
        return _text(datetime.min.replace(tzinfo=timezone.utc))


def _text(moment: datetime) -> str:
    # strftime writes the year 1 as 1.
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"
