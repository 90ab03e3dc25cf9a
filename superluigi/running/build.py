"""`Build`: one plan being carried out. The worker asks it, the catalog and the event file hear from it."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import luigi
from luigi.task_status import DONE, FAILED

from superluigi.execution.adoption import standing_entry
from superluigi.execution.order import RunOrder, utc_text
from superluigi.files import sweep_temporaries
from superluigi.hashing import hash_of
from superluigi.planning.nodes import PlannedTask
from superluigi.planning.planner import Planner, Planning
from superluigi.project import Project
from superluigi.running.agenda import Agenda, Announced
from superluigi.running.entries import failure_of, take_over, task_fields
from superluigi.running.events import BuildFiles
from superluigi.running.leases import BEAT_INTERVAL_S
from superluigi.running.orders import Orders
from superluigi.running.readiness import Readiness
from superluigi.running.standing import StandingResults
from superluigi.running.turns import Turns
from superluigi_catalog import Catalog
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import RunEntry

__all__ = ["Build", "RunOptions"]

Listener = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class RunOptions:
    """How a build runs, as far as running is concerned."""

    num_workers: int = 1
    retries: int = 0
    raise_exception: bool = False
    force_local_download: bool = False
    resume: bool = False
    central_scheduler: bool = False


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
        self.agenda = Agenda(planner, planning)
        self._planner = planner
        self._files = files
        self._listener = listener
        self._standing = StandingResults(Orders(build_id, planner, options.force_local_download))
        self.turns = Turns(
            self.agenda,
            self._standing,
            files,
            self._tell,
            looks_again=options.central_scheduler,
        )
        self._beat_after = time.monotonic() + BEAT_INTERVAL_S
        self.readiness = Readiness(
            planner.project,
            planner.settings,
            planner.rerun_on,
            planner.verify,
            str(planner.catalog.path),
            planning.forces_all,
            self.agenda.done,
            self.agenda.pending,
            self.agenda.changes,
        )

    @property
    def project(self) -> Project:
        """Where it runs."""
        return self._planner.project

    @property
    def _catalog(self) -> Catalog:
        return self.turns.catalog

    def begin(self) -> None:
        """Record the graph, what is adopted and what has a new identity; tell what will happen."""
        verdicts, decisions = self.agenda.verdicts.values(), self.agenda.decisions.values()
        self.agenda.outcome.unchanged += self._standing.record_graph(verdicts)
        self._sweep()
        self._standing.restore_sidecars(verdicts)
        shown = (d.to_dict() for d in decisions if d.action != "skip")
        counts = self.agenda.counts()
        self._files.write_plan(shown, build_id=self.build_id, counts=counts)
        roots = [d.short_label for d in decisions if d.is_root]
        self._tell("plan", counts=counts, roots=roots)
        for decision in decisions:
            if decision.action == "blocked":
                self._tell("task_blocked", **task_fields(decision), why=decision.reasons[0].text)

    def extend(self, tasks: list[luigi.Task], asked_by: str) -> Announced:
        """Take in what a running task yielded; what of it is to be announced."""
        self.record_ended()
        new = self.agenda.extend(tasks, asked_by)
        self.agenda.outcome.unchanged += self._standing.record_graph(new)
        return self.agenda.to_announce()

    def scheduled_names(self, task: luigi.Task) -> list[str]:
        """The scheduler's names for what has to end before `task` can be read."""
        return self.agenda.names_of(self.agenda.verdicts[hash_of(task)].task)

    def ended(self, task_id: str, status: str, explanation: Any, outcome: RunEntry | None) -> bool:
        """Record how a run ended; whether it is to be tried again."""
        order = self.turns.take_started(task_id)
        if order is None:
            return False  # settled: recorded already
        decision = self.agenda.decisions[task_id]
        entry = self._complete_entry(task_id, order, status, explanation, outcome)
        if entry is None:
            waits = "waits for what it yielded; run() starts again when that is made"
            self._catalog.finish_run(_unreported_entry(order, "interrupted", waits))
            self._tell("run_suspended", **task_fields(decision), run_id=order.run_id)
            self.turns.attempts[task_id] -= 1  # it goes on, it is not tried again
            return False
        self.turns.end(entry)
        if entry.status == "succeeded":
            take_over(self.agenda.verdicts[task_id].task, entry)
        fields = {**task_fields(decision), "run_id": entry.run_id, "duration_s": entry.duration_s}
        if status == DONE:
            self.agenda.finish(task_id, "ran")
            self._tell("run_succeeded", **fields)
            return False
        retries = self.turns.attempts[task_id] <= self.options.retries
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
            self.agenda.outcome.failed.append(task_id)
            self.agenda.outcome.failures.append(failure)
        return retries

    @property
    def events_path(self) -> str:
        """Where the events are written."""
        return str(self._files.path / "events.jsonl")

    def record_ended(self) -> None:
        """Record now what has ended and is to be recorded with what comes next."""
        self.turns.record_ended()

    def tick(self) -> None:
        """Time has gone by; a progress bar may want to draw."""
        self._listener({"event": "tick"})

    def phase_out(self, running: int) -> None:
        """Tell that nothing more is started."""
        self._tell("build_interrupting", running=running)

    def beat(self) -> None:
        """Now and then, say that this build is at work on what it holds leases of."""
        if time.monotonic() >= self._beat_after and self.turns.started():
            self._beat_after = time.monotonic() + BEAT_INTERVAL_S
            self._catalog.beat(this_owner())

    def interrupt(self, error: BaseException) -> None:
        """Record the runs that an exception in this process ended."""
        for order in self.turns.started():
            if order.outcome is not None and order.outcome.status != "interrupted":
                self.ended(order.task_hash, FAILED, str(error), order.outcome)
                continue
            self.turns.take_started(order.task_hash)
            decision = self.agenda.decisions[order.task_hash]
            self._tell("run_interrupted", **task_fields(decision), run_id=order.run_id)
            if order.outcome is not None:
                self._catalog.finish_run(order.outcome)
            else:
                self._catalog.finish_run(_unreported_entry(order, "interrupted", str(error)))

    def not_ended(self) -> list[str]:
        """Hashes of what was to run and neither ended nor failed, upstream first.

        What another host made meanwhile has ended.
        """
        left = []
        for task_hash in self.agenda.not_ended():
            waits = self.agenda.active_upstream(self.agenda.verdicts[task_hash].task)
            if waits or not self.turns.share_if_made_elsewhere(task_hash):
                left.append(task_hash)
        return left

    def left_over(self) -> list[PlannedTask]:
        """What could run and was never handed out: another host's end of it was taken for ours."""
        left = set(self.not_ended())
        tasks = [self.agenda.verdicts[task_hash].task for task_hash in left]
        return [task for task in tasks if not self.agenda.active_upstream(task)]

    def _tell(self, event: str, **what: Any) -> None:
        self._listener(self._files.write(event, **what))

    def _sweep(self) -> None:
        """Remove what dead runs left beside the targets of this build and in the project's own folder."""
        folders = {
            os.path.dirname(output.target.uri)  # noqa: PTH120 - once per target and build
            for verdict in self.agenda.verdicts.values()
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
        family = self.agenda.verdicts[task_id].task.family
        return replace(
            outcome,
            reasons=tuple(reason.to_dict() for reason in self.agenda.decisions[task_id].reasons),
            code=self._standing.orders.code_of(family)[1],
            environment=order.environment,
            log=self._files.run_log(order.run_id),
        )


def _unreported_entry(order: RunOrder, status: str, error: str) -> RunEntry:
    """The record of a run that did not live to make its own."""
    ended = time.time()
    return replace(
        standing_entry(order, status, (), (), ended),
        started_at=utc_text(order.ordered_at),
        duration_s=round(ended - order.ordered_at, 6),
        error=error,
    )
