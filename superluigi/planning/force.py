"""What force arguments reach: a set of tasks in the build's plan, never a mark on a task."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import luigi

from superluigi.errors import ForceRefused
from superluigi.graph import task_text
from superluigi.hashing import hash_of
from superluigi.planning.nodes import PlannedTask
from superluigi.project import Project
from superluigi.targets.foreign import adapt

__all__ = ["Force"]

_HASH_PREFIX = re.compile("[0-9a-f]{4,32}")


@dataclass(frozen=True)
class Force:
    """The force arguments of one build; at most one is given."""

    roots: bool = False
    upstream: bool = False
    to_tasks: tuple[luigi.Task | str, ...] = ()
    """Tasks, or what names some: a family, a class, the beginning of a hash."""
    to_classes: tuple[type[luigi.Task], ...] = ()
    readers_of: tuple[str, ...] = ()
    """Paths or URIs of targets: what reads them is forced."""
    resumed_build: str | None = None
    """A build that did not come to its end: what was run since it began is not forced again."""
    carried: frozenset[str] = frozenset()
    """Hashes that it was to force."""

    @classmethod
    def from_arguments(
        cls, force: bool, force_upstream: bool, to_task: Any, to_task_cls: Any, readers_of: Any
    ) -> Force:
        """The arguments as `run_task` takes them.

        Raises:
            ForceRefused: more than one, or something that is neither a task nor a class of tasks.
        """
        given = [
            name
            for name, value in (
                ("force", force),
                ("force_upstream", force_upstream),
                ("force_upstream_to_task", to_task is not None),
                ("force_upstream_to_task_cls", to_task_cls is not None),
                ("force_readers_of", readers_of is not None),
            )
            if value
        ]
        if len(given) > 1:
            message = f"{' and '.join(given)} contradict each other. Give one of them."
            raise ForceRefused(message)
        return cls(
            roots=bool(force),
            upstream=bool(force_upstream),
            to_tasks=_several(to_task, "force_upstream_to_task", _is_task_or_name),
            to_classes=_several(to_task_cls, "force_upstream_to_task_cls", _is_task_class),
            readers_of=tuple(
                _place_of(place) for place in _several(readers_of, "force_readers_of", _is_place)
            ),
        )

    def __bool__(self) -> bool:
        return bool(
            self.roots
            or self.upstream
            or self.to_tasks
            or self.to_classes
            or self.readers_of
            or self.carried
        )

    def reached(self, tasks: list[PlannedTask], project: Project) -> set[str]:
        """The hashes of the tasks to force. What a forced wrapper wraps is forced with it.

        Args:
            tasks: The whole graph, upstream first.
            project: How paths are stored.

        Raises:
            ForceRefused: a task or class that is not in the graph, or that cannot run.
        """
        if self.roots:
            named = [task for task in tasks if task.is_root]
            _refuse_external(named, "force")
            chosen = _with_wrapped(named)
        elif self.upstream:
            chosen = tasks
        elif self.to_tasks:
            chosen = _between(tasks, _with_wrapped(self._named_tasks(tasks)))
        elif self.to_classes:
            chosen = _between(tasks, _with_wrapped(self._of_classes(tasks)))
        elif self.readers_of:
            chosen = self._readers(tasks, project)
        else:
            chosen = [task for task in tasks if task.task_hash in self.carried]
        return {task.task_hash for task in chosen if not task.is_external}

    def without_finished(self, forced: set[str], tasks: list[PlannedTask]) -> set[str]:
        """Those of `forced` that no run has made since the resumed build began.

        Args:
            tasks: The whole graph, with what is recorded of its targets.
        """
        if self.resumed_build is None:
            return forced
        finished = {task.task_hash for task in tasks if _is_newer(task, self.resumed_build)}
        return forced - finished

    def _named_tasks(self, tasks: list[PlannedTask]) -> list[PlannedTask]:
        by_hash = {task.task_hash: task for task in tasks}
        found: list[PlannedTask] = []
        for wanted in self.to_tasks:
            if isinstance(wanted, str):
                fitting = [task for task in tasks if _is_named(task, wanted)]
            else:
                fitting = [by_hash[h] for h in [hash_of(wanted)] if h in by_hash]
            if not fitting:
                what = wanted if isinstance(wanted, str) else task_text(wanted)
                message = (
                    f"force_upstream_to_task: {what} is not in the graph of what is to be run. "
                    f"{_families(tasks)}"
                )
                raise ForceRefused(message)
            found += fitting
        _refuse_external(found, "force_upstream_to_task")
        return found

    def _of_classes(self, tasks: list[PlannedTask]) -> list[PlannedTask]:
        found: list[PlannedTask] = []
        for cls in self.to_classes:
            matching = [task for task in tasks if isinstance(task.task, cls)]
            if not matching:
                message = (
                    f"force_upstream_to_task_cls: no {cls.__name__} is in the graph of what is to be run. "
                    f"{_families(tasks)}"
                )
                raise ForceRefused(message, family=cls.get_task_family())
            _refuse_external(matching, "force_upstream_to_task_cls")
            found += matching
        return found

    def _readers(self, tasks: list[PlannedTask], project: Project) -> list[PlannedTask]:
        """What reads the named targets directly."""
        wanted = {project.stored_path(place): place for place in self.readers_of}
        readers = {
            id(task): task
            for task in tasks
            if not task.is_wrapper and any(o.uri in wanted for _, _, o in task.inputs())
        }
        read = {output.uri for task in readers.values() for _, _, output in task.inputs()}
        unread = [place for uri, place in wanted.items() if uri not in read]
        if unread:
            message = (
                f"force_readers_of: nothing in the graph of what is to be run reads {unread[0]!r}. "
                "Name a target as its task's output() does."
            )
            raise ForceRefused(message)
        return list(readers.values())


def _is_newer(task: PlannedTask, build_id: str) -> bool:
    """Whether all that a task makes was made after a build began: both ids sort by time."""
    runs = [output.state.run for output in task.outputs]
    return bool(runs) and all(run is not None and run.run_id > build_id for run in runs)


_TAKES = {
    "force_upstream_to_task": "a task or its name",
    "force_upstream_to_task_cls": "a task class",
    "force_readers_of": "a target's path",
}


def _several(value: Any, name: str, is_one: Any) -> tuple[Any, ...]:
    if value is None:
        return ()
    items = (value,) if is_one(value) or not isinstance(value, Iterable) else tuple(value)
    for item in items:
        if not is_one(item):
            message = f"{name} takes {_TAKES[name]} or several; {item!r} is none."
            raise ForceRefused(message)
    if not items:
        message = f"{name} is empty: it would force nothing. Leave it out, or name {_TAKES[name]}."
        raise ForceRefused(message)
    return items


def _is_place(value: Any) -> bool:
    return isinstance(value, (str, os.PathLike, luigi.Target))


def _place_of(value: Any) -> str:
    if isinstance(value, luigi.Target):
        target = adapt(value)
        if target is None:
            message = f"force_readers_of: {value!r} has no path. Name what reads it instead."
            raise ForceRefused(message)
        return target.uri
    return str(os.fspath(value))


def _is_task_or_name(value: Any) -> bool:
    return isinstance(value, (luigi.Task, str))


def _is_named(task: PlannedTask, name: str) -> bool:
    """Whether a name means a task: its family, a class that it is of, the beginning of its hash."""
    if name == task.family or (_HASH_PREFIX.fullmatch(name) and task.task_hash.startswith(name)):
        return True
    return any(
        name in (cls.__name__, f"{cls.__module__}.{cls.__name__}")
        for cls in type(task.task).__mro__
        if issubclass(cls, luigi.Task) and cls is not luigi.Task
    )


def _is_task_class(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, luigi.Task)


def _between(tasks: list[PlannedTask], starts: list[PlannedTask]) -> list[PlannedTask]:
    """The starts and everything that lies between them and the roots."""
    reached = {id(task) for task in starts}
    for task in tasks:
        if any(id(upstream) in reached for _, upstream in (*task.upstream, *task.expected)):
            reached.add(id(task))
    return [task for task in tasks if id(task) in reached]


def _with_wrapped(chosen: list[PlannedTask]) -> list[PlannedTask]:
    reached = {id(task): task for task in chosen}
    pending = [task for task in chosen if task.is_wrapper]
    while pending:
        for _, wrapped in pending.pop().upstream:
            if id(wrapped) not in reached:
                reached[id(wrapped)] = wrapped
                if wrapped.is_wrapper:
                    pending.append(wrapped)
    return list(reached.values())


def _refuse_external(tasks: list[PlannedTask], name: str) -> None:
    for task in tasks:
        if task.is_external:
            message = (
                f"{name}: {task.family} is an external task; nothing here can make it again. "
                "Force what reads it instead."
            )
            raise ForceRefused(message, task_hash=task.task_hash, family=task.family)


def _families(tasks: list[PlannedTask]) -> str:
    names = sorted({task.family for task in tasks})
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    return f"In the graph are {shown}."
