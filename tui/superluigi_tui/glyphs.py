"""Signs for states, always shown beside a word; plain ASCII where the terminal or the user wants it."""

from __future__ import annotations

import codecs
import locale
import os
from dataclasses import dataclass

__all__ = ["ASCII", "UNICODE", "Glyphs", "glyphs_for"]


@dataclass(frozen=True)
class Glyphs:
    """One set of signs, each a cell wide."""

    states: dict[str, str]
    """By status of a task, run or build, or by action of a decision."""
    cursor: str
    mark: str
    more: str
    """At the end of text that was cut."""
    up: str
    down: str
    bar_full: str
    bar_empty: str
    sparks: str
    """From none to most."""
    none: str
    """Where there is nothing to show."""
    dot: str
    """Between facts of one line."""
    arrow: str
    into: str
    """Between the steps of where one is."""
    times: str
    """Before a number of tasks."""
    point: str
    """Where a line of a map leads."""
    is_ascii: bool = False

    def plain(self, text: str) -> str:
        """Write the signs of our own texts as the user wants them."""
        return text.translate(_PLAIN) if self.is_ascii else text

    def state(self, name: str) -> str:
        """Give the sign of a state."""
        return self.states.get(name, "?")


_PLAIN = str.maketrans("·…→×›↑↓←", "-~>x>^v<")  # noqa: RUF001

UNICODE = Glyphs(
    states={
        "fresh": "●",
        "succeeded": "●",
        "skip": "●",
        "unchanged": "●",
        "shared": "●",
        "adopted": "●",
        "stale": "◐",
        "maybe": "◌",
        "waiting": "◌",
        "failed": "✗",
        "interrupted": "✗",
        "missing": "○",
        "running": "▶",
        "run": "▶",
        "blocked": "⊘",
        "unknown": "?",
        "present": "●",
        "partial": "◐",
        "error": "✗",
    },
    cursor="▌",
    mark="◆",
    more="…",
    up="↑",
    down="↓",
    bar_full="▇",
    bar_empty="▁",
    sparks="▁▂▃▄▅▆▇",
    none="—",
    dot="·",
    arrow="→",
    into="›",  # noqa: RUF001
    times="×",  # noqa: RUF001
    point="▸",
)

ASCII = Glyphs(
    states={
        "fresh": "+",
        "succeeded": "+",
        "skip": "+",
        "unchanged": "+",
        "shared": "+",
        "adopted": "+",
        "stale": "~",
        "maybe": "~",
        "waiting": ".",
        "failed": "x",
        "interrupted": "x",
        "missing": "o",
        "running": ">",
        "run": ">",
        "blocked": "#",
        "unknown": "?",
        "present": "+",
        "partial": "~",
        "error": "x",
    },
    cursor=">",
    mark="*",
    more="~",
    up="^",
    down="v",
    bar_full="#",
    bar_empty=".",
    sparks="_.-=+*#",
    none="-",
    dot="-",
    arrow="->",
    into=">",
    times="x",
    point=">",
    is_ascii=True,
)


def glyphs_for(choice: str = "auto") -> Glyphs:
    """Choose the signs.

    Args:
        choice: `unicode`, `ascii`, or `auto`: by the encoding of the locale.
    """
    if choice == "ascii":
        return ASCII
    if choice == "unicode":
        return UNICODE
    encoding = locale.getpreferredencoding(False) or "ascii"
    is_plain = os.environ.get("TERM") in ("dumb", "linux")
    return UNICODE if codecs.lookup(encoding).name == "utf-8" and not is_plain else ASCII
