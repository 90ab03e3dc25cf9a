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
from superluigi.cli.texts import duration_text, size_text

if TYPE_CHECKING:
    from superluigi.s3.transfers import Meter
    from superluigi.syncing import Synced

__all__ = ["synced_dict", "watched"]

_REDRAW_S = 0.2


def synced_dict(synced: Synced) -> dict[str, Any]:
    """A local copy as JSON."""
    return asdict(synced)


@contextmanager
def watched(what: str) -> Iterator[None]:
    """Show on stderr how much arrives: a moving line on a terminal, else one line in the end."""
    from superluigi.s3.transfers import Meter, watching

    line = _Line(what)
    line.meter = meter = Meter(line.draw)
    try:
        with watching(meter):
            yield
    finally:
        line.end()


class _Line:
    """`12.5 MB of 500.0 MB, 8.1 MB/s, 1 min left  s3://lake/events/`."""

    meter: Meter

    def __init__(self, what: str) -> None:
        self._what = what
        self._lock = threading.Lock()
        self._drawn = 0.0
        self._moves = sys.stderr.isatty()

    def draw(self) -> None:
        """Draw the line now and then."""
        with self._lock:
            now = time.monotonic()
            if self._moves and now - self._drawn > _REDRAW_S:
                self._drawn = now
                sys.stderr.write(f"\r\x1b[2K{self._text()[:78]}")
                sys.stderr.flush()

    def end(self) -> None:
        """Leave the line as it is in the end; nothing when nothing had to come."""
        if self._moves and self._drawn:
            sys.stderr.write("\r\x1b[2K")
        text = self._text()
        if text:
            tell(text)

    def _text(self) -> str:
        from superluigi_catalog.text import printable

        found = self.meter.reading()
        if found is None or not found.moved:
            return ""
        rate = f"{size_text(int(found.bytes_per_s))}/s"
        if found.seconds_left is None:
            how_far = f"{size_text(found.moved)} received, {rate}"
        else:
            left = duration_text(found.seconds_left)
            how_far = (
                f"{size_text(found.moved)} of {size_text(found.expected)}, {rate}, {left} left"
            )
        return f"{how_far}  {printable(self._what)}"
