"""One run as Luigi's worker starts it: in this process, or in a child of its own."""

from __future__ import annotations

from collections.abc import Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import luigi
from luigi.task import DynamicRequirements
from luigi.worker import TaskProcess

from superluigi.execution.enter import enter_plain_run, ordered
from superluigi.execution.order import RunOrder
from superluigi.graph import is_external, task_text
from superluigi.hashing import hash_of
from superluigi.project import Project, using_project
from superluigi.running.capture import RunLog, private_values_hidden
from superluigi.running.readiness import Change, Readiness
from superluigi.running.results import Report
from superluigi.structure import output_structure

if TYPE_CHECKING:
    from superluigi.running.pool import WorkerPool, WorkerProcess

__all__ = ["Job", "RunProcess", "SettledProcess"]


@dataclass(frozen=True, slots=True)
class Job:
    """The next run of a process that has run something before."""

    task: luigi.Task | None
    """None where the process knows it."""
    order: RunOrder
    news: Sequence[Change]
    """What became of other tasks since the process was last told."""


class RunProcess(TaskProcess):
    """Luigi's task process, entering the run that the plan ordered.

    It is no process of its own: one of the pool's runs it, or this one.

    Source: https://github.com/spotify/luigi/blob/master/luigi/worker.py (3.8).
    """

    def __init__(
        self,
        *luigi_arguments: Any,
        order: RunOrder,
        project: Project,
        is_ready: Readiness,
        raise_exception: bool,
        pool: WorkerPool | None = None,
        **luigi_options: Any,
    ) -> None:
        super().__init__(*luigi_arguments, **luigi_options)
        self.order = order
        self._project = project
        self._raise_exception = raise_exception
        self._pool = pool
        self._host: WorkerProcess | None = None
        self.check_complete: Any = is_ready
        self.result_queue = _WithOutcome(self.result_queue, order)
        # What it depends on is the plan's business; Luigi would ask complete() again for every edge.
        self.check_unfulfilled_deps = False
        if raise_exception:
            self.use_multiprocessing = False
            self.timeout_time = None

    def start(self) -> None:
        """Begin, in a process of the pool."""
        if self._pool is not None:
            self._host = self._pool.start(self)

    def is_alive(self) -> bool:
        """Whether the process that runs it is there; never in this one."""
        return self._host is not None and self._host.is_alive()

    @property
    def exitcode(self) -> int | None:
        """That of the process that ran it, once it has ended."""
        return None if self._host is None else self._host.exitcode

    def terminate(self) -> None:
        """End the process that runs it, with those that it has started."""
        if self._host is not None:
            self._host.end_tree()

    @property
    def needs_own_process(self) -> bool:
        """Whether it must be the first in its process: only that one can have a queue for messages."""
        return bool(self.task.accepts_messages)

    def carry_out(self) -> Report:
        """Run in a process of the pool; what to report."""
        reports: list[Report] = []
        self.result_queue = _WithOutcome(_Kept(reports), self.order)
        self.run()
        return reports[-1]

    def again(self, job: Job, tasks: Mapping[str, luigi.Task]) -> RunProcess:
        """The next run of the process of this one."""
        self.check_complete.take(job.news)
        return RunProcess(
            tasks[job.order.task_hash] if job.task is None else job.task,
            self.worker_id,
            None,
            self.status_reporter.for_task(job.order.task_hash),
            use_multiprocessing=True,
            check_complete_on_run=False,
            order=job.order,
            project=self._project,
            is_ready=self.check_complete,
            raise_exception=False,
        )

    def __getstate__(self) -> dict[str, Any]:
        # What a spawned process gets: the pool and its processes are the parent's.
        return {**self.__dict__, "_pool": None, "_host": None, "result_queue": None}

    def run(self) -> None:
        """Run, with output and log records written to the run's own log as well."""
        captures = self.order.log_path is not None and not self._raise_exception
        log = RunLog(str(self.order.log_path)) if captures else nullcontext()
        with using_project(self._project), log, private_values_hidden():
            super().run()

    def _run_get_new_deps(self) -> list[tuple[str, str, dict[str, str]]] | None:
        """Enter `run()`; what it yields and is not ready yet goes back to the worker."""
        with ordered(self.order):
            entered = self._enter()
            if not isinstance(entered, Generator):
                return None
            try:
                return self._drive(entered)
            finally:
                entered.close()

    def _enter(self) -> Any:
        run = self.task.run
        if getattr(run, "__superluigi_entered__", False):
            return run()
        return enter_plain_run(self.task)

    def _drive(
        self, entered: Generator[Any, Any, Any]
    ) -> list[tuple[str, str, dict[str, str]]] | None:
        send = None
        while True:
            try:
                yielded = entered.send(send)
            except StopIteration:
                return None
            try:
                waits_for = self._waits_for(yielded)
                if waits_for is not None:
                    return waits_for
                send = _targets_of(yielded)
            except Exception as error:
                entered.throw(error)  # so that it is recorded as what ended this run
                raise

    def _waits_for(self, yielded: Any) -> list[tuple[str, str, dict[str, str]]] | None:
        """What has to be made before the run can go on; None when all is ready."""
        requirements = (
            yielded if isinstance(yielded, DynamicRequirements) else DynamicRequirements(yielded)
        )
        if requirements.complete(self.check_complete):
            return None
        tasks = requirements.flat_requirements
        _refuse_lossy(self.task, tasks)
        return [(t.task_module, t.task_family, t.to_str_params()) for t in tasks]

    def _handle_run_exception(self, error: BaseException) -> Any:
        explanation = super()._handle_run_exception(error)
        self.order.exception = error
        if self._raise_exception:
            raise
        return explanation


class _WithOutcome:
    """A queue that adds to Luigi's report what is to be recorded."""

    def __init__(self, queue: Any, order: RunOrder) -> None:
        self._queue = queue
        self._order = order

    def put(self, report: tuple[Any, ...]) -> None:
        # Under the plan's name for it: a plain Luigi task has another id of its own.
        self._queue.put((self._order.task_hash, *report[1:], self._order.outcome))


class _Kept:
    """A queue for one who takes what is in it himself."""

    def __init__(self, reports: list[Report]) -> None:
        self.put = reports.append


class SettledProcess:
    """Stands in the worker's list for a task that turned out not to need its run."""

    exitcode = 0
    timeout_time = None

    def is_alive(self) -> bool:
        """Never: nothing was started."""
        return False


def _targets_of(yielded: Any) -> Any:
    """What a `yield` gives back: the targets of what was yielded, in its shape."""
    if isinstance(yielded, DynamicRequirements):
        return yielded.paths
    return output_structure(yielded)


def _refuse_lossy(task: luigi.Task, yielded: list[luigi.Task]) -> None:
    """Refuse what Luigi would make again as another task: it passes parameters on as text.

    Raises:
        ValueError: naming the task; without this, run() would be started again for ever.
    """
    for dependency in yielded:
        if is_external(dependency) and not isinstance(dependency, luigi.ExternalTask):
            continue
        again = type(dependency).from_str_params(dependency.to_str_params())
        if hash_of(again) != hash_of(dependency):
            message = (
                f"{task.get_task_family()}.run() yields {task_text(dependency)}, which is another task after its "
                "parameters went through text and back. Use parameter types that parse what they "
                "serialise, and no PRIVATE ones that matter."
            )
            raise ValueError(message)
