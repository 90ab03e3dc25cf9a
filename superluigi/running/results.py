"""The queue on which runs report back to their build, from this process or from a child."""

from __future__ import annotations

import multiprocessing
import os
from collections import deque
from typing import Any

from superluigi_catalog.records import RunEntry

__all__ = ["Report", "ResultQueue"]

Report = tuple[str, str, Any, list[str], list[Any], "RunEntry | None"]
"""task_id, Luigi's status, explanation, missing dependencies, new requirements, what to record."""


class ResultQueue:
    """A queue that needs no pipe where the run was in this process."""

    def __init__(self) -> None:
        self._own_pid = os.getpid()
        self._here: deque[Report] = deque()
        self._from_children: Any = None

    def open_for_children(self) -> None:
        """Make the pipe, before the first child is started."""
        if self._from_children is None:
            self._from_children = multiprocessing.Queue()

    def put(self, report: Any) -> None:
        """Report; Luigi's own reports (a child that died) have five fields."""
        full: Report = report if len(report) == 6 else (*report, None)
        if os.getpid() == self._own_pid:
            self._here.append(full)
        else:
            self._from_children.put(full)

    def would_wait(self) -> bool:
        """Whether no report of this process is there."""
        return not self._here

    def get(self, timeout: float) -> Report:
        """The next report.

        Raises:
            queue.Empty: none came within `timeout` seconds.
        """
        if self._here:
            return self._here.popleft()
        self.open_for_children()
        report: Report = self._from_children.get(timeout=timeout)
        return report

    def close(self) -> None:
        """Close the pipe."""
        if self._from_children is not None:
            self._from_children.close()

    def __getstate__(self) -> dict[str, Any]:
        # A spawned child gets the pipe; its own reports are never local to the parent.
        return {"_own_pid": -1, "_here": deque(), "_from_children": self._from_children}
