"""After a reboot: what may not have reached the disk before it.

Nothing is forced to the disk when it is published (`durability = "detect"`), so a machine that loses power
may come back with files whose size and times are right and whose bytes are not. What was published within
the last minute before the last run that the old boot saw, or later, is read before it is trusted.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Protocol

from superluigi.execution.order import utc_text

__all__ = ["Suspects", "suspects_of"]

_WRITEBACK_NS = 60_000_000_000
"""The kernel writes what is older than half a minute; twice that is on the safe side."""


@dataclass(frozen=True, slots=True)
class Suspects:
    """A span of time whose looks at targets are not trusted."""

    since_ns: int
    booted_ns: int

    def include(self, looked_ns: int) -> bool:
        """Whether a look at that time may have seen what never reached the disk."""
        return self.since_ns <= looked_ns < self.booted_ns


class History(Protocol):
    """What this needs of the catalog."""

    def last_start_before(self, when: str) -> str | None:
        """When the last run before a moment began."""


def suspects_of(catalog: History) -> Suspects | None:
    """What to distrust since the machine was started; None when it saw no run before."""
    booted_ns = boot_time_ns()
    if booted_ns is None:
        return None
    last = catalog.last_start_before(utc_text(booted_ns / 1e9))
    if last is None:
        return None
    started = datetime.strptime(last, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    return Suspects(int(started.timestamp() * 1e9) - _WRITEBACK_NS, booted_ns)


def boot_time_ns() -> int | None:
    """When the machine was started, in nanoseconds since the epoch; None where nobody says."""
    if sys.platform == "linux":
        clock = time.CLOCK_BOOTTIME
    elif sys.platform == "darwin":
        clock = time.CLOCK_MONOTONIC
    else:
        return None
    return time.time_ns() - time.clock_gettime_ns(clock)
