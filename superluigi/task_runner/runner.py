"""One call of `run_task`: planned, carried out, recorded, told."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack, nullcontext
from typing import Any

from superluigi.errors import BuildFailed, SuperLuigiError
from superluigi.execution.order import new_uuid7, utc_now
from superluigi.files import shared_temporaries
from superluigi.planning.planner import Planning
from superluigi.progress import Progress
from superluigi.running.build import Build, RunOptions
from superluigi.running.events import BuildFiles
from superluigi.running.interrupts import Interrupts
from superluigi.running.scheduler import LocalScheduler
from superluigi.running.schedulers import connected_scheduler
from superluigi.running.worker import PlanWorker
from superluigi.structure import map_targets
from superluigi.task_runner.build_record import BuildRecord
from superluigi.task_runner.ending import (
    ended_result,
    failure_cause,
    failure_message,
    unplanned_result,
)
from superluigi.task_runner.result import BuildResult
from superluigi.task_runner.resuming import resumed_force
from superluigi.task_runner.session import DecisionArguments, Session
from superluigi_catalog.errors import CatalogError
from superluigi_catalog.owner import is_alive

__all__ = ["Runner"]


class Runner:
    """One call of `run_task`."""

    def __init__(self, session: Session, options: RunOptions, progress: Progress) -> None:
        self._session = session
        self._options = options
        self._progress = progress
        self._catalog = session.planner.catalog
        self._build_id = new_uuid7()
        self._started = time.perf_counter()

    def run(
        self, arguments: DecisionArguments, *, central: bool, url: str | None, local: bool
    ) -> BuildResult:
        """Plan, run, and end.

        Raises:
            BuildFailed: not everything that was asked for is complete.
        """
        with ExitStack() as stack:
            scheduler = connected_scheduler(url) if central else None
            home = self._session.planner.project.ensure_home()
            files = BuildFiles(home / "builds", self._build_id)
            stack.callback(files.close)
            stack.enter_context(shared_temporaries())
            stack.enter_context(self._progress)
            self._catalog.mark_interrupted(is_alive)
            record = BuildRecord(
                self._build_id, utc_now(), files.name, self._session, arguments, self._options
            )
            self._catalog.start_build(record.before_planning())
            families = [task.get_task_family() for task in self._session.roots]
            self._progress.on_event(files.write("build_started", roots=families))
            build: Build | None = None
            status = "interrupted"
            try:
                planning = self._planned()
                self._catalog.start_build(record.planned(planning))
                build = self._new_build(planning, files)
                build.begin()
                self._work(build, scheduler)
                result = ended_result(
                    build,
                    outputs=lambda: self._outputs(local=local),
                    duration_s=self._elapsed_s,
                )
                status = "succeeded" if result.ok else "failed"
            finally:
                # Also for what raise_exception lets out: a debugger shall see it uncaught.
                self._end(build, files, status)
            self._progress.on_result(result)
        if not result.ok:
            raise BuildFailed(failure_message(result), result=result) from failure_cause(result)
        return result

    def _new_build(self, planning: Planning, files: BuildFiles) -> Build:
        return Build(
            self._build_id,
            self._session.planner,
            planning,
            self._options,
            files,
            self._progress.on_event,
        )

    def _planned(self) -> Planning:
        session = self._session
        force = session.force
        if self._options.resume:
            force = resumed_force(force, session.roots, self._catalog)
        if self._options.raise_exception:
            return session.planner.plan(session.roots, force)
        try:
            return session.planner.plan(session.roots, force)
        except (SuperLuigiError, CatalogError):
            raise
        except Exception as error:
            task = session.planner.asked or session.roots[0]
            result = unplanned_result(
                task, error, build_id=self._build_id, duration_s=self._elapsed_s
            )
            raise BuildFailed(failure_message(result), result=result) from failure_cause(result)

    def _work(self, build: Build, scheduler: Any) -> None:
        tasks, upstream = build.agenda.to_announce()
        if not tasks:
            return
        worker = PlanWorker(
            build,
            scheduler=scheduler or LocalScheduler(),
            is_local=scheduler is None,
            num_workers=self._options.num_workers,
            no_install_shutdown_handler=threading.current_thread() is not threading.main_thread(),
        )
        interrupts = (
            nullcontext() if self._options.raise_exception else Interrupts(worker.phase_out)
        )
        with worker, interrupts:
            worker.announce(tasks, upstream)
            worker.run()
        if worker.is_phasing_out:
            raise KeyboardInterrupt

    def _end(self, build: Build | None, files: BuildFiles, status: str) -> None:
        error = sys.exc_info()[1]
        if build is not None:
            build.record_ended()
        if error is not None:
            if build is not None:
                build.interrupt(error)
            status = "failed" if isinstance(error, Exception) else "interrupted"
        counts = build.agenda.outcome_counts() if build is not None else {}
        self._catalog.end_build(
            self._build_id,
            status=status,
            ended_at=utc_now(),
            counts=counts,
            error=None if error is None else _told(error),
        )
        left = len(build.agenda.not_ended()) if build is not None else 0
        self._progress.on_event(
            files.write("build_finished", status=status, counts=counts, left=left)
        )

    @property
    def _elapsed_s(self) -> float:
        return round(time.perf_counter() - self._started, 3)

    def _outputs(self, *, local: bool) -> Any:
        def leaf(_: str, target: Any) -> Any:
            if local and hasattr(target, "download"):
                return target.download()
            return getattr(target, "path", str(target))

        argument = self._session.root_argument
        if isinstance(argument, list):
            return [map_targets(task.output(), leaf) for task in argument]
        return map_targets(argument.output(), leaf)


def _told(error: BaseException) -> str:
    """What stopped a build, in one line where it can be."""
    if isinstance(error, BuildFailed) and error.failures:
        first = error.failures[0]
        return f"{first.label}: {first.told}"
    return f"{type(error).__name__}: {error}"
