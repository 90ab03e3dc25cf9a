"""`run_task`: plan a build, carry it out, say what became of it."""

from __future__ import annotations

import os
import threading
import time
import traceback
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

import luigi

from superluigi_catalog.owner import is_alive, this_owner
from superluigi_catalog.records import BuildEntry

from superluigi.environment import host_and_user, own_version
from superluigi.errors import BuildFailed, SuperLuigiError
from superluigi.execution.order import new_uuid7, utc_now
from superluigi.files import shared_temporaries
from superluigi.planning.decision import Decision, Reason
from superluigi.planning.planner import Planning
from superluigi.progress import Progress, progress_for
from superluigi.running.build import Build, Failure, RunOptions
from superluigi.running.events import BuildFiles
from superluigi.running.schedulers import connected_scheduler
from superluigi.running.worker import PlanWorker
from superluigi.structure import map_targets
from superluigi.task_runner.result import BuildResult
from superluigi.task_runner.session import DecisionArguments, Session, open_session
from superluigi.task_runner.summary import headline

__all__ = ["run_task"]


def run_task(
    task: Any,
    *,
    num_workers: int = 1,
    central_scheduler: bool = False,
    scheduler_url: str | None = None,
    retries: int = 0,
    force: bool = False,
    force_upstream: bool = False,
    force_upstream_to_task: Any = None,
    force_upstream_to_task_cls: Any = None,
    rerun_on: Any = None,
    verify: str | None = None,
    raise_exception: bool = False,
    local_output: bool = False,
    force_local_download: bool = False,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    config_file: str | os.PathLike[str] | None = None,
    catalog: Any = None,
    progress: Any = None,
) -> BuildResult:
    """Make a task's output, and whatever it needs that is missing or stale.

    Args:
        task: A task, a list of tasks, or a task class whose parameters come from the configuration.
        num_workers: How many tasks may run at once, each in a process of its own when more than one.
        central_scheduler: Let luigid hand out the tasks.
        scheduler_url: Where luigid is; from Luigi's configuration unless given.
        retries: How often a failing task is run again within this build.
        force: Run the task itself even though it is fresh. At most one of the force arguments.
        force_upstream: Run the whole graph.
        force_upstream_to_task: Run this task (or these), and all between it and `task`.
        force_upstream_to_task_cls: The same for every task of this class (or these).
        rerun_on: Trigger names: what makes a task run again. From the settings unless given; the default is
            `{"missing", "inputs"}`.
        verify: How targets are checked: `"stat"` (size, times, ETag), `"content"` (local bytes are read),
            `"catalog"` (recent looks are trusted, roots are looked at).
        raise_exception: Run in this process and let the first exception out as it is, so that a debugger
            stops where it was raised.
        local_output: Return local paths in `outputs`: remote outputs are downloaded.
        force_local_download: Download remote inputs again although the local copies are current.
        config: Luigi configuration for this call: section → key → value.
        config_file: A `luigi.cfg` for this call.
        catalog: A `Catalog`, or the path of one.
        progress: None: a bar on a terminal, lines elsewhere. False: silent. A function: called with every
            event as a dict.

    Returns:
        What ran, what did not, and the outputs.

    Raises:
        BuildFailed: a task failed, was blocked or was not run; `.result` tells of all.
        ForceRefused, HashError, PlanError, SettingsError, TargetError, CatalogError: before anything ran.
        Exception: with `raise_exception=True`, what the task raised.
    """
    options = RunOptions(
        num_workers=_checked_workers(num_workers, raise_exception),
        retries=_checked_retries(retries),
        raise_exception=raise_exception,
        force_local_download=force_local_download,
    )
    arguments = DecisionArguments(
        task,
        force=force,
        force_upstream=force_upstream,
        force_upstream_to_task=force_upstream_to_task,
        force_upstream_to_task_cls=force_upstream_to_task_cls,
        rerun_on=rerun_on,
        verify=verify,
        config=config,
        config_file=config_file,
        catalog=catalog,
    )
    with open_session(arguments) as session:
        runner = _Runner(session, options, progress_for(progress))
        url = scheduler_url if central_scheduler or scheduler_url else None
        return runner.run(
            arguments, central=bool(central_scheduler or scheduler_url), url=url, local=local_output
        )


class _Runner:
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
        started_at = utc_now()
        planning = self._planned()
        with ExitStack() as stack:
            scheduler = connected_scheduler(url) if central else None
            files = BuildFiles(self._session.planner.project.ensure_home() / "builds", self._build_id)
            stack.callback(files.close)
            stack.enter_context(shared_temporaries())
            stack.enter_context(self._progress)
            self._catalog.mark_interrupted(is_alive)
            self._catalog.start_build(self._entry(arguments, files, started_at))
            self._progress.on_event(
                files.write("build_started", roots=[str(task) for task in self._session.roots])
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
                result = self._result(build, local=local)
                status = "succeeded" if result.ok else "failed"
            finally:
                # Also for what raise_exception lets out: a debugger shall see it uncaught.
                self._end(build, files, status)
            self._progress.on_result(result)
        if not result.ok:
            raise BuildFailed(_failure_message(result), result=result)
        return result

    def _planned(self) -> Planning:
        session = self._session
        if self._options.raise_exception:
            return session.planner.plan(session.roots, session.force)
        try:
            return session.planner.plan(session.roots, session.force)
        except SuperLuigiError:
            raise
        except Exception as error:
            raise self._planning_failed(error) from error

    def _work(self, build: Build, scheduler: Any) -> None:
        tasks, upstream = build.to_announce()
        if not tasks:
            return
        from superluigi.running.scheduler import LocalScheduler

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
        import sys

        error = sys.exc_info()[1]
        if error is not None:
            build.interrupt(error)
            status = "failed" if isinstance(error, Exception) else "interrupted"
        counts = {name: len(getattr(build.outcome, name)) for name in ("ran", "unchanged", "failed")}
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
        self, arguments: DecisionArguments, files: BuildFiles, started_at: str
    ) -> BuildEntry:
        import sys

        host, user = host_and_user()
        planner = self._session.planner
        chosen: dict[str, Any] = {
            "num_workers": self._options.num_workers,
            "rerun_on": sorted(planner.rerun_on),
            "verify": planner.verify,
        }
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
            roots=tuple(task.task_hash for task in self._root_plans()),
            host=host,
            user=user,
            cwd=os.getcwd(),
            argv=tuple(sys.argv),
            arguments=chosen,
            versions={"superluigi": own_version(), "luigi": luigi.__version__},
            directory=files.name,
            owner=this_owner(),
        )

    def _root_plans(self) -> list[Any]:
        return [_Hashed(task) for task in self._session.roots]

    def _result(self, build: Build, *, local: bool) -> BuildResult:
        outcome = build.outcome
        not_ended = build.not_ended()
        blocked = [h for h, d in build.decisions.items() if d.action == "blocked"]
        failed = set(outcome.failed)
        for task_hash in not_ended:
            build.decisions[task_hash] = _blocked(build, task_hash, failed)
        anew = set(outcome.unchanged)
        skipped = [h for h, d in build.decisions.items() if d.action == "skip" and h not in anew]
        decided = build.decisions
        ok = not (outcome.failed or blocked or not_ended)
        return BuildResult(
            build_id=self._build_id,
            ok=ok,
            ran=tuple(decided[h] for h in outcome.ran),
            skipped=tuple(decided[h] for h in skipped),
            unchanged=tuple(decided[h] for h in outcome.unchanged),
            shared=tuple(decided[h] for h in outcome.shared),
            failed=tuple(decided[h] for h in outcome.failed),
            blocked=tuple(decided[h] for h in (*blocked, *not_ended)),
            outputs=self._outputs(local=local and ok),
            decisions=tuple(decided.values()),
            duration_s=round(time.perf_counter() - self._started, 3),
            failures=tuple(outcome.failures),
        )

    def _outputs(self, *, local: bool) -> Any:
        def leaf(_: str, target: Any) -> Any:
            if local and hasattr(target, "download"):
                return target.download()
            return getattr(target, "path", str(target))

        argument = self._session.root_argument
        if isinstance(argument, list):
            return [map_targets(task.output(), leaf) for task in argument]
        return map_targets(argument.output(), leaf)

    def _planning_failed(self, error: Exception) -> BuildFailed:
        """The graph could not be asked: one task's own code raised before anything ran."""
        from superluigi.execution.task_run import user_traceback

        task = self._session.planner.asked or self._session.roots[0]
        family = task.get_task_family()
        decision = Decision("", family, {}, "blocked", (Reason("failed", f"asking it raised {error!r}"),))
        failure = Failure(
            task_hash="",
            family=family,
            params={},
            run_id=None,
            error_type=type(error).__name__,
            error=str(error),
            traceback=user_traceback(error, error.__traceback__) or traceback.format_exc(),
        )
        result = BuildResult(
            build_id=self._build_id,
            ok=False,
            ran=(),
            skipped=(),
            unchanged=(),
            shared=(),
            failed=(decision,),
            blocked=(),
            outputs=None,
            decisions=(decision,),
            duration_s=round(time.perf_counter() - self._started, 3),
            failures=(failure,),
        )
        return BuildFailed(_failure_message(result), result=result)


class _Hashed:
    """A root with its hash, also when it is a plain Luigi task."""

    def __init__(self, task: luigi.Task) -> None:
        from superluigi.hashing import hash_of

        self.task_hash = hash_of(task)


def _blocked(build: Build, task_hash: str, failed: set[str]) -> Decision:
    """Why something that was to run did not."""
    verdict = build.verdicts[task_hash]
    decision = build.decisions[task_hash]
    causes = [
        upstream
        for _, upstream in verdict.task.upstream
        if upstream.task_hash in failed
        or build.decisions[upstream.task_hash].action == "blocked"
    ]
    if causes:
        cause = causes[0]
        reason = Reason(
            "upstream_blocked",
            f"{cause.family} {cause.task_hash[:8]} failed or was not run",
            {"upstream": cause.task_hash},
        )
    else:
        reason = Reason("not_run", "the scheduler never handed it out")
    return replace(decision, action="blocked", reasons=(reason, *decision.reasons))


def _failure_message(result: BuildResult) -> str:
    lines = [headline(result)]
    lines += [
        f"{failure.family} {failure.task_hash[:8]}: {failure.error_type}: {failure.error}"
        for failure in result.failures
    ]
    lines += [f"{d.label}: {d.reasons[0].text}" for d in result.blocked]
    if result.failures:
        lines += ["", result.failures[0].traceback.rstrip()]
    return "\n".join(lines)


def _argument_text(value: Any) -> Any:
    if isinstance(value, bool):
        return value
    items = value if isinstance(value, (list, tuple, set)) else [value]
    return [item.__name__ if isinstance(item, type) else str(item) for item in items]


def _checked_workers(num_workers: int, raise_exception: bool) -> int:
    if not isinstance(num_workers, int) or num_workers < 1:
        message = f"num_workers is {num_workers!r}; it is a number of processes, at least 1."
        raise ValueError(message)
    if raise_exception and num_workers > 1:
        message = (
            "raise_exception=True runs every task in this process, where a debugger can stop; "
            f"num_workers={num_workers} would need others. Leave num_workers out."
        )
        raise ValueError(message)
    return num_workers


def _checked_retries(retries: int) -> int:
    if not isinstance(retries, int) or retries < 0:
        message = f"retries is {retries!r}; it is how often a failing task is run again, 0 or more."
        raise ValueError(message)
    return retries
