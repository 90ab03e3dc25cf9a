"""Showing downloads while they are under way."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from superluigi.cli.output import tell
from superluigi.cli.texts import size_text

if TYPE_CHECKING:
    from superluigi.syncing import Synced

__all__ = ["synced_dict", "watched"]

_REDRAW_S = 0.2


def synced_dict(synced: Synced) -> dict[str, Any]:
    """A local copy as JSON."""
    return asdict(synced)


@contextmanager
def watched(what: str) -> Iterator[None]:
    """Show on stderr how much arrives: a moving line on a terminal, else one line in the end."""
    from superluigi.s3.transfers import watching_downloads

    line = _Line(what)
    try:
        with watching_downloads(line.add):
            yield
    finally:
        line.end()


class _Line:
    """`12.5 MB  8.1 MB/s  s3://lake/events/`."""

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._begun = time.monotonic()
        self._drawn = 0.0
        self._count = 0
        self._moves = sys.stderr.isatty()

    def add(self, count: int) -> None:
        """Count what arrived, and draw the line now and then."""
        with self._lock:
            self._count += count
            now = time.monotonic()
            if self._moves and now - self._drawn > _REDRAW_S:
                self._drawn = now
                sys.stderr.write(f"\r\x1b[2K{self._text()[:78]}")
                sys.stderr.flush()

    def end(self) -> None:
        """Leave the line as it is in the end; nothing when nothing had to come."""
        if self._moves and self._drawn:
            sys.stderr.write("\r\x1b[2K")
        if self._count:
            tell(self._text())

    def _text(self) -> str:
        from superluigi_catalog.text import printable

        seconds = max(time.monotonic() - self._begun, 0.001)
        rate = size_text(int(self._count / seconds))
        return f"{size_text(self._count)} received, {rate}/s  {printable(self._what)}"
