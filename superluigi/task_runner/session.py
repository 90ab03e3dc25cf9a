"""What planning and running a build share: its tasks, its project, its settings, its catalog."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luigi
from luigi.configuration import get_config

from superluigi.errors import SettingsError
from superluigi.hashing import new_generation
from superluigi.planning.force import Force
from superluigi.planning.planner import Planner
from superluigi.project import Project, using_project
from superluigi.project_params import use_params
from superluigi.s3.offline import working_offline
from superluigi.settings import checked_triggers, checked_verify, load_settings
from superluigi_catalog import Catalog
from superluigi_catalog.project import find_project

__all__ = ["DecisionArguments", "Session", "luigi_config", "open_session"]


@dataclass(frozen=True)
class DecisionArguments:
    """The arguments that `run_task` and `plan_task` share."""

    task: Any
    force: bool = False
    force_upstream: bool = False
    force_upstream_to_task: Any = None
    force_upstream_to_task_cls: Any = None
    force_readers_of: Any = None
    rerun_on: Any = None
    verify: str | None = None
    offline: bool = False
    config: Mapping[str, Mapping[str, Any]] | None = None
    config_file: str | os.PathLike[str] | None = None
    catalog: Any = None


@dataclass
class Session:
    """An open build or plan."""

    planner: Planner
    roots: list[luigi.Task]
    root_argument: Any
    """What the caller passed: a task, or several."""
    force: Force


@contextmanager
def open_session(arguments: DecisionArguments) -> Iterator[Session]:
    """Resolve the arguments; config and generation hold while inside.

    Raises:
        TypeError: what is to be run is neither a task, nor several, nor a class.
        ForceRefused, SettingsError: an argument that cannot be.
        CatalogError: the catalog cannot be opened.
    """
    force = Force.from_arguments(
        arguments.force,
        arguments.force_upstream,
        arguments.force_upstream_to_task,
        arguments.force_upstream_to_task_cls,
        arguments.force_readers_of,
    )
    project = find_project()
    settings = load_settings(project.root)
    rerun_on = (
        settings.rerun_on
        if arguments.rerun_on is None
        else checked_triggers(arguments.rerun_on, "run_task")
    )
    verify = checked_verify(arguments.verify or settings.verify, "run_task")
    use_params(settings.params)
    with (
        luigi_config(arguments.config, arguments.config_file),
        using_project(project),
        working_offline(arguments.offline),
    ):
        new_generation()
        roots, shaped = _roots(arguments.task)
        with _opened(arguments.catalog, project) as catalog:
            # What is missing and needed is always made; the other triggers are choices.
            planner = Planner(project, catalog, settings, rerun_on | {"missing"}, verify)
            yield Session(planner, roots, shaped, force)


@contextmanager
def _opened(catalog: Any, project: Project) -> Iterator[Catalog]:
    if isinstance(catalog, Catalog):
        yield catalog
        return
    project.ensure_home()
    path = project.home / "catalog.db" if catalog is None else catalog
    with Catalog(path) as opened:
        yield opened


def _roots(argument: Any) -> tuple[list[luigi.Task], Any]:
    if isinstance(argument, luigi.Task):
        return [argument], argument
    if isinstance(argument, type) and issubclass(argument, luigi.Task):
        task = argument()
        return [task], task
    if isinstance(argument, (list, tuple, set, frozenset)):
        tasks = [_roots(item)[0][0] for item in argument]
        if tasks:
            return tasks, tasks
        message = "run_task was given no task: the list is empty."
        raise TypeError(message)
    message = (
        f"run_task takes a task, several tasks, or a task class; {argument!r} is "
        f"{type(argument).__name__}. Make the task: MyTask(param=value)."
    )
    raise TypeError(message)


@contextmanager
def luigi_config(
    given: Mapping[str, Mapping[str, Any]] | None,
    config_file: str | os.PathLike[str] | None,
) -> Iterator[None]:
    """Luigi's configuration with the caller's values; as it was afterwards."""
    if not given and config_file is None:
        yield
        return
    config = get_config()
    before = {section: dict(config.items(section)) for section in config.sections()}
    luigi.task_register.Register.clear_instance_cache()
    try:
        if config_file is not None:
            _read_file(config, config_file)
        for section, values in (given or {}).items():
            _set(config, section, values)
        yield
    finally:
        for section in list(config.sections()):
            if section not in before:
                config.remove_section(section)
        for section, values in before.items():
            for key in list(config.options(section)):
                if key not in values:
                    config.remove_option(section, key)
            _set(config, section, values)
        luigi.task_register.Register.clear_instance_cache()


def _set(config: Any, section: str, values: Mapping[str, Any]) -> None:
    for key, value in values.items():
        config.set(section, str(key), str(value))


def _read_file(config: Any, path: str | os.PathLike[str]) -> None:
    if not Path(path).is_file():
        message = f"config_file {os.fspath(path)!r} does not exist. Name a luigi.cfg."
        raise SettingsError(message)
    config.read([os.fspath(path)])
