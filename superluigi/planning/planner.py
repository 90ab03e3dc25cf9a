"""From tasks to a plan: the graph, one look at everything, the records, the decisions."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import luigi

from superluigi.code import CodeFingerprint, Fingerprinter
from superluigi.environment import environment_of
from superluigi.hashing import hash_of
from superluigi.planning.claims import refuse_nested_targets
from superluigi.planning.decide import Rules, Verdict, decide, decide_more, stands
from superluigi.planning.decision import Decision
from superluigi.planning.expected import in_running_order, link_expected
from superluigi.planning.force import Force
from superluigi.planning.nodes import (
    PlannedOutput,
    PlannedTask,
    expand,
    has_own_complete,
    refuse_shared_targets,
)
from superluigi.planning.observe import observe_outputs, observe_yielded
from superluigi.planning.plan import Plan
from superluigi.project import Project
from superluigi.settings import Settings
from superluigi_catalog import Catalog
from superluigi_catalog.records import RunRecord

__all__ = ["Planner", "Planning"]


@dataclass(slots=True)
class Planning:
    """A plan, and what carrying it out needs to know."""

    plan: Plan
    verdicts: dict[str, Verdict]
    """By task hash, upstream first."""
    forced: frozenset[str]
    """Hashes of what is forced."""
    forces_all: bool = False
    """What tasks ask for while running is forced too."""

    @property
    def tasks(self) -> list[PlannedTask]:
        """Every task, upstream first."""
        return [verdict.task for verdict in self.verdicts.values()]


@dataclass(slots=True)
class Planner:
    """Plans builds of one project with one catalog."""

    project: Project
    catalog: Catalog
    settings: Settings
    rerun_on: frozenset[str]
    verify: str
    stops_early: bool = True
    """With `missing` alone, end the walk at complete tasks, as Luigi does."""
    asked: luigi.Task | None = None
    """The task whose own code was called last, so that an error in it can be named."""
    code: dict[str, CodeFingerprint] = field(default_factory=dict)
    """By family; of every class that was planned."""
    _fingerprinter: Fingerprinter | None = None

    def plan(self, roots: Iterable[luigi.Task], force: Force) -> Planning:
        """Decide the whole graph above `roots`.

        Raises:
            HashError, ForceRefused, PlanError, TargetError: see there; nothing was changed.
            Exception: whatever a task's `requires()`, `output()` or `complete()` raises.
        """
        stops_at = self._stops_at(force)
        tasks = expand(roots, self.project, stops_at=stops_at, asking=self._ask)
        refuse_shared_targets(tasks)
        refuse_nested_targets(tasks)
        self._look(tasks)
        if stops_at is None:
            tasks = self._with_expected(tasks, {})
        forced = force.reached(tasks, self.project) if force else set()
        forced = force.without_finished(forced, tasks)
        self._compare_code(tasks)
        verdicts = decide(tasks, self._rules(tasks), forced=forced)
        return Planning(
            Plan(self.decisions(verdicts)),
            {verdict.task.task_hash: verdict for verdict in verdicts},
            frozenset(forced),
            forces_all=force.upstream,
        )

    def extend(
        self,
        planning: Planning,
        asked_for: list[luigi.Task],
        reader: PlannedTask,
        pending: Collection[str],
    ) -> list[Verdict]:
        """Decide what a running task asked for, within its build; `planning` grows by it.

        Args:
            reader: The task that asked.
            pending: Hashes of what the build still has to make.

        Returns:
            The new verdicts, and those that changed with them.
        """
        known = {task_hash: verdict.task for task_hash, verdict in planning.verdicts.items()}
        tasks = expand(asked_for, self.project, asking=self._ask, known=known)
        for entry in tasks:
            entry.is_root = False
        self._look(tasks)
        tasks = self._with_expected(tasks, known)
        self._compare_code(tasks)
        by_hash = {**known, **{entry.task_hash: entry for entry in tasks}}
        forced = {t.task_hash for t in tasks if planning.forces_all and not t.is_external}
        verdicts = decide_more(
            tasks,
            self._rules(tasks),
            asked_for=[by_hash[hash_of(task)] for task in asked_for],
            reader=reader,
            known=planning.verdicts.values(),
            pending=pending,
            forced=forced,
        )
        planning.verdicts.update({v.task.task_hash: v for v in verdicts})
        return verdicts

    def look_again(self, task: PlannedTask) -> bool:
        """Whether a task's result stands and is right now, whatever stood there when it was planned."""
        for output in task.outputs:
            output.state.forget()
        self._look([task])
        self._compare_code([task])
        return stands(task, self._rules([task]))

    def _rules(self, tasks: list[PlannedTask]) -> Rules:
        environments = {}
        if "env" in self.rerun_on:
            self._load_details(output for task in tasks for output in task.outputs)
            by_family = {task.family: task for task in tasks if not task.is_external}
            environments = {family: self.environment_of(task) for family, task in by_family.items()}
        return Rules(self.rerun_on, self.code, environments)

    def environment_of(self, task: PlannedTask) -> dict[str, Any]:
        """What a run of a task is executed with, in this process."""
        code = self.code.get(task.family)
        files = {part.file for part in code.parts} if code is not None else set()
        return environment_of(type(task.task), directory=self.project.root, files=files)

    def _look(self, tasks: list[PlannedTask]) -> None:
        self._ask_complete(tasks)
        observe_outputs(tasks, self.catalog, self.settings, self.verify)

    def _with_expected(
        self, tasks: list[PlannedTask], known: Mapping[str, PlannedTask]
    ) -> list[PlannedTask]:
        """The tasks, and what their recorded runs yielded, and what those of that yielded, and so on."""
        planned = {**known, **{task.task_hash: task for task in tasks}}

        def expand_more(roots: list[luigi.Task]) -> list[PlannedTask]:
            return expand(roots, self.project, asking=self._ask, known=planned)

        fresh = tasks
        while fresh:
            fresh = link_expected(planned, fresh, self.catalog, expand_more, self.project)
            if fresh:
                self._look(fresh)
        found = [task for task in planned.values() if task.task_hash not in known]
        observe_yielded(found, planned.values(), self.catalog, self.project)
        if any(task.expected for task in found):
            return in_running_order(found)
        return found

    def _compare_code(self, tasks: list[PlannedTask]) -> None:
        self._fingerprint_code(tasks)
        self._load_changed_code(tasks)

    def _stops_at(self, force: Force) -> Callable[[luigi.Task], bool] | None:
        """Where the walk may end: with `missing` alone at complete tasks, as Luigi's does."""
        if self.rerun_on != {"missing"} or force or not self.stops_early:
            return None

        def is_complete(task: luigi.Task) -> bool:
            return not isinstance(task, luigi.WrapperTask) and bool(task.complete())

        return is_complete

    def _ask(self, task: luigi.Task) -> None:
        self.asked = task

    def _ask_complete(self, tasks: list[PlannedTask]) -> None:
        for entry in tasks:
            if has_own_complete(entry.task):
                self.asked = entry.task
                entry.own_complete = _checked_bool(entry.task)

    def _fingerprint_code(self, tasks: list[PlannedTask]) -> None:
        """Once per class."""
        classes = {
            entry.family: type(entry.task)
            for entry in tasks
            if not entry.is_external and not entry.is_wrapper and entry.family not in self.code
        }
        if not classes:
            return
        if self._fingerprinter is None:
            options = self.settings.code
            self._fingerprinter = Fingerprinter(
                roots=_roots(options.get("roots"), self.project),
                cache_path=self.project.ensure_home() / "code-cache.json",
                includes=tuple(options.get("includes", ())),
                excludes=tuple(options.get("excludes", ())),
            )
        for family, cls in classes.items():
            self.code[family] = self._fingerprinter.fingerprint(cls)
        self._fingerprinter.save()

    def _load_changed_code(self, tasks: list[PlannedTask]) -> None:
        """The recorded parts, only where the fingerprint differs: they name what changed."""
        self._load_details(
            output
            for task in tasks
            for output in task.outputs
            if _code_differs(self.code.get(task.family), output.state.run)
        )

    def _load_details(self, outputs: Iterable[PlannedOutput]) -> None:
        """The recorded parts of code, and environments."""
        states = {output.uri: output.state for output in outputs}
        if not states:
            return
        records = self.catalog.target_records(list(states), with_code_parts=True)
        for uri, state in states.items():
            state.record = records.get(uri, state.record)

    def decisions(self, verdicts: list[Verdict]) -> list[Decision]:
        """The verdicts as a plan shows them, with estimates from history."""
        working = {
            verdict.task.task_hash: verdict.task.family
            for verdict in verdicts
            if verdict.action in ("run", "maybe")
        }
        durations = self.catalog.durations(working) if working else {}
        return [verdict.decision(durations.get(verdict.task.task_hash)) for verdict in verdicts]


def _code_differs(current: CodeFingerprint | None, run: RunRecord | None) -> bool:
    if current is None or run is None or run.code_fingerprint is None:
        return False
    return current.fingerprint is not None and current.fingerprint != run.code_fingerprint


def _checked_bool(task: luigi.Task) -> bool:
    answer = task.complete()
    if answer not in (True, False):
        message = (
            f"{type(task).__name__}.complete() returned {answer!r}; it must return True or False."
        )
        raise TypeError(message)
    return bool(answer)


def _roots(configured: Any, project: Project) -> tuple[Path, ...] | None:
    if not configured:
        return None
    base = project.root or Path.cwd()
    return tuple(base / str(root) for root in configured)
