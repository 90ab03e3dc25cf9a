"""`plan_task`: what `run_task` would do, and why; nothing runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from superluigi.planning.plan import Plan
from superluigi.task_runner.checks import decision_arguments
from superluigi.task_runner.notices import tell_notices
from superluigi.task_runner.resuming import resumed_force
from superluigi.task_runner.session import open_session

__all__ = ["plan_task"]


def plan_task(
    task: Any,
    *,
    force: bool = False,
    force_upstream: bool = False,
    force_upstream_to_task: Any = None,
    force_upstream_to_task_cls: Any = None,
    force_readers_of: Any = None,
    rerun_on: Any = None,
    verify: str | None = None,
    resume: bool = False,
    offline: bool = False,
    config: Mapping[str, Mapping[str, Any]] | None = None,
    config_file: str | os.PathLike[str] | None = None,
    catalog: Any = None,
) -> Plan:
    """What `run_task` with the same arguments would do.

    Nothing runs and no target is touched; what dead runs left beside targets is put in order, and what
    was seen is kept in the catalog.

    Returns:
        The decisions, upstream before downstream.

    Raises:
        ForceRefused, HashError, PlanError, SettingsError, TargetError, CatalogError: see there.
        TypeError: an argument is not what it takes.
        Exception: whatever a task's `requires()`, `output()` or `complete()` raises.
    """
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
        tell_notices(session.planner.project, session.planner.settings)
        wanted = session.force
        if resume:
            wanted = resumed_force(wanted, session.roots, session.planner.catalog)
        return session.planner.plan(session.roots, wanted).plan
