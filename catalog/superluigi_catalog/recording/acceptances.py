"""Recording that a standing result is right as it is, and taking that back."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace

from superluigi_catalog.acceptance import Acceptance
from superluigi_catalog.errors import AcceptanceRefused
from superluigi_catalog.owner import this_owner
from superluigi_catalog.reading.estimates import dynamic_upstream
from superluigi_catalog.reading.runs import run_by_uuid
from superluigi_catalog.reading.target_records import target_records_of
from superluigi_catalog.recording.identify import run_id
from superluigi_catalog.recording.runs import finish_run, settle_run_edges
from superluigi_catalog.records import InputEntry, OutputEntry, RunEntry, TargetRecord
from superluigi_catalog.results import Run
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import utc_now

__all__ = ["accept", "standing_run", "withdraw"]


def standing_run(session: Session, task: int) -> Run:
    """Find the run that stands for a task's targets.

    Raises:
        AcceptanceRefused: none does, or a target is not there.
    """
    task_hash, current = _task(session, task)
    if current is None:
        message = (
            f"No result of {task_hash[:8]} is recorded, so there is nothing to accept. Run it, or plan it "
            "where its target stands: then it is adopted."
        )
        raise AcceptanceRefused(message, path=session.path)
    found = run_by_uuid(session, current)
    if found is None:
        message = f"The run {current} of {task_hash[:8]} is only mentioned, not recorded."
        raise AcceptanceRefused(message, path=session.path)
    return found


def accept(
    session: Session,
    run: Run,
    entry: RunEntry,
    *,
    by: str,
    reason: str,
) -> tuple[Acceptance, RunEntry]:
    """Record that the result of a run counts for other inputs and another code from now on.

    Args:
        run: The run that stands.
        entry: `run_id`, `code` and `inputs` of the acceptance; no inputs: what is seen at them now.
        by: Who says so.
        reason: Why.

    Returns:
        The acceptance, and the record that counts now.

    Raises:
        AcceptanceRefused: a target is not there, or nobody has read what stands there.
    """
    maker = run.run_id
    if run.status == "accepted":
        maker = str(run.reason.get("details", {}).get("accepted_run_id") or maker)
    outputs = _standing_outputs(session, run)
    now = utc_now()
    details = {"by": by, "at": now, "accepted_run_id": maker, "before": run.run_id}
    yielded = dynamic_upstream(session, [run.task_hash]).get(run.task_hash, ())
    complete = replace(
        entry,
        status="accepted",
        started_at=now,
        ended_at=now,
        reason={"kind": "accepted", "text": reason, "details": details},
        inputs=entry.inputs or _inputs_now(session, run.inputs),
        outputs=outputs,
        dynamic_upstream=tuple((row.place, row.task_hash) for row in yielded),
        code=entry.code or dict(run.code) or None,
        environment=entry.environment or run.environment,
        metadata=run.metadata,
        owner=this_owner(),
    )
    finish_run(session, complete)
    acceptance = Acceptance(
        task_hash=run.task_hash,
        run_id=entry.run_id,
        accepted_run_id=maker,
        by=by,
        at=now,
        reason=reason,
        uris=tuple(output.uri for output in outputs),
    )
    return acceptance, complete


def withdraw(session: Session, run: Run) -> Acceptance:
    """Take an acceptance back: what stood before it counts again.

    Raises:
        AcceptanceRefused: what stands was not accepted.
    """
    details = run.reason.get("details", {})
    before = (
        run_by_uuid(session, str(details.get("before") or "")) if run.status == "accepted" else None
    )
    if before is None:
        message = (
            f"The result of {run.family} {run.task_hash[:8]} was not accepted: it is {run.status} since "
            f"{run.ended_at}. There is nothing to take back."
        )
        raise AcceptanceRefused(message, path=session.path)
    ended, earlier = run_id(session, run.run_id, 0), run_id(session, before.run_id, 0)
    session.execute("UPDATE runs SET status = 'withdrawn' WHERE id = ?", (ended,))
    session.execute(
        "UPDATE tasks SET current_run_id = ? WHERE current_run_id = ?", (earlier, ended)
    )
    session.execute(
        """
        UPDATE targets SET run_id = ?, run_content_id = coalesce(
          (SELECT o.content_id FROM run_outputs o WHERE o.run_id = ? AND o.place = targets.run_place),
          run_content_id)
        WHERE id IN (SELECT k.target_id FROM run_outputs o JOIN contents k ON k.id = o.content_id
                     WHERE o.run_id = ?) AND run_id = ?
        """,
        (earlier, earlier, ended, ended),
    )
    task = session.rows("SELECT task_id FROM runs WHERE id = ?", (earlier,))[0][0]
    settle_run_edges(session, task, _entry_of(session, before))
    return Acceptance(
        task_hash=run.task_hash,
        run_id=run.run_id,
        accepted_run_id=str(details.get("accepted_run_id") or before.run_id),
        by=str(details.get("by") or ""),
        at=run.started_at,
        reason=str(run.reason.get("text") or ""),
        uris=tuple(output.uri for output in run.outputs),
    )


def _task(session: Session, task: int) -> tuple[str, str | None]:
    row = session.row(
        "SELECT t.hash, r.uuid FROM tasks t LEFT JOIN runs r ON r.id = t.current_run_id WHERE t.id = ?",
        (task,),
    )
    return (row[0], row[1]) if row is not None else ("", None)


def _standing_outputs(session: Session, run: Run) -> tuple[OutputEntry, ...]:
    records = target_records_of(session, [each.uri for each in run.outputs], with_code_parts=False)
    outputs = []
    for output in run.outputs:
        record = records.get(output.uri)
        if record is None or record.state != "present" or record.fingerprint is None:
            state = "was never looked at" if record is None else f"is {record.state}"
            message = (
                f"{output.uri!r} of {run.family} {run.task_hash[:8]} {state}: only what stands can be "
                "accepted. Plan or run the task first."
            )
            raise AcceptanceRefused(message, path=session.path)
        outputs.append(_as_output(output.place, record))
    if not outputs:
        message = f"{run.family} {run.task_hash[:8]} has no target: there is nothing to accept."
        raise AcceptanceRefused(message, path=session.path)
    return tuple(outputs)


def _as_output(place: str, record: TargetRecord) -> OutputEntry:
    return OutputEntry(
        place=place,
        uri=record.uri,
        kind=record.kind,
        fingerprint=record.fingerprint or "",
        size_bytes=record.size_bytes,
        etag=record.etag,
        version_id=record.version_id,
        token=record.token,
        observed_ns=record.observed_ns or time.time_ns(),
    )


def _inputs_now(session: Session, inputs: Sequence[InputEntry]) -> tuple[InputEntry, ...]:
    """What was last seen at the inputs; where nothing is, what was consumed."""
    records = target_records_of(session, [each.uri for each in inputs], with_code_parts=False)
    return tuple(_input_now(entry, records.get(entry.uri)) for entry in inputs)


def _input_now(entry: InputEntry, record: TargetRecord | None) -> InputEntry:
    if record is None or record.state != "present" or record.fingerprint is None:
        return entry
    is_its_own = record.run is not None and record.run.output_fingerprint == record.fingerprint
    return replace(
        entry,
        fingerprint=record.fingerprint,
        size_bytes=record.size_bytes,
        etag=record.etag,
        version_id=record.version_id,
        task_hash=record.run.task_hash if is_its_own and record.run else entry.task_hash,
        run_id=record.run.run_id if is_its_own and record.run else None,
    )


def _entry_of(session: Session, run: Run) -> RunEntry:
    rows = session.rows(
        """
        SELECT e.place, u.hash FROM edges e JOIN tasks u ON u.id = e.upstream_id
        WHERE e.task_id = (SELECT task_id FROM runs WHERE uuid = ?) AND e.kind = 1
        """,
        (run.run_id,),
    )
    return RunEntry(
        run_id=run.run_id,
        task_hash=run.task_hash,
        status=run.status,
        started_at=run.started_at,
        ended_at=run.ended_at or run.started_at,
        duration_s=run.duration_s or 0.0,
        inputs=run.inputs,
        dynamic_upstream=tuple(rows),
    )
