from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from superluigi_catalog import printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred", r"\x1b[31mred"),
        ("\x1b]0;title\x07", r"\x1b]0;title\x07"),
        ("c1 \x9b31m", r"c1 \x9b31m"),
        ("\u202egnp.exe", r"\u202egnp.exe"),
        ("zero\u200bwidth", r"zero\u200bwidth"),
        ("two\nlines\tand\r", r"two\nlines\tand\r"),
        ("\udc80", r"\udc80"),
        ("\U000e0041", r"\U000e0041"),
        ("漢字 é", "漢字 é"),
        ("non\u00a0breaking", "non\u00a0breaking"),
        ("👩\u200d🚀", "👩\u200d🚀"),
    ],
)
def test_what_could_harm_a_terminal_is_shown_as_an_escape(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_block_keeps_its_lines_and_nothing_else() -> None:
    assert printable("a\n\tb\x1b\r", multiline=True) == "a\n\tb\\x1b\\r"


@given(st.text())
def test_nothing_harmful_is_ever_left(text: str) -> None:
    shown = printable(text)
    assert not any(
        unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in shown
    )
    assert not {"\u202e", "\u2066", "\u200b", "\ufeff"} & set(shown)
    shown.encode("utf-8")
    assert printable(shown) == shown
