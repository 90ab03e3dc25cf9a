"""Luigi's worker, told by a plan what to run."""

from __future__ import annotations

import json
import queue
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import luigi
from luigi.scheduler import WORKER_STATE_ACTIVE
from luigi.task_status import DONE, FAILED, PENDING
from luigi.worker import GetWorkResponse, Worker, _get_retry_policy_dict

from superluigi.registry import task_class
from superluigi.running.pool import WorkerPool
from superluigi.running.process import RunProcess, SettledProcess
from superluigi.running.reporter import RunReporter
from superluigi.running.results import ResultQueue
from superluigi.running.turns import Settled

if TYPE_CHECKING:
    from superluigi.planning.nodes import PlannedTask
    from superluigi.running.build import Build

__all__ = ["PlanWorker"]

# luigid ignores a PENDING for what it saw DONE a moment ago; this older word for it is not ignored.
_ASK_AGAIN = "SUSPENDED"

_POLL_S = 0.2
"""How often it is looked whether another build still runs what this one waits for."""

_STATUS = {Settled.STANDS: DONE, Settled.WAITS: PENDING, Settled.BLOCKED: FAILED}


class PlanWorker(Worker):
    """Announces what the plan wants run, runs it in Luigi's order, reports every end to the build.

    Source: https://github.com/spotify/luigi/blob/master/luigi/worker.py (3.8).
    """

    def __init__(
        self, build: Build, *, scheduler: Any, is_local: bool, num_workers: int, **config: Any
    ) -> None:
        super().__init__(scheduler=scheduler, worker_processes=num_workers, **config)
        self._build = build
        self._is_local = is_local
        self._held: list[str] = []
        self._look_after = 0.0
        self._silent: set[str] = set()
        self._pool = WorkerPool(num_workers, reuses=not self._config.force_multiprocessing)
        self._task_result_queue.close()
        self._task_result_queue: Any = ResultQueue(self._pool)

    def __enter__(self) -> PlanWorker:
        # The keep-alive thread tells luigid that we live; beside a scheduler of our own it would only
        # be a thread to fork around.
        if not self._is_local:
            super().__enter__()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> bool:
        try:
            if not self._is_local:
                return bool(super().__exit__(kind, error, trace))
            for process in self._running_tasks.values():
                if process.is_alive():
                    process.terminate()
            return False
        finally:
            self._pool.close()

    @property
    def is_phasing_out(self) -> bool:
        """Whether it was told to start nothing more."""
        return bool(self._stop_requesting_work)

    def phase_out(self) -> None:
        """Start nothing more, and end when what runs has ended."""
        self._start_phasing_out()
        self._build.phase_out(len(self._running_tasks))

    def announce(self, tasks: list[PlannedTask], upstream: dict[str, list[str]]) -> None:
        """Tell the scheduler what is to be run, and after what."""
        self._pool.learn({planned.task_hash: planned.task for planned in tasks})
        for planned in tasks:
            task = planned.task
            if self._first_task is None:
                self._first_task = planned.task_hash
            self._scheduled_tasks[planned.task_hash] = task
            self._announce(task, planned.task_hash, upstream[planned.task_hash])

    def run(self) -> bool:
        """Run until nothing is left; what luigid did not hand out is asked for again while that helps."""
        succeeded = bool(super().run())
        before: set[str] = set()
        while not self._is_local and not self._stop_requesting_work:
            left = {task.task_hash for task in self._build.left_over()}
            if not left or left == before:
                break
            before = left
            self._ask_again(left)
            succeeded = bool(super().run())
        return succeeded

    def _announce(self, task: luigi.Task, task_hash: str, upstream: list[str] | None) -> None:
        self._add_task(
            worker=self._id,
            task_id=task_hash,
            status=PENDING if self._is_local else _ASK_AGAIN,
            deps=upstream,
            runnable=True,
            priority=task.priority,
            resources=task.process_resources(),
            params=self._shown_params(task),
            family=task.task_family,
            module=task.task_module,
            batchable=False,  # a batch would be a task that no plan knows
            retry_policy_dict=_get_retry_policy_dict(task),
            accepts_messages=task.accepts_messages,
        )

    def _shown_params(self, task: luigi.Task) -> dict[str, str]:
        """What luigid shows of a task; nobody sees a scheduler of our own."""
        return {} if self._is_local else task.to_str_params()

    def _run_task(self, task_id: str) -> None:
        if task_id in self._running_tasks:
            super()._run_task(task_id)
            return
        settled = self._build.turns.settle(task_id)
        if settled is Settled.RUNS:
            super()._run_task(task_id)
        elif settled is Settled.IS_HELD:
            self._held.append(task_id)
        else:
            self._running_tasks[task_id] = SettledProcess()
            self._task_result_queue.put((task_id, _STATUS[settled], None, [], [], None))

    def _get_work(self) -> Any:
        # What Luigi keeps for its own summary of a build, of every task several times.
        self._add_task_history.clear()
        self._get_work_response_history.clear()
        self._take_up_released()
        if self._has_no_slot():
            return GetWorkResponse(None, [], 0, 0, 0, WORKER_STATE_ACTIVE)
        return super()._get_work()

    def _take_up_released(self) -> None:
        """Go on with tasks that another build ran when their turn came, and that it runs no more."""
        if not self._held or time.monotonic() < self._look_after:
            return
        self._look_after = time.monotonic() + _POLL_S
        for task_id in self._build.turns.released(self._held):
            if self._has_no_slot():
                return
            self._held.remove(task_id)
            self._run_task(task_id)

    def _has_no_slot(self) -> bool:
        return len(self._running_tasks) >= self.worker_processes

    def _keep_alive(self, response: Any) -> bool:
        """Stay while another build or host runs what this one waits for."""
        if self._stop_requesting_work:
            return False
        is_busy_elsewhere = not self._is_local and bool(response.running_tasks)
        return bool(self._held) or is_busy_elsewhere or bool(super()._keep_alive(response))

    def _sleeper(self) -> Iterator[None]:
        while True:
            self._build.record_ended()  # somebody may wait for just that
            time.sleep(_POLL_S if self._held else self._config.wait_interval)
            self._build.tick()
            yield

    def _create_task_process(self, task: luigi.Task) -> RunProcess:
        build = self._build
        message_queue = _new_message_queue() if task.accepts_messages else None
        task_hash = build.agenda.hash_of_scheduled(task)
        reporter = RunReporter(
            self._scheduler,
            task_hash,
            self._id,
            message_queue,
            build_id=build.build_id,
            events_path=build.events_path,
            is_local=self._is_local,
        )
        return RunProcess(
            task,
            self._id,
            self._task_result_queue,
            reporter,
            use_multiprocessing=self._config.force_multiprocessing or self.worker_processes > 1,
            worker_timeout=self._config.timeout,
            check_complete_on_run=False,  # every run checks what it wrote
            order=build.turns.order(task_hash),
            project=build.project,
            is_ready=build.readiness,
            raise_exception=build.options.raise_exception,
            pool=self._pool,
        )

    def _handle_next_task(self) -> None:
        """Take one report; Luigi's own method, with the build told first and retries of its own."""
        self._idle_since = None
        self._build.beat()
        while True:
            self._purge_children()
            if self._task_result_queue.would_wait():
                self._build.record_ended()
            try:
                report = self._task_result_queue.get(timeout=self._config.wait_interval)
            except queue.Empty:
                self._build.tick()
                self._report_silent()
                return
            self._silent.clear()
            task_id, status, explanation, _, requirements, outcome = report
            if task_id not in self._running_tasks:
                continue  # a late report of a run that was given up
            break
        task = self._scheduled_tasks[task_id]
        retries = self._build.ended(task_id, status, explanation, outcome)
        yielded = self._add_yielded(task_id, requirements) or self._add_awaited(task_id)
        self._report(task, task_id, status, explanation, yielded)
        self._running_tasks.pop(task_id)
        if retries:
            self._announce(task, task_id, None)
        self.run_succeeded &= status == DONE or bool(yielded) or retries

    def _report_silent(self) -> None:
        """A child that ended as if all were well, and never said how its run ended, has failed."""
        ended = {
            task_id
            for task_id, process in self._running_tasks.items()
            if process.exitcode == 0 and not process.is_alive() and isinstance(process, RunProcess)
        }
        # Its report may be under way: only what was silent the last time too never will say anything.
        for task_id in ended & self._silent:
            text = f"Task {task_id} ended its process with exit code 0 in the middle of run()."
            self._task_result_queue.put((task_id, FAILED, text, [], []))
        self._silent = ended

    def _add_yielded(self, task_id: str, requirements: list[Any] | None) -> list[str]:
        """Take in what a running task yielded; what of it has to end before the task goes on."""
        if not requirements:
            return []
        tasks = [_made_again(*requirement) for requirement in requirements]
        for task in tasks:
            self._validate_task(task)
        self.announce(*self._build.extend(tasks, task_id))
        return [name for task in tasks for name in self._build.scheduled_names(task)]

    def _add_awaited(self, task_id: str) -> list[str]:
        """What has to end before it is known whether a task need run."""
        awaited = self._build.turns.take_awaited(task_id)
        if awaited:
            self.announce(*self._build.agenda.to_announce())
        if not self._is_local:
            self._ask_again(awaited)
        return awaited

    def _ask_again(self, names: Iterable[str]) -> None:
        """Announce once more what another host's end of it has struck off luigid's list."""
        for name in names:
            if name not in self._running_tasks and name not in self._held:
                self._announce(self._scheduled_tasks[name], name, None)

    def _report(
        self, task: luigi.Task, task_id: str, status: str, explanation: Any, yielded: list[str]
    ) -> None:
        if status == FAILED and explanation:
            self._email_task_failure(task, explanation)
        self._add_task(
            worker=self._id,
            task_id=task_id,
            status=status,
            expl=json.dumps(explanation, default=str),
            resources=task.process_resources(),
            runnable=None,
            params=self._shown_params(task),
            family=task.task_family,
            module=task.task_module,
            new_deps=yielded,
            assistant=self._assistant,
            retry_policy_dict=_get_retry_policy_dict(task),
        )


def _made_again(module: str, family: str, params: dict[str, str]) -> luigi.Task:
    """A yielded task, from what a child process can say of it."""
    cls = task_class(module, family)
    if cls is None:
        message = f"{module} has no task {family} any more, which a run just yielded."
        raise LookupError(message)
    return cls.from_str_params(params)  # type: ignore[no-any-return]


def _new_message_queue() -> Any:
    import multiprocessing

    return multiprocessing.Queue()
