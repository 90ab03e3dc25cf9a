"""`Turns`: what becomes of a task when its turn comes: it runs, it stands, or it waits."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import replace
from enum import Enum

from superluigi.execution.enter import enclosing_runs
from superluigi.execution.order import RunOrder, utc_now
from superluigi.planning.compare import changed_inputs
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Reason
from superluigi.planning.nodes import PlannedTask
from superluigi.running.agenda import Agenda
from superluigi.running.entries import task_fields
from superluigi.running.events import BuildFiles
from superluigi.running.leases import Holders
from superluigi.running.standing import StandingResults
from superluigi.targets.base import TargetWithMetadata
from superluigi_catalog import Catalog
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import Claim, Lease, RunEntry

__all__ = ["Settled", "Turns"]


class Settled(Enum):
    """What becomes of a task whose turn it is."""

    RUNS = "runs"
    STANDS = "stands"
    """It is as it was, or another build made it: it need not run."""
    WAITS = "waits"
    """Something that it had yielded is to be made first."""
    IS_HELD = "is held"
    """Another build is running it."""
    BLOCKED = "blocked"
    """Something that it had yielded cannot be made."""


class Turns:
    """Gives the tasks of one build their turns.

    Args:
        tell: Writes an event.
        looks_again: Look at every target before its task runs: other hosts have catalogs of their own.
    """

    def __init__(
        self,
        agenda: Agenda,
        standing: StandingResults,
        files: BuildFiles,
        tell: Callable[..., None],
        *,
        looks_again: bool,
    ) -> None:
        self.attempts: dict[str, int] = {}
        """How often each task was started in this build."""
        self._agenda = agenda
        self._standing = standing
        self._orders = standing.orders
        self._planner = standing.orders.planner
        self._files = files
        self._tell = tell
        self._looks_again = looks_again
        self._started: dict[str, RunOrder] = {}
        self._ended: list[RunEntry] = []
        self._awaited: dict[str, list[str]] = {}
        self._held: dict[str, str] = {}
        self._holders = Holders(files.path.parent, enclosing_runs())

    def settle(self, task_id: str) -> Settled:
        """What becomes of a task whose turn it is, now that all before it has ended.

        When it runs, its start is recorded, and `order` has what it is to be told.
        """
        verdict = self._agenda.verdicts[task_id]
        settled = self._settle_upstream(verdict) if self._looks_again else Settled.RUNS
        if settled is Settled.RUNS:
            settled = self._settle_maybe(verdict)
        if settled is not Settled.RUNS:
            return settled
        if (self._looks_again or task_id in self._held) and self._is_shared(verdict):
            return self._share(task_id)
        while True:
            order = self._orders.make(verdict, self._agenda.decisions[task_id].reasons[0])
            claim = self._claim(order)
            if claim.is_granted:
                self._start(order)
                return Settled.RUNS
            if claim.holder is not None:
                self._wait_for(task_id, claim.holder)
                return Settled.IS_HELD
            if self._is_shared(verdict):
                return self._share(task_id)

    def _settle_upstream(self, verdict: Verdict) -> Settled:
        """Another host's word that something upstream is done need not be enough for this build."""
        names = self._agenda.active_upstream(verdict.task)
        left = [name for name in names if not self.share_if_made_elsewhere(name)]
        if any(name in self._agenda.outcome.failed for name in left):
            return Settled.BLOCKED
        if left:
            self._awaited[verdict.task.task_hash] = left
            return Settled.WAITS
        return Settled.RUNS

    def _settle_maybe(self, verdict: Verdict) -> Settled:
        """One that may run need not when its inputs are as they were.

        It waits while something that it had yielded is to be made first.
        """
        task_id = verdict.task.task_hash
        run = next((o.state.run for o in verdict.task.outputs if o.state.run is not None), None)
        if verdict.action != "maybe" or verdict.is_missing or run is None:
            return Settled.RUNS
        reasons = changed_inputs(verdict.task, run)
        if reasons:
            decision = self._agenda.decisions[task_id]
            if decision.action != "run":
                self._agenda.decisions[task_id] = replace(
                    decision, reasons=(*reasons, *decision.reasons), action="run"
                )
            return Settled.RUNS
        failed = self._agenda.outcome.failed
        expected = [task for _, task in verdict.task.expected]
        names = [name for task in expected for name in self._agenda.names_of(task)]
        if any(name in failed or self._agenda.verdicts[name].is_blocked for name in names):
            return Settled.BLOCKED
        if names:
            self._agenda.demand(expected)
            self._awaited[task_id] = names
            return Settled.WAITS
        reason = Reason("unchanged", "its inputs turned out as they were")
        # What was edited by hand stays on record as what its run wrote: the edit is to be seen again.
        if not any(output.state.was_edited for output in verdict.task.outputs):
            self._standing.record(verdict, "unchanged", reason)
        self._agenda.finish(task_id, "unchanged")
        self._tell("run_unchanged", **task_fields(self._agenda.decisions[task_id]))
        return Settled.STANDS

    def take_awaited(self, task_id: str) -> list[str]:
        """The scheduler's names of what a task that was just settled waits for."""
        return self._awaited.pop(task_id, [])

    def order(self, task_id: str) -> RunOrder:
        """The order for the run that was settled to start now."""
        return self._started[task_id]

    def take_started(self, task_id: str) -> RunOrder | None:
        """The order of a run that ended; None for a task that did not run."""
        return self._started.pop(task_id, None)

    def end(self, entry: RunEntry) -> None:
        """Have it recorded how a run ended: at the latest before anything waits.

        What has a sidecar is not lost when this process dies before: the next build reads that.
        """
        self._ended.append(entry)
        outputs = self._agenda.verdicts[entry.task_hash].task.outputs
        has_sidecars = outputs and all(isinstance(o.plain, TargetWithMetadata) for o in outputs)
        if entry.status != "succeeded" or not has_sidecars:
            self.record_ended()

    def record_ended(self) -> None:
        """Record now what has ended."""
        if self._ended:
            self._planner.catalog.record_runs(self._ended)
            self._ended = []  # only now: where it failed it is tried again, and twice is once

    @property
    def catalog(self) -> Catalog:
        """With all in it that has ended."""
        self.record_ended()
        return self._planner.catalog

    def started(self) -> list[RunOrder]:
        """The orders of what has not ended yet."""
        return list(self._started.values())

    def released(self, task_ids: Collection[str]) -> list[str]:
        """Those of the tasks that another build ran and that nobody holds any more."""
        leases = self.catalog.leases(task_ids)
        return [h for h in task_ids if h not in leases or self._holders.are_gone(leases[h])]

    def share_if_made_elsewhere(self, task_id: str) -> bool:
        """Whether another host made something that this build never got to run."""
        is_shared = self._looks_again and self._is_shared(self._agenda.verdicts[task_id])
        if is_shared:
            self._share(task_id)
        return is_shared

    def _claim(self, order: RunOrder) -> Claim:
        task_id = order.task_hash
        outputs = self._agenda.verdicts[task_id].task.outputs
        claim = self._planner.catalog.claim_run(
            order.run_id,
            task_id,
            expected={o.uri: o.state.run.run_id if o.state.run else None for o in outputs},
            is_gone=self._holders.are_gone,
            build_id=self._orders.build_id,
            reason=dict(order.reason),
            reasons=tuple(reason.to_dict() for reason in self._agenda.decisions[task_id].reasons),
            started_at=utc_now(),
            owner=this_owner(),
            log=self._files.run_log(order.run_id),
            ended=self._ended,
        )
        self._ended = []
        return claim

    def _start(self, order: RunOrder) -> None:
        task_id = order.task_hash
        run_log = self._files.run_log(order.run_id)
        order.log_path = str(self._files.path / run_log)
        self._started[task_id] = order
        self.attempts[task_id] = self.attempts.get(task_id, 0) + 1
        decision = self._agenda.decisions[task_id]
        self._tell(
            "run_started",
            **task_fields(decision),
            run_id=order.run_id,
            attempt=self.attempts[task_id],
            why=decision.reasons[0].text,
            log=run_log,
        )

    def _wait_for(self, task_id: str, holder: Lease) -> None:
        if self._held.get(task_id) == holder.run_id:
            return
        self._held[task_id] = holder.run_id
        fields = task_fields(self._agenda.decisions[task_id])
        self._tell("run_waiting", **fields, build=holder.build_id, owner=holder.owner)

    def _is_shared(self, verdict: Verdict) -> bool:
        """Whether another build made, since this one was planned, what this one is about to make."""
        self.record_ended()
        task = verdict.task
        planned = {o.uri: o.state.run.run_id if o.state.run else None for o in task.outputs}
        is_right = self._planner.look_again(task)
        if not task.outputs:
            run_id = self._held.get(task.task_hash, "")
            return run_id > self._shared_after(task) and self._has_succeeded(run_id)
        newer = [
            output.state.run
            for output in task.outputs
            if output.state.run is not None and output.state.run.run_id != planned[output.uri]
        ]
        after = self._shared_after(task)
        return is_right and len(newer) == len(planned) and all(run.run_id > after for run in newer)

    def _shared_after(self, task: PlannedTask) -> str:
        """What is forced is shared only when it began after this build was planned: ids sort by time."""
        return self._orders.build_id if task.task_hash in self._agenda.planning.forced else ""

    def _has_succeeded(self, run_id: str) -> bool:
        return bool(run_id) and self.catalog.run(run_id).status == "succeeded"

    def _share(self, task_id: str) -> Settled:
        self._agenda.finish(task_id, "shared")
        run = next(
            (o.state.run for o in self._agenda.verdicts[task_id].task.outputs if o.state.run), None
        )
        run_id = run.run_id if run is not None else self._held.get(task_id)
        self._tell("run_shared", **task_fields(self._agenda.decisions[task_id]), run_id=run_id)
        return Settled.STANDS
