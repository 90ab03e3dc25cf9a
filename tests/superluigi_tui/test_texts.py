from __future__ import annotations

import pytest
from rich.cells import cell_len

from superluigi_tui.texts import age_text, duration_text, fit, one_line, params_text


@pytest.mark.parametrize("width", [0, 1, 2, 7, 40])
@pytest.mark.parametrize(
    "text", ["", "plain", "漢字かな", "a👩\u200d🚀b", "x" * 90, "é\u0301"], ids=range(6)
)
def test_text_is_made_to_fit_exactly(text: str, width: int) -> None:
    assert cell_len(fit(one_line(text), width)) == width
    assert cell_len(fit(one_line(text), width, right=True)) == width


def test_a_line_has_no_control_characters_and_an_end() -> None:
    assert one_line("a\x1b[31m\n\u202eb") == "a\\x1b[31m\\n\\u202eb"
    assert len(one_line("x" * 100_000)) < 5_000
    assert len(params_text({f"p{n}": "y" * 9_000 for n in range(999)})) < 10_000


def test_times_are_short() -> None:
    assert [duration_text(s) for s in (None, 0.04, 59.9, 61, 3_700, 400_000, 9e9)] == [
        "",
        "0.0s",
        "59s",
        "1m01s",
        "1h01m",
        "4d",
        "104166d",
    ]
    now = 1_000_000_000.0
    assert age_text("2001-09-09T01:46:30.000000Z", now) == "10s"
    assert age_text("2001-09-08T01:46:30.000000Z", now) == "1d"
    assert age_text("2031-09-08T01:46:30.000000Z", now) == "0s"
    assert age_text("no time", now) == age_text(None, now) == ""
