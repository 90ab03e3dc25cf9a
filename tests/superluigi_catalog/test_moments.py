from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from superluigi_catalog.moments import Moment, utc_moment

NOW = datetime(2026, 1, 5, 12, tzinfo=timezone.utc)


CASES: list[tuple[Moment, str]] = [
    ("2026-01-05", "2026-01-05T00:00:00.000000Z"),
    (" 2026-01-05T08:30 ", "2026-01-05T08:30:00.000000Z"),
    ("2026-01-05 08:30:01Z", "2026-01-05T08:30:01.000000Z"),
    ("2026-01-05T08:12:31.123456Z", "2026-01-05T08:12:31.123456Z"),
    ("2026-01-05T00:30+01:00", "2026-01-04T23:30:00.000000Z"),
    ("90m", "2026-01-05T10:30:00.000000Z"),
    ("1.5 h", "2026-01-05T10:30:00.000000Z"),
    ("2w", "2025-12-22T12:00:00.000000Z"),
    (timedelta(days=1), "2026-01-04T12:00:00.000000Z"),
    (date(2026, 1, 5), "2026-01-05T00:00:00.000000Z"),
    (NOW, "2026-01-05T12:00:00.000000Z"),
    (timedelta.max, "0001-01-01T00:00:00.000000Z"),
]


@pytest.mark.parametrize(
    ("when", "told"),
    CASES,
    ids=[f"{type(when).__name__} {when}" for when, _ in CASES],
)
def test_a_moment_becomes_text_that_compares(when: Moment, told: str) -> None:
    assert utc_moment(when, now=NOW) == told


@pytest.mark.parametrize(
    "text", ["", "soon", "7 days", "2026-13-01", "9999999999w", "-1h", "05.01.2026"]
)
def test_what_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no moment"):
        utc_moment(text)
