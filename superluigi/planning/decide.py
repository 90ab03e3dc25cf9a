"""Deciding a whole graph: what each task's own state says, then what follows for its neighbours.

Two passes over one graph, no query and no look at a target. First every task alone: forced, its output
missing, an input that is not what its run consumed. Then a worklist carries the consequences: what runs
may change its readers (*maybe*), and needs the missing inputs that it reads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from superluigi.graph import task_text
from superluigi.planning.compare import (
    changed_inputs,
    code_reason,
    environment_reason,
    missing_reason,
    other_task_reason,
    short_label,
    what_is_missing,
)
from superluigi.planning.decision import Action, Decision, Reason
from superluigi.planning.nodes import PlannedTask
from superluigi_catalog.records import RunRecord

__all__ = ["Rules", "Verdict", "decide", "decide_more", "stands"]

_SKIP, _MAYBE, _RUN = 0, 1, 2
_ACTIONS: dict[int, Action] = {_SKIP: "skip", _MAYBE: "maybe", _RUN: "run"}


@dataclass(frozen=True)
class Rules:
    """What decides beside the tasks themselves."""

    rerun_on: frozenset[str]
    """The triggers."""
    code: Mapping[str, Any] = field(default_factory=dict)
    """Family → `CodeFingerprint`, for comparing with the recorded one."""
    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Family → the environment of a run now; only where it is a trigger."""


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
    only_if_yielded: bool = False
    """It is missing, and what yielded it in its last run may ask for it again."""
    is_on_demand: bool = False
    """Run only when something that runs, or that would stand, asks for it: nothing requires it."""
    is_uncertain: bool = False
    """On demand of something that runs anew, and may ask for other things this time."""
    may_change_itself: bool = False
    """An upstream that it requires, not only one that it yielded, may change it."""
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
        if self.task.expected_by and self.task.is_expected and self.step != _SKIP:
            yielder = self.task.expected_by[0]
            text = f"{short_label(yielder)} yielded it in its last run"
            reasons = [*reasons, Reason("expected", text, {"yielded_by": yielder.task_hash})]
        if self.task.is_wrapper and not self.is_blocked:
            reasons = [Reason("wrapper", "has no result of its own")] if self.step else []
        if not reasons:
            reasons = [Reason("up_to_date", "up to date")]
        action = "maybe" if self.is_uncertain and self.action == "run" else self.action
        return Decision(
            task_hash=self.task.task_hash,
            family=self.task.family,
            params=self.task.params,
            action=action,
            reasons=tuple(reasons),
            estimate_s=estimate_s if action in ("run", "maybe") else None,
            is_root=self.task.is_root,
        )


def decide(tasks: list[PlannedTask], rules: Rules, *, forced: set[str]) -> list[Verdict]:
    """One verdict per task, in the order of `tasks` (upstream first).

    Args:
        forced: Hashes of the tasks to run in any case.
    """
    deciding = _Deciding(tasks, rules, forced, ())
    deciding.judge_alone()
    deciding.end()
    return deciding.fresh


def decide_more(
    tasks: list[PlannedTask],
    rules: Rules,
    *,
    asked_for: Iterable[PlannedTask],
    reader: PlannedTask,
    known: Iterable[Verdict],
    pending: Collection[str],
    forced: set[str],
) -> list[Verdict]:
    """Verdicts of what a running task asked for; those that are known may grow with them.

    Args:
        tasks: What no plan knew yet, upstream first.
        asked_for: What was asked for, of these and of what is known.
        reader: The task that asked.
        known: The verdicts of the build so far.
        pending: Hashes of what it still has to make.

    Returns:
        The new verdicts, and those known ones that have grown.
    """
    deciding = _Deciding(tasks, rules, forced, known)
    before = [(verdict, verdict.step, verdict.is_blocked) for verdict in deciding.known]
    deciding.judge_alone()
    deciding.follow(pending)
    for task in asked_for:
        deciding.need(task, reader)
    deciding.end()
    grown = [v for v, step, blocked in before if (v.step, v.is_blocked) != (step, blocked)]
    return [*deciding.fresh, *grown]


def stands(task: PlannedTask, rules: Rules) -> bool:
    """Whether a task's result is there and right, as far as the task itself and its inputs go."""
    deciding = _Deciding([task], rules, set(), ())
    deciding.judge_alone()
    verdict = deciding.fresh[0]
    return verdict.step == _SKIP and not verdict.is_missing


class _Deciding:
    def __init__(
        self,
        tasks: list[PlannedTask],
        rules: Rules,
        forced: set[str],
        known: Iterable[Verdict],
    ) -> None:
        self.known = list(known)
        self.fresh = [Verdict(task) for task in tasks]
        self.verdicts = {id(verdict.task): verdict for verdict in (*self.known, *self.fresh)}
        self._forced = forced
        self._rules = rules
        self._rerun_on = rules.rerun_on
        self._grown: deque[Verdict] = deque()

    def judge_alone(self) -> None:
        requested = _requested(self.fresh)
        for verdict in self.fresh:
            self._judge(verdict, is_requested=id(verdict.task) in requested)

    def follow(self, pending: Collection[str]) -> None:
        """Let what is new follow from what is known and still to be made."""
        for verdict in self.fresh:
            for _, upstream in verdict.task.upstream:
                cause = self.verdicts[id(upstream)]
                if upstream.task_hash in pending and "inputs" in self._rerun_on:
                    self._may_change(verdict, cause)

    def need(self, task: PlannedTask, reader: PlannedTask) -> None:
        """Something that runs asked for this while running."""
        verdict = self.verdicts[id(task)]
        verdict.only_if_yielded = False
        self._need(verdict, reader)

    def end(self) -> None:
        """Carry the consequences, say what is blocked, and what waits for being asked for."""
        self._carry()
        self._block()
        for verdict in self.verdicts.values():
            self._put_on_demand(verdict)

    def _carry(self) -> None:
        """Until nothing grows any more: readers of what runs, and missing inputs of what runs."""
        while self._grown:
            verdict = self._grown.popleft()
            if "inputs" in self._rerun_on:
                for reader in verdict.task.downstream:
                    self._may_change(self.verdicts[id(reader)], verdict)
                for reader in verdict.task.expected_by:
                    self._may_change(self.verdicts[id(reader)], verdict, was_yielded=True)
            for _, upstream in verdict.task.upstream:
                self._need(self.verdicts[id(upstream)], verdict.task)
            for _, upstream in verdict.task.expected:
                self._expect(self.verdicts[id(upstream)], verdict.task)

    def _block(self) -> None:
        """What needs something that cannot be had is blocked, and so is what needs that."""
        for verdict in self.verdicts.values():
            if verdict.is_blocked or verdict.step == _SKIP:
                continue
            needs = [upstream for _, upstream in verdict.task.upstream]
            if verdict.step == _MAYBE and not verdict.may_change_itself:
                # Whether it stands is known only when what it yielded is up to date.
                needs += [upstream for _, upstream in verdict.task.expected]
            for upstream in needs:
                if self.verdicts[id(upstream)].is_blocked:
                    verdict.is_blocked = True
                    text = f"{short_label(upstream)} is blocked"
                    verdict.reasons.insert(
                        0, Reason("upstream_blocked", text, {"upstream": upstream.task_hash})
                    )
                    break

    def _put_on_demand(self, verdict: Verdict) -> None:
        if verdict.step == _SKIP and not verdict.is_blocked:
            return
        task = verdict.task
        yielders = [self.verdicts[id(task)] for task in task.expected_by]
        readers = [*yielders, *(self.verdicts[id(reader)] for reader in task.downstream)]
        verdict.is_on_demand = verdict.only_if_yielded or (
            task.is_expected and any(reader.step != _SKIP for reader in readers)
        )
        verdict.is_uncertain = verdict.is_on_demand and any(
            yielder.step == _RUN or yielder.may_change_itself for yielder in yielders
        )

    def _judge(self, verdict: Verdict, *, is_requested: bool) -> None:
        task = verdict.task
        if task.is_wrapper:
            return
        verdict.is_missing = not task.exists
        if task.is_external:
            self._judge_external(verdict, is_requested=is_requested)
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
        for place, problem in task.unplanned.items():
            text = f"what it yielded in its last run cannot be watched: {problem}"
            verdict.notes.append(Reason("yield_not_planned", text, {"place": place}))
        if verdict.is_missing and verdict.step == _SKIP:
            verdict.notes.append(
                Reason("missing", f"{what_is_missing(task)}; nothing that runs needs it")
            )

    def _judge_external(self, verdict: Verdict, *, is_requested: bool) -> None:
        if verdict.is_missing and is_requested:
            self._need_external(verdict)
        elif verdict.is_missing and verdict.task.outputs:
            missing = what_is_missing(verdict.task)
            text = f"{missing}, and it comes from outside; nothing that runs needs it"
            verdict.notes.append(Reason("missing", text))

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
        self._judge_environment(verdict, run)
        if not on_inputs and self._rerun_on == {"missing"}:
            return  # Luigi's own rule: nobody asked
        changed = changed_inputs(task, run)
        for reason in changed:
            if on_inputs:
                self._grow(verdict, self._step_for(task, reason), reason)
            else:
                verdict.notes.append(reason)
        if not on_inputs:
            return
        stands = task.exists and not any(output.state.was_edited for output in task.outputs)
        if stands and not changed and run.task_hash != task.task_hash:
            verdict.has_new_identity = True
            text = "the same result under a new identity: recorded anew, not run"
            verdict.notes.append(Reason("identity_changed", text, {"from": run.task_hash}))

    def _step_for(self, task: PlannedTask, changed: Reason) -> int:
        """How sure it is that an input changed: one that is made anew first may come back as it was."""
        for _, upstream in task.upstream:
            verdict = self.verdicts[id(upstream)]
            is_made = verdict.step != _SKIP or (verdict.is_missing and not upstream.is_external)
            if is_made and upstream.task_hash == changed.details.get("upstream"):
                return _MAYBE
        return _RUN

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
        current = self._rules.code.get(verdict.task.family)
        if current is None or current.fingerprint is None or run.code_fingerprint is None:
            return
        if current.fingerprint != run.code_fingerprint:
            reason = code_reason(current, run)
            self._note(verdict, reason, "code" in self._rerun_on)

    def _judge_environment(self, verdict: Verdict, run: RunRecord) -> None:
        now = self._rules.environments.get(verdict.task.family)
        reason = None if now is None else environment_reason(run.environment, now)
        if reason is not None:
            self._grow(verdict, _RUN, reason)

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

    def _may_change(self, reader: Verdict, cause: Verdict, *, was_yielded: bool = False) -> None:
        if not was_yielded:
            reader.may_change_itself = True
        if reader.step != _SKIP or reader.task.is_external or reader.is_blocked:
            return
        upstream = cause.task
        word = "will run" if cause.step == _RUN else "may run"
        details = {"upstream": upstream.task_hash, "family": upstream.family}
        yielded = ", which it yielded in its last run," if was_yielded else ""
        reason = Reason("upstream_runs", f"{short_label(upstream)}{yielded} {word}", details)
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

    def _expect(self, expected: Verdict, reader: PlannedTask) -> None:
        """Something that may run yielded this in its last run: what is missing of it may be asked for."""
        pending = [expected]
        while pending:
            verdict = pending.pop()
            task = verdict.task
            if task.is_wrapper:
                pending += [self.verdicts[id(wrapped)] for _, wrapped in task.upstream]
            elif verdict.is_missing and verdict.step == _SKIP and not task.is_external:
                verdict.only_if_yielded = True
                verdict.notes = [note for note in verdict.notes if note.kind != "missing"]
                text = (
                    f"{what_is_missing(task)}, and {short_label(reader)} yielded it in its last run"
                )
                details = {"yielded_by": reader.task_hash}
                self._grow(verdict, _MAYBE, Reason("missing", text, details))

    def _make_missing(self, verdict: Verdict, reader: PlannedTask) -> None:
        verdict.only_if_yielded = False
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
        where = ", ".join(output.uri for output in verdict.task.outputs) or task_text(
            verdict.task.task
        )
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
