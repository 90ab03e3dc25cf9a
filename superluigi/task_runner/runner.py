"""One call of `run_task`: planned, carried out, recorded, told."""

from __future__ import annotations

import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import luigi

from superluigi.environment import host_and_user, own_version
from superluigi.errors import BuildFailed, SuperLuigiError
from superluigi.execution.order import new_uuid7, utc_now
from superluigi.files import shared_temporaries
from superluigi.hashing import hash_of, private_texts
from superluigi.planning.planner import Planning
from superluigi.progress import Progress
from superluigi.running.build import Build, RunOptions
from superluigi.running.events import BuildFiles
from superluigi.running.scheduler import LocalScheduler
from superluigi.running.schedulers import connected_scheduler
from superluigi.running.worker import PlanWorker
from superluigi.structure import map_targets
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
from superluigi_catalog.owner import is_alive, this_owner
from superluigi_catalog.records import BuildEntry

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
        started_at = utc_now()
        planning = self._planned()
        with ExitStack() as stack:
            scheduler = connected_scheduler(url) if central else None
            files = BuildFiles(
                self._session.planner.project.ensure_home() / "builds", self._build_id
            )
            stack.callback(files.close)
            stack.enter_context(shared_temporaries())
            stack.enter_context(self._progress)
            self._catalog.mark_interrupted(is_alive)
            self._catalog.start_build(self._entry(arguments, files, started_at, planning))
            self._progress.on_event(
                files.write(
                    "build_started", roots=[_root_label(task) for task in self._session.roots]
                )
            )
            build = Build(
                self._build_id,
                self._session.planner,
                planning,
                self._options,
                files,
                self._progress.on_event,
            )
            status = "interrupted"
            try:
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
            result = unplanned_result(task, error, duration_s=self._elapsed_s)
            raise BuildFailed(failure_message(result), result=result) from failure_cause(result)

    def _work(self, build: Build, scheduler: Any) -> None:
        tasks, upstream = build.to_announce()
        if not tasks:
            return
        worker = PlanWorker(
            build,
            scheduler=scheduler or LocalScheduler(),
            is_local=scheduler is None,
            num_workers=self._options.num_workers,
            no_install_shutdown_handler=threading.current_thread() is not threading.main_thread(),
        )
        with worker:
            worker.announce(tasks, upstream)
            worker.run()

    def _end(self, build: Build, files: BuildFiles, status: str) -> None:
        error = sys.exc_info()[1]
        if error is not None:
            build.interrupt(error)
            status = "failed" if isinstance(error, Exception) else "interrupted"
        counts = {
            name: len(getattr(build.outcome, name)) for name in ("ran", "unchanged", "failed")
        }
        counts["skipped"] = build.counts().get("skip", 0)
        self._catalog.end_build(
            self._build_id,
            status=status,
            ended_at=utc_now(),
            counts=counts,
            error=None if error is None else f"{type(error).__name__}: {error}",
        )
        self._progress.on_event(files.write("build_finished", status=status, counts=counts))

    def _entry(
        self, arguments: DecisionArguments, files: BuildFiles, started_at: str, planning: Planning
    ) -> BuildEntry:
        host, user = host_and_user()
        planner = self._session.planner
        chosen: dict[str, Any] = {
            "num_workers": self._options.num_workers,
            "rerun_on": sorted(planner.rerun_on),
            "verify": planner.verify,
        }
        if planning.forced:
            chosen["forced"] = sorted(planning.forced)
        chosen |= {
            name: _argument_text(getattr(arguments, name))
            for name in (
                "force",
                "force_upstream",
                "force_upstream_to_task",
                "force_upstream_to_task_cls",
            )
            if getattr(arguments, name)
        }
        return BuildEntry(
            build_id=self._build_id,
            started_at=started_at,
            roots=tuple(hash_of(task) for task in self._session.roots),
            host=host,
            user=user,
            cwd=str(Path.cwd()),
            argv=_without_private(sys.argv, planning),
            arguments=chosen,
            versions={"superluigi": own_version(), "luigi": luigi.__version__},
            directory=files.name,
            owner=this_owner(),
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


def _argument_text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    items = value if isinstance(value, (list, tuple, set)) else [value]
    return [item.__name__ if isinstance(item, type) else _root_label(item) for item in items]


def _without_private(argv: list[str], planning: Planning) -> tuple[str, ...]:
    """The command line without values of PRIVATE parameters."""
    secrets = private_texts(planned.task for planned in planning.tasks)
    return tuple(
        "***" if any(secret in argument for secret in secrets) else argument for argument in argv
    )


def _root_label(task: luigi.Task) -> str:
    """Family and short hash: Luigi's own text of a plain task shows PRIVATE values."""
    return f"{task.get_task_family()} {hash_of(task)[:8]}"
