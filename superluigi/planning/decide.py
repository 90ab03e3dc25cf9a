"""Deciding a whole graph: what each task's own state says, then what follows for its neighbours.

Two passes over one graph, no query and no look at a target. First every task alone: forced, its output
missing, an input that is not what its run consumed. Then a worklist carries the consequences: what runs
may change its readers (*maybe*), and needs the missing inputs that it reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from superluigi.planning.compare import (
    changed_inputs,
    code_reason,
    missing_reason,
    other_task_reason,
    short_label,
    what_is_missing,
)
from superluigi.planning.decision import Action, Decision, Reason
from superluigi.planning.nodes import PlannedTask
from superluigi_catalog.records import RunRecord

__all__ = ["Verdict", "decide"]

_SKIP, _MAYBE, _RUN = 0, 1, 2
_ACTIONS: dict[int, Action] = {_SKIP: "skip", _MAYBE: "maybe", _RUN: "run"}


@dataclass(slots=True, eq=False)
class Verdict:
    """What becomes of one task; grows from skip to maybe to run, never back."""

    task: PlannedTask
    step: int = _SKIP
    is_missing: bool = False
    is_blocked: bool = False
    has_new_identity: bool = False
    """The record is of the same result under another identity: it is to be recorded anew."""
    is_adopted: bool = False
    """The result stands without a record."""
    reasons: list[Reason] = field(default_factory=list)
    notes: list[Reason] = field(default_factory=list)
    """What is worth knowing, but decides nothing."""

    @property
    def action(self) -> Action:
        """As the plan shows it."""
        if self.is_blocked:
            return "blocked"
        # A wrapper only carries on what it wraps: it has nothing of its own to run.
        return "skip" if self.task.is_wrapper else _ACTIONS[self.step]

    def decision(self, estimate_s: float | None) -> Decision:
        """As the plan shows it."""
        reasons = self.reasons + self.notes
        if self.task.is_wrapper and not self.is_blocked:
            reasons = [Reason("wrapper", "has no result of its own")] if self.step else []
        if not reasons:
            reasons = [Reason("up_to_date", "up to date")]
        return Decision(
            task_hash=self.task.task_hash,
            family=self.task.family,
            params=self.task.params,
            action=self.action,
            reasons=tuple(reasons),
            estimate_s=estimate_s if self.action in ("run", "maybe") else None,
            is_root=self.task.is_root,
        )


def decide(
    tasks: list[PlannedTask],
    *,
    forced: set[str],
    rerun_on: frozenset[str],
    code: Mapping[str, Any] | None = None,
) -> list[Verdict]:
    """One verdict per task, in the order of `tasks` (upstream first).

    Args:
        forced: Hashes of the tasks to run in any case.
        rerun_on: The triggers.
        code: Family → `CodeFingerprint`, for comparing with the recorded one.
    """
    deciding = _Deciding(tasks, forced, rerun_on, code or {})
    deciding.judge_alone()
    deciding.carry()
    deciding.block()
    return list(deciding.verdicts.values())


class _Deciding:
    def __init__(
        self,
        tasks: list[PlannedTask],
        forced: set[str],
        rerun_on: frozenset[str],
        code: Mapping[str, Any],
    ) -> None:
        self.verdicts = {id(task): Verdict(task) for task in tasks}
        self._forced = forced
        self._rerun_on = rerun_on
        self._code = code
        self._grown: deque[Verdict] = deque()

    def judge_alone(self) -> None:
        requested = _requested(self.verdicts.values())
        for verdict in self.verdicts.values():
            self._judge(verdict, is_requested=id(verdict.task) in requested)

    def carry(self) -> None:
        """Until nothing grows any more: readers of what runs, and missing inputs of what runs."""
        while self._grown:
            verdict = self._grown.popleft()
            if "inputs" in self._rerun_on:
                for reader in verdict.task.downstream:
                    self._may_change(self.verdicts[id(reader)], verdict)
            for _, upstream in verdict.task.upstream:
                self._need(self.verdicts[id(upstream)], verdict.task)

    def block(self) -> None:
        """What needs something that cannot be had is blocked, and so is what needs that."""
        for verdict in self.verdicts.values():
            if verdict.step == _SKIP and not verdict.is_blocked:
                continue
            for _, upstream in verdict.task.upstream:
                cause = self.verdicts[id(upstream)]
                if cause.is_blocked and not verdict.is_blocked:
                    verdict.is_blocked = True
                    text = f"{short_label(upstream)} is blocked"
                    verdict.reasons.insert(
                        0, Reason("upstream_blocked", text, {"upstream": upstream.task_hash})
                    )

    def _judge(self, verdict: Verdict, *, is_requested: bool) -> None:
        task = verdict.task
        if task.is_wrapper:
            return
        verdict.is_missing = not task.exists
        if task.is_external:
            if verdict.is_missing and is_requested:
                self._need_external(verdict)
            return
        if task.task.disabled:
            if verdict.is_missing and is_requested:
                self._refuse_disabled(verdict)
            return
        if task.task_hash in self._forced:
            self._grow(verdict, _RUN, Reason("forced", "forced"))
        self._judge_record(verdict)
        if not task.exists and (is_requested or "missing_anywhere" in self._rerun_on):
            self._grow(verdict, _RUN, missing_reason(task))
        if verdict.is_missing and verdict.step == _SKIP:
            verdict.notes.append(
                Reason("missing", f"{what_is_missing(task)}; nothing that runs needs it")
            )

    def _refuse_disabled(self, verdict: Verdict) -> None:
        verdict.is_blocked = True
        verdict.reasons.append(Reason("disabled", "the task says that it is disabled"))

    def _judge_record(self, verdict: Verdict) -> None:
        """Compare the result with the record of the run that made it."""
        task = verdict.task
        unfinished = [output for output in task.outputs if output.state.interrupted]
        if unfinished:
            verdict.is_missing = True
            text = f"{unfinished[0].uri} is what an interrupted run left"
            self._grow(verdict, _RUN, Reason("interrupted", text, {"path": unfinished[0].uri}))
            return
        runs = {
            output.state.run.run_id: output.state.run
            for output in task.outputs
            if output.state.run is not None
        }
        if not runs:
            verdict.is_adopted = task.exists and any(o.state.exists for o in task.outputs)
            if verdict.is_adopted:
                verdict.notes.append(_adopted_reason(task))
            return
        if len(runs) > 1 and not verdict.is_missing:
            text = "its outputs are of different runs: a publish was interrupted"
            self._grow(verdict, _RUN, Reason("interrupted", text, {"runs": sorted(runs)}))
            return
        self._judge_run(verdict, next(iter(runs.values())))

    def _judge_run(self, verdict: Verdict, run: RunRecord) -> None:
        task = verdict.task
        on_inputs = "inputs" in self._rerun_on
        other = other_task_reason(task, run)
        if other is not None:
            self._note(verdict, other, on_inputs)
            return
        self._judge_output(verdict)
        self._judge_code(verdict, run)
        if not on_inputs:
            return
        changed = changed_inputs(task, run)
        for reason in changed:
            self._grow(verdict, _RUN, reason)
        stands = task.exists and not any(output.state.was_edited for output in task.outputs)
        if stands and not changed and run.task_hash != task.task_hash:
            verdict.has_new_identity = True
            text = "the same result under a new identity: recorded anew, not run"
            verdict.notes.append(Reason("identity_changed", text, {"from": run.task_hash}))

    def _judge_output(self, verdict: Verdict) -> None:
        for output in verdict.task.outputs:
            if output.state.was_edited:
                text = f"{output.uri} is not what its run wrote: changed by hand or by another tool"
                details = {
                    "path": output.uri,
                    "from": output.state.run.output_fingerprint if output.state.run else None,
                    "to": output.state.fingerprint,
                }
                self._note(
                    verdict, Reason("output_changed", text, details), "output" in self._rerun_on
                )

    def _judge_code(self, verdict: Verdict, run: RunRecord) -> None:
        current = self._code.get(verdict.task.family)
        if current is None or current.fingerprint is None or run.code_fingerprint is None:
            return
        if current.fingerprint != run.code_fingerprint:
            reason = code_reason(current, run)
            self._note(verdict, reason, "code" in self._rerun_on)

    def _note(self, verdict: Verdict, reason: Reason, is_trigger: bool) -> None:
        if is_trigger:
            self._grow(verdict, _RUN, reason)
        else:
            verdict.notes.append(reason)

    def _grow(self, verdict: Verdict, step: int, reason: Reason) -> None:
        if step < verdict.step or (step == _MAYBE and verdict.step == _MAYBE):
            return
        grew = step > verdict.step
        if grew and verdict.step == _MAYBE:
            verdict.notes = verdict.reasons + verdict.notes
            verdict.reasons = []
        verdict.reasons.append(reason)
        verdict.step = step
        if grew:
            self._grown.append(verdict)

    def _may_change(self, reader: Verdict, cause: Verdict) -> None:
        if reader.step != _SKIP or reader.task.is_external or reader.is_blocked:
            return
        upstream = cause.task
        word = "will run" if cause.step == _RUN else "may run"
        details = {"upstream": upstream.task_hash, "family": upstream.family}
        reason = Reason("upstream_runs", f"{short_label(upstream)} {word}", details)
        # A missing result cannot turn out unchanged unless its record says what it was.
        self._grow(reader, _MAYBE, reason)

    def _need(self, needed: Verdict, reader: PlannedTask) -> None:
        """Something that runs reads this: what is missing of it has to be made."""
        pending = [needed]
        while pending:
            verdict = pending.pop()
            if verdict.task.is_wrapper:  # reading a wrapper is reading what it wraps
                pending += [self.verdicts[id(wrapped)] for _, wrapped in verdict.task.upstream]
            elif verdict.is_missing and verdict.step != _RUN:
                self._make_missing(verdict, reader)

    def _make_missing(self, verdict: Verdict, reader: PlannedTask) -> None:
        if verdict.task.is_external:
            self._need_external(verdict)
        elif verdict.task.task.disabled:
            self._refuse_disabled(verdict)
        else:
            verdict.notes = [note for note in verdict.notes if note.kind != "missing"]
            self._grow(verdict, _RUN, missing_reason(verdict.task, needed_by=reader))

    def _need_external(self, verdict: Verdict) -> None:
        if verdict.is_blocked:
            return
        verdict.is_blocked = True
        where = ", ".join(output.uri for output in verdict.task.outputs) or str(verdict.task.task)
        text = f"{where} is missing, and it comes from outside: put it there"
        verdict.reasons.append(Reason("missing_external", text, {"path": where}))


def _adopted_reason(task: PlannedTask) -> Reason:
    errors = [output.state.sidecar_error for output in task.outputs if output.state.sidecar_error]
    why = f" ({errors[0]})" if errors else ""
    return Reason("adopted", f"stands without a record of who made it; taken as it is{why}")


def _requested(verdicts: Iterable[Verdict]) -> set[int]:
    """The roots, and what requested wrappers wrap."""
    pending = [verdict.task for verdict in verdicts if verdict.task.is_root]
    requested = {id(task) for task in pending}
    while pending:
        task = pending.pop()
        if task.is_wrapper:
            for _, wrapped in task.upstream:
                if id(wrapped) not in requested:
                    requested.add(id(wrapped))
                    pending.append(wrapped)
    return requested
