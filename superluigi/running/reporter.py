"""What a running task says of itself: progress and messages, for the scheduler and for the events."""

from __future__ import annotations

import copy
import os
from typing import Any

from luigi.worker import TaskStatusReporter

from superluigi.running.events import event_line

__all__ = ["RunReporter"]


class RunReporter(TaskStatusReporter):
    """Luigi's reporter, writing progress to the build's events as well; works in a spawned child.

    Source: https://github.com/spotify/luigi/blob/master/luigi/worker.py (3.8).
    """

    def __init__(
        self, *luigi_arguments: Any, build_id: str, events_path: str, is_local: bool
    ) -> None:
        super().__init__(*luigi_arguments)
        self._build_id = build_id
        self._events_path = events_path
        self._is_local = is_local

    def for_task(self, task_hash: str) -> RunReporter:
        """The same for another task, in the same process."""
        other = copy.copy(self)
        other._task_id = task_hash
        return other

    def update_progress_percentage(self, percentage: float) -> None:
        """Tell how far the task is, 0 to 100."""
        line = event_line(
            self._build_id, "run_progress", task_hash=self._task_id, percentage=percentage
        )
        descriptor = os.open(self._events_path, os.O_WRONLY | os.O_APPEND)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)
        super().update_progress_percentage(percentage)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        if self._is_local:
            state["_scheduler"] = _Unheard()  # a copy of it in a child would tell nobody
        return state


class _Unheard:
    """A scheduler that is in another process."""

    def set_task_progress_percentage(self, *_: Any) -> None:
        """Ignored."""

    def set_task_status_message(self, *_: Any) -> None:
        """Ignored."""

    def decrease_running_task_resources(self, *_: Any) -> None:
        """Ignored."""

    def add_task(self, **_: Any) -> None:
        """Ignored."""
