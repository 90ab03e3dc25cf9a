"""What is to be run again, and how: as words for the command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from superluigi_catalog import Catalog, Task

__all__ = [
    "MODES",
    "CannotRerun",
    "PlanShown",
    "RerunRequest",
    "directory_of",
    "request_for",
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


class CannotRerun(ValueError):
    """It cannot be run from here; the message says why."""


@dataclass(frozen=True)
class RerunRequest:
    """One task to be made again."""

    task: Task
    cwd: Path
    """Where its module was imported from the last time."""
    mode: str = "needed"
    forced_from: str = ""
    """A family or the beginning of a hash, for the mode `from`."""
    workers: int = 1
    resumes: bool = False
    """Go on with the last build of this task, if it did not end."""
    families: tuple[str, ...] = ()
    """Upstream of it, for the mode `from`."""
    sinks: tuple[Task, ...] = ()
    """The last tasks downstream of it, for the mode `downstream`."""

    def decision_words(self) -> list[str]:
        """The options that decide what runs.

        Raises:
            CannotRerun: the mode is not possible here.
        """
        if self.mode == "from":
            return ["--force-upstream-to", self.forced_from or self.task.task_hash]
        if self.mode == "downstream":
            return ["--force-upstream-to", self.task.task_hash]
        return list(_OPTIONS[self.mode])

    def target_task(self) -> Task:
        """The task that is asked for.

        Raises:
            CannotRerun: several tasks stand at the end of what is downstream.
        """
        if self.mode != "downstream" or not self.sinks:
            return self.task
        if len(self.sinks) > 1:
            named = ", ".join(f"{sink.family} {sink.task_hash[:8]}" for sink in self.sinks[:4])
            message = f"Downstream ends in {len(self.sinks)} tasks ({named}): rerun one of those."
            raise CannotRerun(message)
        return self.sinks[0]

    def plan_words(self) -> list[str]:
        """The arguments of `superluigi plan`."""
        return ["plan", "--json", *self.decision_words(), *task_words(self.target_task())]

    def run_words(self) -> list[str]:
        """The arguments of `superluigi run`."""
        options = self.decision_words()
        if self.workers > 1:
            options += ["--workers", str(self.workers)]
        if self.resumes:
            options.append("--resume")
        return ["run", *options, *task_words(self.target_task())]

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


def request_for(catalog: Catalog, task_hash: str) -> RerunRequest:
    """Prepare a rerun by what is recorded.

    Raises:
        CannotRerun: its code cannot be found again.
    """
    task = catalog.task(task_hash)
    if task.is_stub or not task.family:
        message = "It is only known as an input of others: nothing says how it is made."
        raise CannotRerun(message)
    if task.is_external:
        message = f"{task.family} is external: it is made elsewhere."
        raise CannotRerun(message)
    if task.module in _UNNAMED or not task.module:
        message = f"{task.family} was defined in a script or notebook. Put its class into a module."
        raise CannotRerun(message)
    downstream = catalog.downstream(task_hash)
    inner = {edge.upstream_hash for edge in downstream.edges}
    return RerunRequest(
        task,
        directory_of(catalog, task),
        families=tuple(sorted({up.family for up in catalog.upstream(task_hash) if up.family})),
        sinks=tuple(each for each in downstream if each.task_hash not in inner),
    )


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
