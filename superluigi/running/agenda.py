"""`Agenda`: which tasks of a build are still to be run, after what, and what became of the others."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import luigi

from superluigi.hashing import hash_of
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Decision, Reason
from superluigi.planning.nodes import PlannedTask
from superluigi.planning.planner import Planner, Planning
from superluigi.running.entries import Failure

__all__ = ["Agenda", "Announced", "Outcome"]

Announced = tuple[list[PlannedTask], dict[str, list[str]]]
"""What is to be run and was not announced yet, upstream first; and after what, by hash."""


@dataclass
class Outcome:
    """What became of every task."""

    ran: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class Agenda:
    """The tasks of one build and how far they are."""

    def __init__(self, planner: Planner, planning: Planning) -> None:
        self.planning = planning
        self.verdicts: dict[str, Verdict] = planning.verdicts
        self.decisions: dict[str, Decision] = dict(planning.plan.by_hash)
        self.outcome = Outcome()
        self.done: set[str] = set()
        """Hashes of what was made or left alone, and stands."""
        self.pending: set[str] = set()
        """Hashes of what is still to be made."""
        self._planner = planner
        self.changes: list[str] = []
        """Hashes that were put into `done` or `pending` or taken out, in that order."""
        self._announced: set[str] = set()
        self._demanded: set[str] = set()
        self._hash_by_object: dict[int, str] = {}
        self._sort(self.verdicts)

    def counts(self) -> dict[str, int]:
        """How many tasks have which action."""
        counts: dict[str, int] = {}
        for decision in self.decisions.values():
            counts[decision.action] = counts.get(decision.action, 0) + 1
        return counts

    def outcome_counts(self) -> dict[str, int]:
        """How many tasks ended how, so far."""
        names = ("ran", "unchanged", "shared", "failed")
        counts = {name: len(getattr(self.outcome, name)) for name in names}
        decided = self.counts()
        return counts | {"blocked": decided.get("blocked", 0), "skipped": decided.get("skip", 0)}

    def to_announce(self) -> Announced:
        """Take what is to be run and was not announced yet."""
        tasks = []
        upstream: dict[str, list[str]] = {}
        for task_hash, verdict in self.verdicts.items():
            if task_hash in self._announced or not self.is_to_run(verdict):
                continue
            self._announced.add(task_hash)
            self._hash_by_object[id(verdict.task.task)] = task_hash
            tasks.append(verdict.task)
            upstream[task_hash] = self.active_upstream(verdict.task)
        return tasks, upstream

    def extend(self, tasks: list[luigi.Task], asked_by: str) -> list[Verdict]:
        """Plan what a running task yielded, and demand it.

        Returns:
            The verdicts that are new.
        """
        reader = self.verdicts[asked_by].task
        known = set(self.verdicts)
        changed = self._planner.extend(self.planning, tasks, reader, self.pending)
        hashes = [verdict.task.task_hash for verdict in changed]
        for task_hash, decision in zip(hashes, self._planner.decisions(changed), strict=True):
            self.decisions[task_hash] = decision
        self._sort(hashes)
        self.demand(self.verdicts[hash_of(task)].task for task in tasks)
        return [verdict for verdict in changed if verdict.task.task_hash not in known]

    def demand(self, tasks: Iterable[PlannedTask]) -> None:
        """Something asks for these now: what of them waited for that is to be run, with its upstream."""
        pending = list(tasks)
        seen: set[int] = set()
        while pending:
            task = pending.pop()
            if id(task) not in seen:
                seen.add(id(task))
                self._demanded.add(task.task_hash)
                pending += [upstream for _, upstream in task.upstream]

    def names_of(self, task: PlannedTask) -> list[str]:
        """The scheduler's names for what has to end before `task` can be read."""
        if task.is_wrapper:
            return self.active_upstream(task)
        is_active = self.verdicts[task.task_hash].action != "skip"
        return [task.task_hash] if is_active and task.task_hash not in self.done else []

    def hash_of_scheduled(self, task: luigi.Task) -> str:
        """The hash under which a task was announced."""
        return self._hash_by_object[id(task)]

    def finish(self, task_hash: str, what: str) -> None:
        """A task has ended well: it `ran`, is `unchanged` or `shared`."""
        getattr(self.outcome, what).append(task_hash)
        self.done.add(task_hash)
        self.pending.discard(task_hash)
        self.changes.append(task_hash)

    def not_ended(self) -> list[str]:
        """Hashes of what was to run and neither ended nor failed, upstream first."""
        ended = self.done | set(self.outcome.failed)
        return [h for h, v in self.verdicts.items() if self.is_to_run(v) and h not in ended]

    def leave_unasked(self) -> None:
        """What was expected to be asked for, and was not, need not be made."""
        for task_hash, verdict in self.verdicts.items():
            if verdict.is_on_demand and task_hash not in self._demanded:
                reason = Reason("not_yielded", "nothing asked for it this time")
                decision = self.decisions[task_hash]
                self.decisions[task_hash] = replace(
                    decision, action="skip", reasons=(reason, *decision.reasons)
                )

    def is_to_run(self, verdict: Verdict) -> bool:
        """Whether a task is to be run, or may have to be, and whatever it waits to be asked by did so."""
        if verdict.action not in ("run", "maybe"):
            return False
        return not verdict.is_on_demand or verdict.task.task_hash in self._demanded

    def _sort(self, hashes: Iterable[str]) -> None:
        """Put tasks among those that stand, or those that are still to be made."""
        for task_hash in hashes:
            verdict = self.verdicts[task_hash]
            self.changes.append(task_hash)
            if verdict.action != "skip":
                self.pending.add(task_hash)
                self.done.discard(task_hash)
            elif not verdict.is_missing:
                self.done.add(task_hash)

    def active_upstream(self, task: PlannedTask) -> list[str]:
        """Hashes of what is still to end before `task` may run: wrappers are seen through."""
        names: dict[str, None] = {}
        pending = [upstream for _, upstream in task.upstream]
        seen: set[int] = set()
        while pending:
            upstream = pending.pop()
            if id(upstream) in seen:
                continue
            seen.add(id(upstream))
            if upstream.is_wrapper:
                pending += [wrapped for _, wrapped in upstream.upstream]
            elif upstream.task_hash in self.pending:
                names[upstream.task_hash] = None
        return list(names)
