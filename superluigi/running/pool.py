"""`WorkerPool`: the processes in which a build with several workers runs its tasks.

To start a process costs more than a short task: it is forked from a large one, or imports everything
anew. So a process runs the next task too, while it is as it was: see `superluigi.running.surroundings`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections.abc import Mapping
from multiprocessing.connection import Connection, wait
from typing import Any

import luigi

from superluigi.files import shared_temporaries
from superluigi.running.orphans import end_with_parent
from superluigi.running.process import Job, RunProcess
from superluigi.running.surroundings import Surroundings

__all__ = ["WorkerPool", "WorkerProcess"]

_GOODBYE_S = 2.0
"""How long an idle process may take to end."""


class WorkerPool:
    """At most `size` processes, started when there is something to run in them.

    Args:
        reuses: Let a process run one task after the other.
    """

    def __init__(self, size: int, *, reuses: bool) -> None:
        self._size = max(size, 1)
        self._reuses = reuses
        self._workers: list[WorkerProcess] = []
        self._leaving: list[WorkerProcess] = []
        """They end by themselves."""
        self._tasks = KnownTasks()

    def learn(self, tasks: Mapping[str, luigi.Task]) -> None:
        """Tasks that may have to be run; what is started from now on knows them, where it is forked."""
        self._tasks.add(tasks)

    def start(self, run: RunProcess) -> WorkerProcess:
        """Let a run begin, in a process that is idle, else in a new one."""
        for worker in self._workers:
            if worker.is_idle and worker.take(run):
                return worker
        self._make_room()
        stays = self._reuses and not run.needs_own_process
        worker = WorkerProcess(run, self._tasks, stays=stays)
        worker.begin()
        self._workers.append(worker)
        return worker

    def reports(self, timeout: float) -> list[Any]:
        """What processes report next; none when none does within `timeout` seconds, or one has died."""
        busy = [worker for worker in self._workers if not worker.is_idle]
        if not busy:
            time.sleep(timeout)
            return []
        waited_for = [each for worker in busy for each in (worker.connection, worker.sentinel)]
        ready = set(wait(waited_for, timeout))
        reports = []
        for worker in busy:
            if worker.connection in ready or worker.sentinel in ready:
                reports += worker.report()
                if worker.is_ending:
                    self._let_go(worker)
        return reports

    def close(self) -> None:
        """End what is idle; what is busy was ended before, or ends with this process."""
        deadline = time.monotonic() + _GOODBYE_S
        for worker in self._workers:
            worker.dismiss()
        for worker in self._workers + self._leaving:
            worker.join(max(deadline - time.monotonic(), 0))
        for worker in self._workers:
            if worker.is_alive():
                worker.end_tree()
        self._workers.clear()
        self._leaving.clear()

    def _make_room(self) -> None:
        """Dismiss one that is idle and cannot take what is to run."""
        if len(self._workers) >= self._size:
            idle = next((worker for worker in self._workers if worker.is_idle), None)
            if idle is not None:
                self._let_go(idle)
                idle.dismiss()

    def _let_go(self, worker: WorkerProcess) -> None:
        self._workers.remove(worker)
        self._leaving = [each for each in self._leaving if each.is_alive()]
        self._leaving.append(worker)


class KnownTasks:
    """Tasks by hash, and in which order a build came to know of them."""

    def __init__(self) -> None:
        self.by_hash: dict[str, luigi.Task] = {}
        self.rounds = 0
        self._round: dict[str, int] = {}

    def add(self, tasks: Mapping[str, luigi.Task]) -> None:
        """Know some more."""
        self.rounds += 1
        self.by_hash |= tasks
        self._round |= dict.fromkeys(tasks, self.rounds)

    def were_known(self, task_hash: str, after: int) -> bool:
        """Whether a task was known after so many rounds."""
        return self._round.get(task_hash, after + 1) <= after

    def __getstate__(self) -> dict[str, Any]:
        # A process that is not forked is sent each task when it is to be run.
        return {"by_hash": {}, "rounds": 0, "_round": {}}


class WorkerProcess(multiprocessing.Process):
    """One process, with what it is running.

    Args:
        run: The first; a process that is forked has it as it is.
        stays: Let it run others afterwards.
    """

    connection: Connection

    def __init__(self, run: RunProcess, tasks: KnownTasks, *, stays: bool) -> None:
        super().__init__()
        self._run = run
        self._tasks = tasks
        self._rounds = tasks.rounds if multiprocessing.get_start_method() == "fork" else None
        self._stays = stays
        self._told = run.check_complete.version
        self.is_idle = False
        self.is_ending = False
        """It ends by itself, or has."""

    def begin(self) -> None:
        """Start it with its first run."""
        ours, self.connection = multiprocessing.Pipe()
        try:
            self.start()
        finally:
            # Only the process itself has its end now: when it dies, ours is at its end.
            self.connection.close()
            self.connection = ours

    def take(self, run: RunProcess) -> bool:
        """Run this next; False when it is to be run in another process."""
        if run.needs_own_process or not self.is_alive():
            return False
        task = None if self._rounds is not None else run.task
        if task is None and not self._tasks.were_known(run.order.task_hash, self._rounds or 0):
            return False
        readiness = run.check_complete
        try:
            self.connection.send(Job(task, run.order, readiness.since(self._told)))
        except OSError:
            return False  # it has just died
        self._told = readiness.version
        self.is_idle = False
        return True

    def report(self) -> list[Any]:
        """What it has to say: how its run ended; nothing when it died before it could."""
        try:
            if self.connection.poll():
                report, stays = self.connection.recv()
                self.is_idle, self.is_ending = stays, not stays
                return [report]
        except (EOFError, OSError):
            pass
        self.is_ending = True
        return []

    def dismiss(self) -> None:
        """Let it end when it is idle."""
        with contextlib.suppress(OSError):
            self.connection.send(None)
        self.connection.close()

    def end_tree(self) -> None:
        """End it now, with the processes that it has started where psutil is there to find them."""
        children = _descendants(self.pid)
        self.terminate()
        self.join(_GOODBYE_S)
        for child in children:
            with contextlib.suppress(Exception):
                child.terminate()

    def run(self) -> None:
        """In the process itself: run what comes, until told to end or no longer as at the start."""
        # A terminal sends Ctrl-C to all processes; what it does here is the build's to decide.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        builder = end_with_parent()
        run: RunProcess | None = self._run
        with shared_temporaries():
            before = Surroundings.now() if self._stays else None
            while run is not None:
                run.order.builder_pid = builder
                began = time.monotonic()
                report = run.carry_out()
                took_s = time.monotonic() - began
                stays = before is not None and before.are_kept(report[1], took_s)
                self.connection.send((report, stays))
                run = self._next(run) if stays else None

    def _next(self, last: RunProcess) -> RunProcess | None:
        try:
            job: Job | None = self.connection.recv()
        except EOFError:
            return None
        return None if job is None else last.again(job, self._tasks.by_hash)


def _descendants(pid: int | None) -> list[Any]:
    try:
        import psutil  # type: ignore[import-untyped]
    except ImportError:
        return []
    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []
