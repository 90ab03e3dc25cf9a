"""Ids of runs and builds."""

from __future__ import annotations

import os
import threading
import time

__all__ = ["new_uuid7"]

_last_milliseconds = 0
_lock = threading.Lock()


def new_uuid7() -> str:
    """A UUID of version 7: its text sorts by the time of making, also within one millisecond here.

    Source: RFC 9562, section 5.7.
    """
    global _last_milliseconds
    with _lock:
        now = max(time.time_ns() // 1_000_000, _last_milliseconds)
        # 12 bits of a counter would do for order; taking the next millisecond is simpler and rare.
        _last_milliseconds = now + 1
    random_bits = int.from_bytes(os.urandom(10), "big")
    value = (now << 80) | (0x7 << 76) | ((random_bits >> 68) & 0xFFF) << 64
    value |= (0b10 << 62) | (random_bits & ((1 << 62) - 1))
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"
