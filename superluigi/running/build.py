"""`Build`: one plan being carried out. The worker asks it, the catalog and the event file hear from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any

import luigi
from luigi.task_status import DONE, FAILED

from superluigi.execution.adoption import standing_entry
from superluigi.execution.order import RunOrder, utc_now, utc_text
from superluigi.files import sweep_temporaries
from superluigi.hashing import hash_of
from superluigi.planning.compare import changed_inputs
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Decision, Reason
from superluigi.planning.nodes import PlannedTask
from superluigi.planning.planner import Planner, Planning
from superluigi.project import Project
from superluigi.running.entries import (
    Failure,
    failure_of,
    take_over,
    task_fields,
)
from superluigi.running.events import BuildFiles
from superluigi.running.orders import Orders
from superluigi.running.readiness import Readiness
from superluigi.running.standing import StandingResults
from superluigi_catalog import Catalog
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import RunEntry

__all__ = ["Build", "RunOptions", "Settled"]

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class RunOptions:
    """How a build runs, as far as running is concerned."""

    num_workers: int = 1
    retries: int = 0
    raise_exception: bool = False
    force_local_download: bool = False
    resume: bool = False


@dataclass
class Outcome:
    """What became of every task."""

    ran: list[str] = field(default_factory=list)
    unchanged: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)


class Settled(Enum):
    """What becomes of a task whose turn it is."""

    RUNS = "runs"
    STANDS = "stands"
    """It is as it was; it need not run."""
    WAITS = "waits"
    """Something that it had yielded is to be made first."""
    BLOCKED = "blocked"
    """Something that it had yielded cannot be made."""


class Build:
    """One call of `run_task`, from its plan to its end."""

    def __init__(
        self,
        build_id: str,
        planner: Planner,
        planning: Planning,
        options: RunOptions,
        files: BuildFiles,
        listener: Listener,
    ) -> None:
        self.build_id = build_id
        self.options = options
        self.outcome = Outcome()
        self.verdicts: dict[str, Verdict] = planning.verdicts
        self.decisions: dict[str, Decision] = dict(planning.plan.by_hash)
        self._planner = planner
        self._files = files
        self._listener = listener
        self._order_maker = Orders(build_id, planner, options.force_local_download)
        self._standing = StandingResults(self._order_maker)
        self._orders: dict[str, RunOrder] = {}
        self._attempts: dict[str, int] = {}
        self._announced: set[str] = set()
        self._hash_by_object: dict[int, str] = {}
        self._planning = planning
        self._demanded: set[str] = set()
        self._awaited: dict[str, list[str]] = {}
        self._done: set[str] = set()
        self._pending: set[str] = set()
        self._sort(self.verdicts)
        self.readiness = Readiness(
            planner.project,
            planner.settings,
            planner.rerun_on,
            planner.verify,
            str(planner.catalog.path),
            planning.forces_all,
            self._done,
            self._pending,
        )

    @property
    def project(self) -> Project:
        """Where it runs."""
        return self._planner.project

    @property
    def _catalog(self) -> Catalog:
        return self._planner.catalog

    # -- before the first run ------------------------------------------------------------------

    def begin(self) -> None:
        """Record the graph, what is adopted and what has a new identity; tell what will happen."""
        self.outcome.unchanged += self._standing.record_graph(self.verdicts.values())
        self._sweep()
        self._standing.restore_sidecars(self.verdicts.values())
        shown = [d.to_dict() for d in self.decisions.values() if d.action != "skip"]
        counts = self.counts()
        self._files.write_plan({"build_id": self.build_id, "counts": counts, "decisions": shown})
        roots = [d.short_label for d in self.decisions.values() if d.is_root]
        self._tell("plan", counts=counts, roots=roots)
        for decision in self.decisions.values():
            if decision.action == "blocked":
                self._tell("task_blocked", **task_fields(decision), why=decision.reasons[0].text)

    def counts(self) -> dict[str, int]:
        """How many tasks have which action."""
        counts: dict[str, int] = {}
        for decision in self.decisions.values():
            counts[decision.action] = counts.get(decision.action, 0) + 1
        return counts

    def outcome_counts(self) -> dict[str, int]:
        """How many tasks ended how, so far."""
        counts = {name: len(getattr(self.outcome, name)) for name in ("ran", "unchanged", "failed")}
        return counts | {"skipped": self.counts().get("skip", 0)}

    def to_announce(self) -> tuple[list[PlannedTask], dict[str, list[str]]]:
        """What is to be run and was not announced yet, upstream first; and after what, by hash."""
        tasks = []
        upstream: dict[str, list[str]] = {}
        for task_hash, verdict in self.verdicts.items():
            if task_hash in self._announced or not self._is_to_run(verdict):
                continue
            self._announced.add(task_hash)
            self._hash_by_object[id(verdict.task.task)] = task_hash
            tasks.append(verdict.task)
            upstream[task_hash] = self._active_upstream(verdict.task)
        return tasks, upstream

    def extend(
        self, tasks: list[luigi.Task], asked_by: str
    ) -> tuple[list[PlannedTask], dict[str, list[str]]]:
        """Plan what a running task yielded; what of it is to be announced."""
        reader = self.verdicts[asked_by].task
        known = set(self.verdicts)
        changed = self._planner.extend(self._planning, tasks, reader, self._pending)
        hashes = [verdict.task.task_hash for verdict in changed]
        for task_hash, decision in zip(hashes, self._planner.decisions(changed), strict=True):
            self.decisions[task_hash] = decision
        self._sort(hashes)
        new = [verdict for verdict in changed if verdict.task.task_hash not in known]
        self.outcome.unchanged += self._standing.record_graph(new)
        self._demand(self.verdicts[hash_of(task)].task for task in tasks)
        return self.to_announce()

    def scheduled_names(self, task: luigi.Task) -> list[str]:
        """The scheduler's names for what has to end before `task` can be read."""
        return self._names_of(self.verdicts[hash_of(task)].task)

    def hash_of_scheduled(self, task: luigi.Task) -> str:
        """The hash under which a task was announced."""
        return self._hash_by_object[id(task)]

    # -- one task ------------------------------------------------------------------------------

    def settle(self, task_id: str) -> Settled:
        """What becomes of a task whose turn it is, now that all before it has ended.

        One that may run need not when its inputs are as they were; it waits while something that it had
        yielded is to be made first.
        """
        verdict = self.verdicts[task_id]
        run = next((o.state.run for o in verdict.task.outputs if o.state.run is not None), None)
        if verdict.action != "maybe" or verdict.is_missing or run is None:
            return Settled.RUNS
        reasons = changed_inputs(verdict.task, run)
        if reasons:
            decision = self.decisions[task_id]
            self.decisions[task_id] = replace(
                decision, reasons=(*reasons, *decision.reasons), action="run"
            )
            return Settled.RUNS
        failed = self.outcome.failed
        expected = [task for _, task in verdict.task.expected]
        names = [name for task in expected for name in self._names_of(task)]
        if any(name in failed or self.verdicts[name].is_blocked for name in names):
            return Settled.BLOCKED
        if names:
            self._demand(expected)
            self._awaited[task_id] = names
            return Settled.WAITS
        reason = Reason("unchanged", "its inputs turned out as they were")
        # What was edited by hand stays on record as what its run wrote: the edit is to be seen again.
        if not any(output.state.was_edited for output in verdict.task.outputs):
            self._standing.record(verdict, "unchanged", reason)
        self._finish(task_id, "unchanged")
        self._tell("run_unchanged", **task_fields(self.decisions[task_id]))
        return Settled.STANDS

    def take_awaited(self, task_id: str) -> list[str]:
        """The scheduler's names of what a task that was just settled waits for."""
        return self._awaited.pop(task_id, [])

    def order(self, task_id: str) -> RunOrder:
        """The order for the run that starts now; its start is recorded."""
        order = self._order_maker.make(self.verdicts[task_id], self.decisions[task_id].reasons[0])
        run_log = self._files.run_log(order.run_id)
        order.log_path = str(self._files.path / run_log)
        self._orders[task_id] = order
        self._attempts[task_id] = self._attempts.get(task_id, 0) + 1
        self._catalog.start_run(
            order.run_id,
            task_id,
            build_id=self.build_id,
            reason=dict(order.reason),
            reasons=tuple(reason.to_dict() for reason in self.decisions[task_id].reasons),
            started_at=utc_now(),
            owner=this_owner(),
            log=run_log,
        )
        decision = self.decisions[task_id]
        self._tell(
            "run_started",
            **task_fields(decision),
            run_id=order.run_id,
            attempt=self._attempts[task_id],
            why=decision.reasons[0].text,
            log=run_log,
        )
        return order

    def ended(self, task_id: str, status: str, explanation: Any, outcome: RunEntry | None) -> bool:
        """Record how a run ended; whether it is to be tried again."""
        order = self._orders.pop(task_id, None)
        if order is None:
            return False  # settled: recorded already
        decision = self.decisions[task_id]
        entry = self._complete_entry(task_id, order, status, explanation, outcome)
        if entry is None:
            waits = "waits for what it yielded; run() starts again when that is made"
            self._catalog.finish_run(_unreported_entry(order, "interrupted", waits))
            self._tell("run_suspended", **task_fields(decision), run_id=order.run_id)
            return False
        self._catalog.finish_run(entry)
        if entry.status == "succeeded":
            take_over(self.verdicts[task_id].task, entry)
        fields = {**task_fields(decision), "run_id": entry.run_id, "duration_s": entry.duration_s}
        if status == DONE:
            self._finish(task_id, "ran")
            self._tell("run_succeeded", **fields)
            return False
        retries = self._attempts[task_id] <= self.options.retries
        failure = failure_of(decision, entry, explanation, order)
        self._tell(
            "run_failed",
            **fields,
            error_type=failure.error_type,
            error=failure.error,
            traceback=failure.traceback,
            will_retry=retries,
        )
        if not retries:
            self.outcome.failed.append(task_id)
            self.outcome.failures.append(failure)
        return retries

    @property
    def events_path(self) -> str:
        """Where the events are written."""
        return str(self._files.path / "events.jsonl")

    def tick(self) -> None:
        """Nothing happened for a while; a progress bar may want to draw."""
        self._listener({"event": "tick"})

    # -- after the last run --------------------------------------------------------------------

    def not_ended(self) -> list[str]:
        """Hashes of what was to run and neither ended nor failed, upstream first."""
        ended = self._done | set(self.outcome.failed)
        return [h for h, v in self.verdicts.items() if self._is_to_run(v) and h not in ended]

    def leave_unasked(self) -> None:
        """What was expected to be asked for, and was not, need not be made."""
        for task_hash, verdict in self.verdicts.items():
            if verdict.is_on_demand and task_hash not in self._demanded:
                reason = Reason("not_yielded", "nothing asked for it this time")
                decision = self.decisions[task_hash]
                self.decisions[task_hash] = replace(
                    decision, action="skip", reasons=(reason, *decision.reasons)
                )

    def interrupt(self, error: BaseException) -> None:
        """Record the runs that an exception in this process ended."""
        for task_id, order in list(self._orders.items()):
            if order.outcome is not None:
                self.ended(task_id, FAILED, str(error), order.outcome)
            else:
                self._orders.pop(task_id)
                self._catalog.finish_run(_unreported_entry(order, "interrupted", str(error)))

    # -- helpers -------------------------------------------------------------------------------

    def _sort(self, hashes: Iterable[str]) -> None:
        """Put tasks among those that stand, or those that are still to be made."""
        for task_hash in hashes:
            verdict = self.verdicts[task_hash]
            if verdict.action != "skip":
                self._pending.add(task_hash)
                self._done.discard(task_hash)
            elif not verdict.is_missing:
                self._done.add(task_hash)

    def _is_to_run(self, verdict: Verdict) -> bool:
        if verdict.action not in ("run", "maybe"):
            return False
        return not verdict.is_on_demand or verdict.task.task_hash in self._demanded

    def _demand(self, tasks: Iterable[PlannedTask]) -> None:
        """Something asks for these now: what of them waited for that is to be run, with its upstream."""
        pending = list(tasks)
        seen: set[int] = set()
        while pending:
            task = pending.pop()
            if id(task) not in seen:
                seen.add(id(task))
                self._demanded.add(task.task_hash)
                pending += [upstream for _, upstream in task.upstream]

    def _names_of(self, task: PlannedTask) -> list[str]:
        if task.is_wrapper:
            return self._active_upstream(task)
        is_active = self.verdicts[task.task_hash].action != "skip"
        return [task.task_hash] if is_active and task.task_hash not in self._done else []

    def _tell(self, event: str, **what: Any) -> None:
        self._listener(self._files.write(event, **what))

    def _active_upstream(self, task: PlannedTask) -> list[str]:
        """What has to end before: wrappers are seen through."""
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
            elif upstream.task_hash in self._pending:
                names[upstream.task_hash] = None
        return list(names)

    def _sweep(self) -> None:
        """Remove what dead runs left beside the targets of this build and in the project's own folder."""
        folders = {
            os.path.dirname(output.target.uri)  # noqa: PTH120 - once per target and build
            for verdict in self.verdicts.values()
            for output in verdict.task.outputs
            if output.target is not None and "://" not in output.target.uri
        }
        own = {str(self.project.home / "tmp"), str(self.project.home / "cache" / "tmp")}
        for folder in sorted(folders | own):
            sweep_temporaries(folder)

    def _complete_entry(
        self, task_id: str, order: RunOrder, status: str, explanation: Any, outcome: RunEntry | None
    ) -> RunEntry | None:
        """What is recorded of a run; None when it was suspended to wait for what it yielded."""
        if outcome is None and status not in (DONE, FAILED):
            return None
        if outcome is None:
            # The child died, or failed outside run(): nobody else will say so.
            text = str(explanation or "the process died")
            entry = _unreported_entry(order, "failed", text.strip().splitlines()[-1])
            outcome = replace(entry, error_type="ProcessDied", traceback=text)
        code = self._planner.code.get(self.verdicts[task_id].task.family)
        return replace(
            outcome,
            reasons=tuple(reason.to_dict() for reason in self.decisions[task_id].reasons),
            code=code.to_dict(include_source=True) if code is not None else None,
            environment=order.environment,
            log=self._files.run_log(order.run_id),
        )

    def _finish(self, task_id: str, what: str) -> None:
        getattr(self.outcome, what).append(task_id)
        self._done.add(task_id)
        self._pending.discard(task_id)


def _unreported_entry(order: RunOrder, status: str, error: str) -> RunEntry:
    """The record of a run that did not live to make its own."""
    ended = time.time()
    return replace(
        standing_entry(order, status, (), (), ended),
        started_at=utc_text(order.ordered_at),
        duration_s=round(ended - order.ordered_at, 6),
        error=error,
    )
