"""Watching how many bytes have arrived, for whoever shows it; nobody does most of the time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["note_received", "watching_downloads"]

_watchers: list[Callable[[int], None]] = []


@contextmanager
def watching_downloads(received: Callable[[int], None]) -> Iterator[None]:
    """Call `received` with the number of bytes of each piece that arrives, from any thread."""
    _watchers.append(received)
    try:
        yield
    finally:
        _watchers.remove(received)


def note_received(count: int) -> None:
    """Tell those who watch."""
    for watcher in _watchers:
        watcher(count)
