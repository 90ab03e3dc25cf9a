"""`run_task`: plan a build, carry it out, say what became of it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from superluigi.progress import progress_for
from superluigi.running.build import RunOptions
from superluigi.task_runner.checks import (
    checked_flag,
    checked_number,
    checked_workers,
    decision_arguments,
)
from superluigi.task_runner.notices import tell_notices
from superluigi.task_runner.result import BuildResult
from superluigi.task_runner.runner import Runner
from superluigi.task_runner.session import open_session

__all__ = ["run_task"]


def run_task(
    task: Any,
    *,
    num_workers: int = 1,
    central_scheduler: bool = False,
    scheduler_url: str | None = None,
    retries: int = 0,
    resume: bool = False,
    force: bool = False,
    force_upstream: bool = False,
    force_upstream_to_task: Any = None,
    force_upstream_to_task_cls: Any = None,
    force_readers_of: Any = None,
    rerun_on: Any = None,
    verify: str | None = None,
    offline: bool = False,
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
        resume: Go on with the last build of the same tasks if it did not come to its end: what it had
            forced and finished is not run again.
        force: Run the task itself even though it is fresh. At most one of the force arguments.
        force_upstream: Run the whole graph.
        force_upstream_to_task: Run this task (or these), and all between it and `task`.
        force_upstream_to_task_cls: The same for every task of this class (or these).
        force_readers_of: Run what reads this target, given by its path or URI (or these).
        rerun_on: Trigger names: what makes a task run again. From the settings unless given; the default is
            `{"missing", "inputs"}`.
        verify: How targets are checked: `"stat"` (size, times, ETag), `"content"` (local bytes are read),
            `"catalog"` (recent looks are trusted, roots are looked at).
        offline: Make no request to S3: what is recorded of targets there counts, inputs are local copies, and
            what would have to be uploaded or downloaded fails.
        raise_exception: Run in this process and let the first exception out as it is, so that a debugger
            stops where it was raised.
        local_output: Return local paths in `outputs`: remote outputs are downloaded.
        force_local_download: Download remote inputs again although the local copies are current.
        config: Luigi configuration for this call: section → key → value.
        config_file: A `luigi.cfg` for this call.
        catalog: A `Catalog`, or the path of one.
        progress: None: a bar on a terminal, lines elsewhere. False: silent. A function: called with every
            event as a dict, but for `run_progress`, which is only in the event file.

    Returns:
        What ran, what did not, and the outputs.

    Raises:
        BuildFailed: a task failed, was blocked or was not run; `.result` tells of all.
        ForceRefused, HashError, PlanError, SettingsError, TargetError, CatalogError: before anything ran.
        TypeError, ValueError: an argument is not what it takes.
        Exception: with `raise_exception=True`, what the task raised.
    """
    central = checked_flag("central_scheduler", central_scheduler) or bool(scheduler_url)
    options = RunOptions(
        num_workers=checked_workers(num_workers, raise_exception=raise_exception),
        retries=checked_number(
            "retries", retries, "how often a failing task is run again", least=0
        ),
        raise_exception=checked_flag("raise_exception", raise_exception),
        force_local_download=checked_flag("force_local_download", force_local_download),
        resume=checked_flag("resume", resume),
        central_scheduler=central,
    )
    local = checked_flag("local_output", local_output)
    arguments = decision_arguments(
        task,
        force=force,
        force_upstream=force_upstream,
        force_upstream_to_task=force_upstream_to_task,
        force_upstream_to_task_cls=force_upstream_to_task_cls,
        force_readers_of=force_readers_of,
        rerun_on=rerun_on,
        verify=verify,
        offline=offline,
        config=config,
        config_file=config_file,
        catalog=catalog,
    )
    with open_session(arguments) as session:
        if progress is None or progress is True:
            tell_notices(session.planner.project, session.planner.settings)
        runner = Runner(session, options, progress_for(progress))
        return runner.run(arguments, central=central, url=scheduler_url, local=local)
