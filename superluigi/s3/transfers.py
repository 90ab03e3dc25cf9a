"""Counting the bytes that go up and come down, for whoever shows them; nobody does most of the time."""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

__all__ = ["Meter", "Reading", "expecting", "note_expected", "note_moved", "watching"]

_SLOTS = 64
_SLOT = struct.Struct("=qq")
_BEGUN = struct.Struct("=d")

_meters: list[Meter] = []
_is_announced: ContextVar[bool] = ContextVar("superluigi_is_announced", default=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """How far transfers are."""

    moved: int
    expected: int
    """Bytes that there will be in the end, as far as is known by now."""
    seconds: float

    @property
    def bytes_per_s(self) -> float:
        """On the average."""
        return self.moved / max(self.seconds, 0.001)

    @property
    def seconds_left(self) -> float | None:
        """At that rate; None where nothing can be said yet, or nothing is left."""
        left = self.expected - self.moved
        return left / self.bytes_per_s if left > 0 and self.moved else None


class Meter:
    """Counts for this process and those that it forks, which all see one piece of memory.

    Args:
        changed: Called in this process, from any thread, when bytes have moved.
    """

    def __init__(self, changed: Callable[[], object] | None = None) -> None:
        self._memory = mmap.mmap(-1, _BEGUN.size + _SLOTS * _SLOT.size)
        self._lock = threading.Lock()
        self._changed = changed
        self._owner = os.getpid()

    def add(self, *, moved: int = 0, expected: int = 0) -> None:
        """Count."""
        with self._lock:
            if not _BEGUN.unpack_from(self._memory)[0]:
                _BEGUN.pack_into(self._memory, 0, time.monotonic())
            # Two processes in one slot could only miscount, and only what is shown.
            place = _BEGUN.size + os.getpid() % _SLOTS * _SLOT.size
            before = _SLOT.unpack_from(self._memory, place)
            _SLOT.pack_into(self._memory, place, before[0] + moved, before[1] + expected)
        if moved and self._changed is not None and os.getpid() == self._owner:
            self._changed()

    def reading(self) -> Reading | None:
        """What was counted since the last time that all was done; None when there is nothing."""
        begun = _BEGUN.unpack_from(self._memory)[0]
        slots = [
            _SLOT.unpack_from(self._memory, _BEGUN.size + number * _SLOT.size)
            for number in range(_SLOTS)
        ]
        moved, expected = (sum(column) for column in zip(*slots, strict=True))
        if not begun or not expected:
            return None
        return Reading(min(moved, expected), expected, time.monotonic() - begun)

    def reset(self) -> None:
        """Begin anew."""
        with self._lock:
            self._memory[:] = bytes(len(self._memory))


@contextmanager
def watching(meter: Meter) -> Iterator[Meter]:
    """Let a meter count what this process, and those that it forks, move while inside."""
    _meters.append(meter)
    try:
        yield meter
    finally:
        _meters.remove(meter)


@contextmanager
def expecting(count: int) -> Iterator[None]:
    """Announce the bytes of several transfers at once: those inside do not announce themselves."""
    note_expected(count)
    token = _is_announced.set(True)
    try:
        yield
    finally:
        _is_announced.reset(token)


def note_expected(count: int, *, is_certain: bool = False) -> None:
    """Announce bytes that are to move, unless `expecting` has done so.

    Args:
        is_certain: Count it all the same: what was announced turned out to be less.
    """
    if is_certain or not _is_announced.get():
        for meter in _meters:
            meter.add(expected=count)


def note_moved(count: int) -> None:
    """Tell those who watch."""
    for meter in _meters:
        meter.add(moved=count)
