"""The queue on which runs report back to their build, from this process or from one of the pool."""

from __future__ import annotations

import queue
from collections import deque
from typing import TYPE_CHECKING, Any

from superluigi_catalog.records import RunEntry

if TYPE_CHECKING:
    from superluigi.running.pool import WorkerPool

__all__ = ["Report", "ResultQueue"]

Report = tuple[str, str, Any, list[str], list[Any], "RunEntry | None"]
"""task_id, Luigi's status, explanation, missing dependencies, new requirements, what to record."""


class ResultQueue:
    """What was reported in this process, then what the processes of the pool report."""

    def __init__(self, pool: WorkerPool) -> None:
        self._pool = pool
        self._here: deque[Report] = deque()

    def put(self, report: Any) -> None:
        """Report; Luigi's own reports (a child that died) have five fields."""
        self._here.append(report if len(report) == 6 else (*report, None))

    def would_wait(self) -> bool:
        """Whether no report of this process is there."""
        return not self._here

    def get(self, timeout: float) -> Report:
        """The next report.

        Raises:
            queue.Empty: none came within `timeout` seconds.
        """
        if not self._here:
            self._here.extend(self._pool.reports(timeout))
        if not self._here:
            raise queue.Empty
        return self._here.popleft()

    def close(self) -> None:
        """Nothing to close: the processes are the pool's."""
