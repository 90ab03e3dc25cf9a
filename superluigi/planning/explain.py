"""Why a task would run again: a plan's verdict as a checklist with evidence, down to where it began."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from superluigi.code import CodeFingerprint
from superluigi.planning.compare import changed_inputs, short_label
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Reason
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi.planning.planner import Planner, Planning
from superluigi_catalog.explanation import Cause, Step, Why, changed_parts, part_steps
from superluigi_catalog.records import RunRecord

__all__ = ["explain"]

_OWN_KINDS = frozenset(
    {"forced", "missing", "interrupted", "input_changed", "other_task", "code_changed"}
    | {"output_changed", "environment_changed", "missing_external", "disabled"}
)


def explain(planner: Planner, planning: Planning, task_hash: str) -> Why:
    """The answer for one task of a plan."""
    verdict = planning.verdicts[task_hash]
    decision = planning.plan.by_hash[task_hash]
    task = verdict.task
    run = next((o.state.run for o in task.outputs if o.state.run is not None), None)
    kinds = {reason.kind: reason for reason in decision.reasons}
    steps = [
        *_request_steps(kinds),
        *_output_steps(planner, task, run),
        *_parameter_steps(task, run, kinds),
        *_code_steps(planner, task, run, is_reason="code" in planner.rerun_on),
        *_environment_steps(kinds),
        *_input_steps(task, run, is_reason="inputs" in planner.rerun_on),
        *_upstream_steps(verdict, planning),
    ]
    return Why(
        task_hash=task_hash,
        family=task.family,
        params=task.params,
        verdict=_verdict_text(decision.action, decision.reasons),
        action=decision.action,
        run_id=run.run_id if run is not None else None,
        is_live=True,
        steps=tuple(steps),
        causes=tuple(_causes(planner, planning, verdict)),
    )


def _verdict_text(action: str, reasons: Iterable[Reason]) -> str:
    first = next(iter(reasons), None)
    text = first.text if first is not None else "up to date"
    if action == "skip":
        notes = [r.text for r in reasons if r.kind in ("code_changed", "output_changed")]
        return f"would not run, but {notes[0]}" if notes else "would not run: it is up to date"
    if first is not None and first.kind == "missing":
        return f"would run when it is asked for, or when what reads it runs: {text}"
    words = {"run": "would run", "maybe": "may run", "blocked": "cannot run"}
    return f"{words[action]}: {text}"


def _request_steps(kinds: Mapping[str, Reason]) -> Iterator[Step]:
    for kind in ("forced", "disabled"):
        if kind in kinds:
            yield Step("request", "changed", kinds[kind].text)


def _output_steps(planner: Planner, task: PlannedTask, run: RunRecord | None) -> Iterator[Step]:
    if task.own_complete is not None:
        state = "ok" if task.own_complete else "missing"
        yield Step(
            "output", state, f"its own complete() says {'yes' if task.own_complete else 'no'}"
        )
    elif not task.outputs and not task.is_wrapper:
        yield Step("output", "missing", "it has none, so it runs in every build that needs it")
    for output in task.outputs:
        yield _output_step(planner, output, run)


def _output_step(planner: Planner, output: PlannedOutput, run: RunRecord | None) -> Step:
    state = output.state
    details = {
        "path": output.uri,
        "recorded": state.run.output_fingerprint if state.run else None,
        "found": state.fingerprint,
    }
    if state.interrupted:
        return Step("output", "changed", f"{output.uri} is what an interrupted run left", details)
    if not state.exists:
        return Step("output", "missing", f"{output.uri} is not there", details)
    if run is None:
        why = f" ({state.sidecar_error})" if state.sidecar_error else ""
        text = f"{output.uri} is there, and nobody recorded who made it{why}"
        return Step("output", "unknown", text, details)
    if state.was_edited:
        text = f"{output.uri} is not what its run wrote: changed by hand or by another tool"
        return Step("output", "noted", text, details)
    return Step(
        "output", "ok", f"{output.uri} is as its run left it, {_moment(run.ended_at)}", details
    )


def _parameter_steps(
    task: PlannedTask, run: RunRecord | None, kinds: Mapping[str, Reason]
) -> Iterator[Step]:
    if run is None:
        return
    if "other_task" in kinds:
        reason = kinds["other_task"]
        yield Step("parameters", "changed", reason.text, reason.details)
    elif "identity_changed" in kinds:
        details = {"from": run.task_hash, "to": task.task_hash}
        text = (
            f"as they were; it was recorded as {run.task_hash[:8]}: its graph or defaults changed"
        )
        yield Step("parameters", "ok", text, details)
    else:
        yield Step("parameters", "ok", "as they were")


def _code_steps(
    planner: Planner, task: PlannedTask, run: RunRecord | None, *, is_reason: bool
) -> Iterator[Step]:
    current = planner.code.get(task.family)
    if run is None or current is None:
        return
    if current.fingerprint is None or run.code_fingerprint is None:
        yield Step("code", "unknown", "its fingerprint is switched off, or was not recorded")
        return
    if current.fingerprint == run.code_fingerprint:
        yield Step(
            "code", "ok", f"as it was ({len(current.parts)} functions, classes and constants)"
        )
        return
    yield from _changed_parts(planner, current, run, "changed" if is_reason else "noted")


def _changed_parts(
    planner: Planner, current: CodeFingerprint, run: RunRecord, state: str
) -> Iterator[Step]:
    before = {str(part["name"]): part for part in run.code_parts}
    now: dict[str, dict[str, Any]] = {
        part["name"]: part for part in current.to_dict(include_source=True)["parts"]
    }
    names = changed_parts(before, now)
    recorded = [str(before[name]["fingerprint"]) for name in names if name in before]
    sources = planner.catalog.code_sources(recorded)
    sources |= {
        str(now[n]["fingerprint"]): str(now[n].get("source") or "") for n in names if n in now
    }
    yield from part_steps(names, before, now, sources, state)
    if not names:
        yield Step("code", state, "changed; which part is not recorded")


def _environment_steps(kinds: Mapping[str, Reason]) -> Iterator[Step]:
    reason = kinds.get("environment_changed")
    if reason is not None:
        yield Step("environment", "changed", reason.text, reason.details)


def _input_steps(task: PlannedTask, run: RunRecord | None, *, is_reason: bool) -> Iterator[Step]:
    if run is None:
        return
    reasons = changed_inputs(task, run)
    same = len(run.inputs) - len(reasons)
    if run.inputs and same > 0:
        gone = sum(not output.state.exists for _, _, output in task.inputs())
        what = f", {gone} of them gone since" if gone else ""
        yield Step("inputs", "ok", f"{same} of {len(run.inputs)} are as it read them{what}")
    for reason in reasons:
        state = "changed" if is_reason else "noted"
        yield Step("input", state, _input_text(reason), reason.details)


def _input_text(reason: Reason) -> str:
    was, now = reason.details.get("from"), reason.details.get("to")
    return f"{reason.text}: {_digest(was)} → {_digest(now)}" if was and now else reason.text


def _upstream_steps(verdict: Verdict, planning: Planning) -> Iterator[Step]:
    expected = verdict.task.expected
    for place, upstream in (*verdict.task.upstream, *expected):
        cause = planning.verdicts[upstream.task_hash]
        if cause.is_blocked:
            yield Step(
                "upstream", "missing", f"{short_label(upstream)} cannot run", {"place": place}
            )
        elif cause.action in ("run", "maybe"):
            word = "will run" if cause.action == "run" else "may run"
            details = {"place": place, "task_hash": upstream.task_hash}
            yield Step("upstream", "changed", f"{short_label(upstream)} {word}", details)
    for each in planning.verdicts.values():
        if each is not verdict and not each.step:
            for note in each.notes:
                if note.kind in ("code_changed", "output_changed"):
                    text = f"{short_label(each.task)}: {note.text}"
                    yield Step("upstream", "noted", text, {"task_hash": each.task.task_hash})


def _causes(planner: Planner, planning: Planning, verdict: Verdict) -> Iterator[Cause]:
    """Where it began: tasks upstream with reasons of their own, those nearest to the inputs first."""
    reached: dict[str, None] = {}
    pending = [verdict.task]
    while pending:
        task = pending.pop()
        if task.task_hash in reached:
            continue
        reached[task.task_hash] = None
        pending += [
            upstream
            for _, upstream in (*task.upstream, *task.expected)
            if planning.verdicts[upstream.task_hash].step
            or planning.verdicts[upstream.task_hash].is_blocked
        ]
    for task_hash, each in planning.verdicts.items():  # upstream first
        if task_hash not in reached or not (each.step or each.is_blocked):
            continue
        for reason in each.reasons:
            is_needed = reason.kind == "missing" and "needed_by" in reason.details
            if reason.kind in _OWN_KINDS and not is_needed:
                text = reason.text + _maker_text(planner, reason)
                yield Cause(task_hash, each.task.family, text)
                break


def _maker_text(planner: Planner, reason: Reason) -> str:
    """Who made the content that is new."""
    path = reason.details.get("path")
    if reason.kind != "input_changed" or not path:
        return ""
    record = planner.catalog.target_records([str(path)]).get(str(path))
    if record is None or record.run is None:
        return ""
    if record.run.output_fingerprint != record.fingerprint:
        return "; its bytes are not those that a run wrote"
    run = planner.catalog.run(record.run.run_id)
    why = run.reason.get("text")
    ended = _moment(run.ended_at or "")
    return f"; {run.family} {run.task_hash[:8]} made it, {ended}" + (
        f", because: {why}" if why else ""
    )


def _moment(time: str) -> str:
    return f"{time[:10]} {time[11:16]}Z"


def _digest(fingerprint: Any) -> str:
    kind, colon, digest = str(fingerprint).partition(":")
    return f"{kind}:{digest[:12]}" if colon and len(digest) == 64 else str(fingerprint)
