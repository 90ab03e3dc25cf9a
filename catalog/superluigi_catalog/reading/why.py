"""Why a task is stale by the records, and why a run was made: without the code as it is now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from superluigi_catalog.explanation import Cause, Step, Why, changed_parts, part_steps
from superluigi_catalog.reading.closure import closure_rows
from superluigi_catalog.reading.node import sources_of
from superluigi_catalog.reading.runs import run_by_uuid
from superluigi_catalog.reading.target_records import target_records_of
from superluigi_catalog.reading.targets import targets_of
from superluigi_catalog.reading.tasks import tasks_by_id
from superluigi_catalog.records import InputEntry, TargetRecord
from superluigi_catalog.results import Run, Target, Task
from superluigi_catalog.storage.session import Session

__all__ = ["why_run", "why_task"]

_ATTENTION = ("stale", "missing", "failed")
_MAX_STEPS_BACK = 100


def why_task(session: Session, number: int) -> Why:
    """Explain a task's recorded state."""
    task = tasks_by_id(session, [number])[number]
    run = None if task.current_run_id is None else run_by_uuid(session, task.current_run_id)
    records = target_records_of(
        session, [entry.uri for entry in run.inputs] if run else [], with_code_parts=False
    )
    above = [row[0] for row in closure_rows(session, number, "upstream", None)]
    tasks = tasks_by_id(session, above)
    upstream = [tasks[each] for each in above if tasks[each].status in _ATTENTION]
    steps = [
        *_last_run_steps(session, task),
        *map(_output_step, targets_of(session, number)),
        *_code_steps(session, number, run),
        *_input_steps(run, records),
        *(Step("upstream", "noted", f"{_label(each)} is {each.status}") for each in upstream),
    ]
    causes = [*_causes(session, run, records), *(_upstream_causes(upstream))]
    return Why(
        task_hash=task.task_hash,
        family=task.family,
        params=task.params,
        verdict=_verdict(task, upstream),
        action=_action(task, upstream),
        run_id=task.current_run_id,
        is_live=False,
        steps=tuple(steps),
        causes=tuple(causes),
    )


def why_run(session: Session, run: Run) -> Why:
    """Explain why a run was made, down to where that began."""
    before = _run_before(session, run)
    steps = []
    for reason in run.reasons:
        text, details = str(reason.get("text", "")), dict(reason.get("details") or {})
        if reason.get("kind") == "input_changed":
            text += _change_text(session, run, details)
        steps.append(Step(_name_of(str(reason.get("kind"))), "changed", text, details))
    if before is not None:
        steps += _differing_parts(session, before, run, "noted")
    if run.error_type:
        steps.append(Step("outcome", "missing", f"{run.error_type}: {run.error or ''}"))
    first = steps[0].text if steps else "nobody recorded why"
    return Why(
        task_hash=run.task_hash,
        family=run.family,
        params=run.params,
        verdict=f"ran on {run.started_at[:19].replace('T', ' ')} ({run.status}): {first}",
        action="ran",
        run_id=run.run_id,
        is_live=False,
        steps=tuple(steps),
        causes=tuple(_causes_of_run(session, run)),
    )


def _verdict(task: Task, upstream: list[Task]) -> str:
    if task.status == "fresh" and upstream:
        return f"fresh by itself, but {_label(upstream[0])} upstream is {upstream[0].status}"
    return task.status


def _action(task: Task, upstream: list[Task]) -> str:
    if task.status in ("stale", "missing", "failed"):
        return "run"
    return "maybe" if upstream else "skip"


def _last_run_steps(session: Session, task: Task) -> Iterator[Step]:
    if task.last_status not in ("failed", "interrupted") or task.last_run_id is None:
        return
    last = run_by_uuid(session, task.last_run_id)
    if last is not None:
        error = f": {last.error_type}: {last.error}" if last.error_type else ""
        text = f"its last run, on {last.started_at[:16].replace('T', ' ')}, {last.status}{error}"
        yield Step("run", "missing", text, {"run_id": last.run_id})


def _output_step(target: Target) -> Step:
    details = {
        "path": target.uri,
        "recorded": target.recorded_fingerprint,
        "found": target.fingerprint,
    }
    if target.state != "present":
        word = "not there" if target.state == "missing" else target.state
        state = "missing" if target.state in ("missing", "partial") else "unknown"
        return Step("output", state, f"{target.uri}: {word} when last looked at", details)
    if target.recorded_fingerprint is None:
        return Step("output", "unknown", f"{target.uri}: nobody recorded who made it", details)
    if target.fingerprint not in (None, target.recorded_fingerprint):
        text = f"{target.uri} is not what its run wrote: changed by hand or by another tool"
        return Step("output", "noted", text, details)
    return Step("output", "ok", f"{target.uri} is as its run left it", details)


def _code_steps(session: Session, number: int, run: Run | None) -> Iterator[Step]:
    """Compare with the newest code that any task of the family ran with."""
    if run is None or run.code_fingerprint is None:
        return
    newest = session.row(
        """
        SELECT r.uuid FROM runs r WHERE r.id = (
          SELECT max(t.last_run_id) FROM tasks t
          WHERE t.family_id = (SELECT family_id FROM tasks WHERE id = ?)) AND r.code_id IS NOT NULL
        """,
        (number,),
    )
    other = None if newest is None else run_by_uuid(session, newest[0])
    if other is None or other.code_fingerprint in (None, run.code_fingerprint):
        yield Step("code", "ok", "as in the newest run of its family")
        return
    yield from _differing_parts(session, run, other, "noted")


def _differing_parts(session: Session, was: Run, now: Run, state: str) -> Iterator[Step]:
    was = was if was.code else run_by_uuid(session, was.run_id) or was
    before, after = _parts(was), _parts(now)
    names = changed_parts(before, after)
    parts = [side[name] for name in names for side in (before, after) if name in side]
    sources = sources_of(session, {str(part["fingerprint"]) for part in parts})
    yield from part_steps(names, before, after, sources, state)


def _parts(run: Run) -> dict[str, Mapping[str, Any]]:
    return {str(part["name"]): part for part in run.code.get("parts", ())}


def _input_steps(run: Run | None, records: Mapping[str, TargetRecord]) -> Iterator[Step]:
    if run is None:
        return
    changed = [entry for entry in run.inputs if _is_changed(entry, records.get(entry.uri))]
    if len(run.inputs) > len(changed):
        text = f"{len(run.inputs) - len(changed)} of {len(run.inputs)} are as it read them"
        yield Step("inputs", "ok", text)
    for entry in changed:
        record = records[entry.uri]
        details = {
            "place": entry.place,
            "path": entry.uri,
            "from": entry.fingerprint,
            "to": record.fingerprint,
            "made_by": record.run.run_id if record.run else None,
        }
        where = f"{entry.place}: " if entry.place else ""
        text = f"{where}{entry.uri}: {_digest(entry.fingerprint)} → {_digest(record.fingerprint)}"
        yield Step("input", "changed", text + _maker(record), details)


def _change_text(session: Session, run: Run, details: Mapping[str, Any]) -> str:
    """From which content to which, and who had made the new one."""
    entry = next((e for e in run.inputs if e.place == details.get("place")), None)
    if entry is None or not details.get("from"):
        return ""
    maker = None if entry.run_id is None else run_by_uuid(session, entry.run_id)
    made = "" if maker is None else f", made by {maker.family} {maker.task_hash[:8]}"
    return f": {_digest(details['from'])} → {_digest(entry.fingerprint)}{made}"


def _is_changed(entry: InputEntry, record: TargetRecord | None) -> bool:
    if record is None or record.state != "present" or record.fingerprint is None:
        return False
    return record.fingerprint != entry.fingerprint


def _maker(record: TargetRecord) -> str:
    if record.run is None:
        return ", from outside"
    if record.run.output_fingerprint != record.fingerprint:
        return ", not what a run wrote"
    return f", made by {record.run.family} {record.run.task_hash[:8]}"


def _causes(
    session: Session, run: Run | None, records: Mapping[str, TargetRecord]
) -> Iterator[Cause]:
    for entry in run.inputs if run is not None else ():
        record = records.get(entry.uri)
        if not _is_changed(entry, record) or record is None:
            continue
        maker = None
        if record.run is not None and record.run.output_fingerprint == record.fingerprint:
            maker = run_by_uuid(session, record.run.run_id)
        if maker is None:
            owner = record.run
            yield Cause(
                owner.task_hash if owner else "",
                owner.family if owner else "",
                f"{entry.uri} changed{' by hand' if owner else ' outside'}",
            )
        else:
            yield from _causes_of_run(session, maker)


def _causes_of_run(session: Session, run: Run) -> Iterator[Cause]:
    """Follow the reasons of runs back to where none was before."""
    for _ in range(_MAX_STEPS_BACK):
        earlier = _earlier_maker(session, run)
        if earlier is None:
            break
        run = earlier
    yield Cause(run.task_hash, run.family, str(run.reason.get("text") or f"it {run.status}"))


def _earlier_maker(session: Session, run: Run) -> Run | None:
    """The run that made the input for whose sake a run was made; None where it began."""
    if run.reason.get("kind") not in ("input_changed", "upstream_runs"):
        return None
    details = run.reason.get("details") or {}
    wanted = details.get("place"), details.get("upstream")
    for entry in run.inputs:
        if entry.run_id is not None and (entry.place == wanted[0] or entry.task_hash == wanted[1]):
            return run_by_uuid(session, entry.run_id)
    return None


def _upstream_causes(upstream: Iterable[Task]) -> Iterator[Cause]:
    for task in upstream:
        yield Cause(task.task_hash, task.family, f"it is {task.status}; ask why of it")


def _run_before(session: Session, run: Run) -> Run | None:
    """The run whose content stood at the same target before."""
    row = session.row(
        """
        SELECT p.uuid FROM runs r
        CROSS JOIN run_outputs o ON o.run_id = r.id CROSS JOIN contents k ON k.id = o.content_id
        CROSS JOIN contents j ON j.target_id = k.target_id
        CROSS JOIN run_outputs q ON q.content_id = j.id CROSS JOIN runs p ON p.id = q.run_id
        WHERE r.uuid = ? AND p.started_at < r.started_at ORDER BY p.started_at DESC LIMIT 1
        """,
        (run.run_id,),
    )
    return None if row is None else run_by_uuid(session, row[0])


def _name_of(kind: str) -> str:
    names = {"forced": "request", "missing": "output", "input_changed": "input"}
    names |= {"upstream_runs": "upstream", "code_changed": "code", "other_task": "parameters"}
    names |= {"output_changed": "output", "environment_changed": "environment"}
    return names.get(kind, kind)


def _label(task: Task) -> str:
    return f"{task.family} {task.task_hash[:8]}"


def _digest(fingerprint: str | None) -> str:
    kind, colon, digest = str(fingerprint).partition(":")
    return f"{kind}:{digest[:12]}" if colon and len(digest) == 64 else str(fingerprint)
