"""How far a long command has come, on stderr."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from superluigi_catalog.upkeep import Progress

__all__ = ["counting"]

_FIRST_S = 1.0
_EVERY_S = 0.2
_EVERY_PLAIN_S = 10.0


@contextmanager
def counting(what: str) -> Iterator[Callable[[Progress], None]]:
    """Show a count while inside: one line that changes on a terminal, now and then a line elsewhere.

    Nothing is shown of what takes less than a second.

    Args:
        what: Is counted: `sidecars`.
    """
    line = _Line(what)
    try:
        yield line.show
    finally:
        line.clear()


class _Line:
    def __init__(self, what: str) -> None:
        self._what = what
        self._is_terminal = sys.stderr.isatty()
        self._next = time.monotonic() + _FIRST_S
        self._is_shown = False

    def show(self, progress: Progress) -> None:
        now = time.monotonic()
        if now < self._next:
            return
        self._next = now + (_EVERY_S if self._is_terminal else _EVERY_PLAIN_S)
        total = "" if progress.total is None else f" of {progress.total:,}"
        problems = f", {progress.problems:,} with problems" if progress.problems else ""
        text = f"{progress.done:,}{total} {self._what}{problems}"
        sys.stderr.write(f"\r\x1b[K{text}" if self._is_terminal else f"{text}\n")
        sys.stderr.flush()
        self._is_shown = True

    def clear(self) -> None:
        if self._is_shown and self._is_terminal:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
