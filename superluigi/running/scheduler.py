"""Luigi's scheduler for one build in one process: linear where that is safe, and without recursion."""

from __future__ import annotations

import heapq
import itertools
from typing import Any

from luigi.scheduler import Scheduler, Task
from luigi.task_status import DONE, PENDING, RUNNING

__all__ = ["LocalScheduler"]


class LocalScheduler(Scheduler):
    """An in-memory scheduler that lives as long as one build.

    Luigi's own looks at every task each time work is asked for. Here what can run waits in a heap, in
    Luigi's order: higher priority first, then the one announced earlier. Where its answer depends on more
    than that (resources, several workers, pausing), Luigi's own method answers.

    Source: https://github.com/spotify/luigi/blob/master/luigi/scheduler.py (3.8).
    """

    def __init__(self) -> None:
        # Pruning looks for workers that are gone and tasks to retry later: here there is one worker, and
        # retries are the build's own.
        super().__init__(
            prune_on_get_work=False, record_task_history=False, stable_done_cooldown_secs=0
        )
        self._ready: list[tuple[float, float, int, str]] = []
        self._order = itertools.count()
        self._unmet: dict[str, set[str]] = {}
        self._waiting_for: dict[str, set[str]] = {}
        self._needs_stock = bool(self._resources)

    def add_task(self, *args: Any, **kwargs: Any) -> None:
        """Take a task or its new status in."""
        if self._is_plain_end(kwargs):
            self._end(kwargs)
            return
        # Luigi makes a dummy of every dependency before it asks whether that is known, once for each edge.
        upstream = kwargs.pop("deps", None) or ()
        if not all(self._state.has_task(name) for name in upstream):
            kwargs["deps"] = upstream
        super().add_task(*args, **kwargs)
        task = self._state.get_task(kwargs["task_id"])
        if task is None:
            return
        if upstream and "deps" not in kwargs:
            task.deps = set(upstream)
            self._update_priority(task, task.priority, kwargs["worker"])
        if task.resources or kwargs.get("batch_id"):
            self._needs_stock = True
        if task.status == PENDING:
            self._wait_or_push(task)
        elif task.status == DONE:
            self._release(task.id)

    def _is_plain_end(self, told: dict[str, Any]) -> bool:
        """Whether a task has ended well that this worker ran, and nothing else is to be taken in."""
        task = self._state.get_task(told["task_id"])
        return (
            told["status"] == DONE
            and task is not None
            and task.status == RUNNING
            and task.worker_running == told["worker"]
            and task.batch_id is None
            and task.remove is None
            and not told.get("new_deps")
            and not told.get("assistant")
        )

    def _end(self, told: dict[str, Any]) -> None:
        """What Luigi's `add_task` does with such a task."""
        task: Any = self._state.get_task(told["task_id"])
        self._update_worker(told["worker"])
        task.expl = told.get("expl")
        self._update_task_history(task, DONE)
        self._state.set_status(task, DONE, self._config)
        self._release(task.id)

    def get_work(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """The next task to run, or none."""
        if not self._is_simple(kwargs):
            reply: dict[str, Any] = super().get_work(*args, **kwargs)
            return reply
        worker_id = kwargs["worker"]
        worker = self._update_worker(
            worker_id, worker_reference={"host": kwargs.get("host")}, get_work=True
        )
        task = self._popped(worker_id)
        answer: dict[str, Any] = {
            "n_pending_tasks": len(self._unmet),
            "n_unique_pending": len(self._unmet),
            "n_pending_last_scheduled": len(self._unmet),
            "running_tasks": [],
            "worker_state": worker.state,
            "task_id": None,
        }
        if task is not None:
            self._start(task, worker_id, kwargs.get("host"))
            answer |= {
                "task_id": task.id,
                "task_family": task.family,
                "task_module": getattr(task, "module", None),
                "task_params": task.params,
            }
        return answer

    def _is_simple(self, asked: dict[str, Any]) -> bool:
        return not (
            self._needs_stock
            or self._resources
            or self._paused
            or asked.get("assistant")
            or len(self._state.get_worker_ids()) > 1
            or not self._state.get_worker(asked["worker"]).enabled
        )

    def _popped(self, worker_id: str) -> Task | None:
        while self._ready:
            _, _, _, task_id = heapq.heappop(self._ready)
            task: Any = self._state.get_task(task_id)
            # A task is pushed again when its priority rises; the older entry is stale then.
            is_ready = task is not None and task.status == PENDING and not self._unmet.get(task_id)
            if is_ready and worker_id in task.workers:
                found: Task = task
                return found
        return None

    def _start(self, task: Task, worker_id: str, host: Any) -> None:
        """What Luigi's `get_work` does with the task that it hands out."""
        self._unmet.pop(task.id, None)
        self.update_metrics_task_started(task)
        self._state.set_status(task, RUNNING, self._config)
        task.worker_running = worker_id
        started: Any = task
        started.resources_running = task.resources.copy()
        started.time_running = task.updated
        self._update_task_history(task, RUNNING, host=host)

    def _wait_or_push(self, task: Task) -> None:
        unmet = {name for name in task.deps or () if not self._is_done(name)}
        self._unmet[task.id] = unmet
        for name in unmet:
            self._waiting_for.setdefault(name, set()).add(task.id)
        if not unmet:
            self._push(task)

    def _release(self, task_id: str) -> None:
        for name in self._waiting_for.pop(task_id, ()):
            unmet = self._unmet.get(name)
            if unmet is None:
                continue
            unmet.discard(task_id)
            task = self._state.get_task(name)
            if not unmet and task is not None and task.status == PENDING:
                self._push(task)

    def _is_done(self, task_id: str) -> bool:
        task = self._state.get_task(task_id)
        return task is not None and task.status == DONE

    def _push(self, task: Task) -> None:
        heapq.heappush(self._ready, (-task.priority, task.time, next(self._order), task.id))

    def _update_priority(self, task: Task, prio: int, worker: str) -> None:
        """Raise the priority of everything upstream, without recursion (a deep chain would break it)."""
        pending: list[tuple[Any, float]] = [(task, prio)]
        while pending:
            current, wanted = pending.pop()
            own = current.priority
            existing = own if isinstance(own, (int, float)) else Task.DEFAULT_PRIORITY
            raised = max(wanted, existing)
            if current.priority != raised:
                current.priority = raised
                if self._unmet.get(current.id) == set():
                    self._push(current)
            for name in current.deps or ():
                upstream = self._state.get_task(name)
                if upstream is not None and raised > upstream.priority:
                    pending.append((upstream, raised))
