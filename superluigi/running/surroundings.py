"""What a task may leave behind in its process, for the next one to stumble over."""

from __future__ import annotations

import multiprocessing
import os
import sys
import threading
from dataclasses import dataclass

from luigi.task_status import FAILED

__all__ = ["Surroundings"]

_SHORT_S = 1.0
"""A longer run does not gain by having a process that is there already."""

_MAX_GROWTH_BYTES = 64 << 20
"""Of the memory that a process ever had at a time."""


@dataclass(frozen=True)
class Surroundings:
    """The state of a process as far as it can be told.

    What a task changes in the modules that it imports cannot: with one worker, in one process, the next
    task sees that too.
    """

    directory: str
    variables: dict[str, str]
    threads: int
    most_memory_bytes: int

    @classmethod
    def now(cls) -> Surroundings:
        """Those of this process."""
        return cls(_directory(), dict(os.environ), threading.active_count(), _most_memory_bytes())

    def are_kept(self, status: str, took_s: float) -> bool:
        """Whether another task may run here after one that has ended.

        Args:
            status: Luigi's word for how it ended.
            took_s: How long it ran.
        """
        return (
            status != FAILED
            and took_s < _SHORT_S
            and _most_memory_bytes() - self.most_memory_bytes < _MAX_GROWTH_BYTES
            and threading.active_count() == self.threads
            and not multiprocessing.active_children()
            and _directory() == self.directory
            and dict(os.environ) == self.variables
        )


def _directory() -> str:
    try:
        return os.getcwd()  # noqa: PTH109 - hot
    except FileNotFoundError:
        return ""


def _most_memory_bytes() -> int:
    if sys.platform == "win32":
        return 0
    import resource

    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
