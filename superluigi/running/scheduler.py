"""Luigi's scheduler for one build in one process: no cooldown, no pruning, no recursion."""

from __future__ import annotations

from typing import Any

from luigi.scheduler import Scheduler, Task

__all__ = ["LocalScheduler"]


class LocalScheduler(Scheduler):
    """An in-memory scheduler that lives as long as one build.

    Source: https://github.com/spotify/luigi/blob/master/luigi/scheduler.py (3.8).
    """

    def __init__(self) -> None:
        # Pruning looks at every task each time work is asked for, to find workers that are gone and
        # tasks to retry later: here there is one worker, and retries are the build's own.
        super().__init__(
            prune_on_get_work=False, record_task_history=False, stable_done_cooldown_secs=0
        )

    def _update_priority(self, task: Task, prio: int, worker: str) -> None:
        """Raise the priority of everything upstream, without recursion (a deep chain would break it)."""
        pending: list[tuple[Any, int]] = [(task, prio)]
        while pending:
            current, wanted = pending.pop()
            own = current.priority
            existing = own if isinstance(own, (int, float)) else Task.DEFAULT_PRIORITY
            current.priority = raised = max(wanted, existing)
            for name in current.deps or []:
                upstream = self._state.get_task(name)
                if upstream is not None and raised > upstream.priority:
                    pending.append((upstream, raised))
