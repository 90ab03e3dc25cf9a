"""What is to be run again, and how: as words for the command line."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from superluigi_catalog import Build, Catalog, Task
from superluigi_tui.texts import one_line

__all__ = [
    "MODES",
    "CannotRerun",
    "PlanShown",
    "RerunRequest",
    "directory_of",
    "families_above",
    "request_for",
    "request_for_build",
    "sinks_below",
    "task_words",
]

MODES: Mapping[str, str] = {
    "needed": "what is needed",
    "this": "force this",
    "upstream": "all upstream",
    "from": "from a class",
    "code": "code changed",
    "downstream": "downstream too",
}
_OPTIONS: Mapping[str, tuple[str, ...]] = {
    "needed": (),
    "this": ("--force",),
    "upstream": ("--force-upstream",),
    "code": ("--rerun-on", "missing,inputs,code"),
}
_UNNAMED = ("__main__", "__mp_main__")
_ASK_ABOVE = 50
_MAX_SINKS = 100
_DIGITS = 12
"""Of a hash in a command: enough to be the only one."""


class CannotRerun(ValueError):
    """It cannot be run from here; the message says why."""


@dataclass(frozen=True)
class RerunRequest:
    """Tasks to be made again, in one build."""

    tasks: tuple[Task, ...]
    cwd: Path
    """Where their modules were imported from the last time."""
    mode: str = "needed"
    forced_from: str = ""
    """A family or the beginning of a hash, for the mode `from`."""
    workers: int = 1
    resumes: bool = False
    """Go on with the last build of these tasks, if it did not end."""
    sinks: tuple[Task, ...] = ()
    """The last tasks downstream of them, for the mode `downstream`."""

    @property
    def title(self) -> str:
        """What is rerun, in a few words."""
        first = self.tasks[0]
        others = len(self.tasks) - 1
        more = f"  and {others} other{'s' if others > 1 else ''}" if others else ""
        return f"{one_line(first.family)}  {first.task_hash[:8]}{more}"

    def decision_words(self) -> list[str]:
        """The options that decide what runs."""
        if self.mode == "from":
            return ["--force-upstream-to", self.forced_from]
        if self.mode == "downstream":
            pairs = (("--force-upstream-to", task.task_hash[:_DIGITS]) for task in self.tasks)
            return [word for pair in pairs for word in pair]
        return list(_OPTIONS[self.mode])

    def target_tasks(self) -> tuple[Task, ...]:
        """The tasks that are asked for."""
        return self.sinks if self.mode == "downstream" and self.sinks else self.tasks

    def _words(self, command: str, *options: str) -> list[str]:
        first, *others = self.target_tasks()
        resume = ["--resume"] if self.resumes else []
        also = [word for task in others for word in ("--also", task.task_hash[:_DIGITS])]
        return [command, *options, *self.decision_words(), *resume, *also, *task_words(first)]

    def plan_words(self) -> list[str]:
        """The arguments of `superluigi plan`."""
        return self._words("plan", "--json")

    def run_words(self) -> list[str]:
        """The arguments of `superluigi run`."""
        return self._words("run", *(["--workers", str(self.workers)] if self.workers > 1 else ()))

    def command(self) -> str:
        """The same for a shell."""
        return shlex.join(["superluigi", *self.run_words()])

    def with_mode(self, mode: str) -> RerunRequest:
        """The same in another mode."""
        return replace(self, mode=mode)


@dataclass(frozen=True)
class PlanShown:
    """A plan as `superluigi plan --json` prints it."""

    decisions: tuple[Mapping[str, Any], ...] = field(default_factory=tuple)
    estimate_s: float | None = None

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> PlanShown:
        """Take what the child printed."""
        return cls(tuple(document.get("decisions") or ()), document.get("estimate_s"))

    def with_action(self, *actions: str) -> list[Mapping[str, Any]]:
        """The decisions with an action."""
        return [each for each in self.decisions if each.get("action") in actions]

    @property
    def to_run(self) -> int:
        """How many tasks run, or may."""
        return len(self.with_action("run", "maybe"))

    def needs_typing(self, mode: str) -> bool:
        """Whether so much would run that a key alone must not start it."""
        return self.to_run > _ASK_ABOVE or (mode == "upstream" and self.to_run > 1)


def request_for(catalog: Catalog, task_hashes: Sequence[str]) -> RerunRequest:
    """Prepare a rerun by what is recorded.

    Raises:
        CannotRerun: their code cannot be found again, or not from one directory.
    """
    tasks = tuple(catalog.task(each) for each in task_hashes)
    for task in tasks:
        _refuse_unknown_code(task)
    folders = list(dict.fromkeys(directory_of(catalog, task) for task in tasks))
    if len(folders) > 1:
        message = f"They were run in different directories: {folders[0]}, {folders[1]}. Rerun them one by one."
        raise CannotRerun(message)
    return RerunRequest(tasks, folders[0])


def request_for_build(catalog: Catalog, build: Build) -> RerunRequest:
    """Prepare to do again what a build was asked for, and to go on with it where it did not end well.

    Raises:
        CannotRerun: as for `request_for`.
    """
    if not build.roots:
        message = "It is not recorded what it was asked for."
        raise CannotRerun(message)
    looks_at_code = "code" in (build.arguments.get("rerun_on") or ())
    return replace(
        request_for(catalog, build.roots),
        mode="code" if looks_at_code else "needed",
        workers=int(build.arguments.get("num_workers") or 1),
        resumes=build.status != "succeeded",
    )


def families_above(catalog: Catalog, tasks: Iterable[Task]) -> dict[str, str]:
    """The families upstream of some tasks, by themselves."""
    found = {up.family for task in tasks for up in catalog.upstream(task.task_hash) if up.family}
    return {family: family for family in sorted(found)}


def sinks_below(catalog: Catalog, tasks: Iterable[Task]) -> tuple[Task, ...]:
    """The last tasks downstream of some tasks; a task that nothing depends on is one itself.

    Raises:
        CannotRerun: there are too many, or their code cannot be found.
    """
    found: dict[str, Task] = {}
    for task in tasks:
        downstream = catalog.downstream(task.task_hash).whole()
        inner = {edge.upstream_hash for edge in downstream.edges}
        ends = [each for each in (task, *downstream) if each.task_hash not in inner]
        found |= {each.task_hash: each for each in ends}
    if len(found) > _MAX_SINKS:
        message = (
            f"Downstream ends in {len(found):,} tasks. Mark those that you want, and rerun them."
        )
        raise CannotRerun(message)
    for task in found.values():
        _refuse_unknown_code(task)
    return tuple(found.values())


def _refuse_unknown_code(task: Task) -> None:
    name = f"{one_line(task.family)} {task.task_hash[:8]}".strip()
    if task.is_stub or not task.family:
        message = f"{name} is only known as an input of others: nothing says how it is made."
        raise CannotRerun(message)
    if task.is_external:
        message = f"{name} is external: it is made elsewhere."
        raise CannotRerun(message)
    if task.module in _UNNAMED or not task.module:
        message = f"{name} was defined in a script or notebook. Put its class into a module."
        raise CannotRerun(message)


def task_words(task: Task) -> list[str]:
    """Name and parameters of a task, as the command line takes them."""
    # A family with a namespace is not the name of a class; the catalog knows its module.
    name = task.family if "." in task.family else f"{task.module}.{task.family}"
    values = {**task.insignificant_params, **task.params}
    return [name, *(f"--{key.replace('_', '-')}={value}" for key, value in values.items())]


def directory_of(catalog: Catalog, task: Task) -> Path:
    """Where the task's module was imported from: the last build's directory, else the project's."""
    for run in catalog.runs(task.task_hash, limit=1):
        if run.build_id is not None:
            directory = Path(catalog.build(run.build_id).cwd)
            if directory.is_absolute() and directory.is_dir():
                return directory
    return catalog.project.root or Path.cwd()
