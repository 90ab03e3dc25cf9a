"""Recording what a sidecar says: how a catalog is rebuilt, and how it learns of other machines' runs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from superluigi_catalog.errors import InvalidSidecar
from superluigi_catalog.recording.contents import output_content, write_outputs
from superluigi_catalog.recording.identify import target_id, task_id
from superluigi_catalog.recording.known import GOOD_STATUSES, KnownRun, known_run
from superluigi_catalog.recording.observations import observe
from superluigi_catalog.recording.runs import settle_run_edges, write_run
from superluigi_catalog.recording.tasks import declare_tasks
from superluigi_catalog.records import InputEntry, Observed, OutputEntry, RunEntry, TaskEntry
from superluigi_catalog.sidecar import user_metadata
from superluigi_catalog.storage.bulk import maker_of
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["SidecarEntry", "index_sidecar", "run_entry_of", "task_entry_of"]

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SidecarEntry:
    """A sidecar with what stands beside it; see `Recorder.index_sidecar`."""

    document: Document
    uri: str
    kind: str
    token: str | None = None
    observed_ns: int = 0
    fingerprint: str | None = None


def index_sidecar(session: Session, sidecar: SidecarEntry) -> None:
    """Record a sidecar's task, run and output; twice is once, and what is known better stays."""
    if "output" not in sidecar.document:
        message = (
            f"The sidecar of {sidecar.uri!r} announces a run that has not ended: nothing to record."
        )
        raise InvalidSidecar(message, path=sidecar.uri)
    task = _record_task(session, sidecar)
    entry = run_entry_of(sidecar)
    known = known_run(session, entry.run_id)
    run = _record_run(session, entry, known)
    if known is None or known.status not in GOOD_STATUSES or known.origin == "sidecar":
        _point_task(session, task, run, entry)
    output = entry.outputs[0]
    token = sidecar.token
    seen = sidecar.fingerprint or (output.fingerprint if token is not None else None)
    _point_target(session, entry, run, seen)
    _record_acceptance(session, sidecar.document, entry, task, seen)
    if token is not None:
        is_as_written = seen == output.fingerprint
        look = Observed(
            uri=sidecar.uri,
            kind=sidecar.kind,
            state="present",
            token=token,
            fingerprint=seen,
            size_bytes=output.size_bytes if is_as_written else None,
            mtime_ns=output.mtime_ns if is_as_written else None,
            etag=output.etag if is_as_written else None,
            version_id=output.version_id if is_as_written else None,
            file_count=output.file_count if is_as_written else None,
            observed_ns=sidecar.observed_ns,
        )
        observe(session, (look,))


def _record_acceptance(
    session: Session, document: Document, entry: RunEntry, task: int, seen: str | None
) -> None:
    """Record that the content was accepted later, for what its sidecar says; not one taken back."""
    said = document.get("acceptance")
    if not said:
        return
    (output,) = entry.outputs
    if said["fingerprint"] != output.fingerprint:
        output = replace(output, fingerprint=said["fingerprint"], size_bytes=None)
    details = {"by": said.get("by", ""), "at": said["at"], "before": entry.run_id}
    details["accepted_run_id"] = said.get("accepted_run_id") or entry.run_id
    accepted = replace(
        entry,
        run_id=said["run_id"],
        status="accepted",
        started_at=said["at"],
        ended_at=said["at"],
        duration_s=0.0,
        build_id=None,
        reason={"kind": "accepted", "text": said.get("reason", ""), "details": details},
        inputs=tuple(_input_entry(row) for row in said["inputs"]),
        outputs=(output,),
        code=said.get("code"),
        metadata={},
    )
    known = known_run(session, accepted.run_id)
    if known is not None and known.status == "withdrawn":
        return
    run = _record_run(session, accepted, known)
    _point_task(session, task, run, accepted)
    _point_target(session, accepted, run, seen)


def task_entry_of(sidecar: SidecarEntry, *, has_output: bool) -> TaskEntry:
    """Read the task from a sidecar.

    Args:
        sidecar: The sidecar.
        has_output: The catalog knows where the task's output is: a copy elsewhere does not replace it.
    """
    document, uri, kind = sidecar.document, sidecar.uri, sidecar.kind
    output = document["output"]
    outputs = [(output["place"], uri, kind)]
    if output["path"] == uri:
        # Only then its siblings can be expected where they were.
        outputs += [(row["place"], row["path"], kind) for row in output.get("siblings", ())]
    elif has_output:
        outputs = []
    return TaskEntry(
        task_hash=document["task_hash"],
        family=document["family"],
        module=document.get("module", ""),
        params=document["params"],
        upstream=tuple(document["upstream"].items()),
        outputs=tuple(outputs),
        insignificant_params=document.get("insignificant_params", {}),
    )


def _record_task(session: Session, sidecar: SidecarEntry) -> int:
    """Record the task, unless a build has declared it, which tells more."""
    task = task_id(session, sidecar.document["task_hash"])
    found = session.row("SELECT 1 FROM tasks WHERE id = ? AND declared IS NOT NULL", (task,))
    if found is None:
        place = storable(sidecar.document["output"]["place"])
        output = session.row(
            "SELECT 1 FROM task_targets WHERE task_id = ? AND place = ?", (task, place)
        )
        declare_tasks(session, [task_entry_of(sidecar, has_output=output is not None)])
    return task


def run_entry_of(sidecar: SidecarEntry) -> RunEntry:
    """Read the run from a sidecar."""
    document, uri, kind = sidecar.document, sidecar.uri, sidecar.kind
    output = document["output"]
    return RunEntry(
        run_id=document["run_id"],
        task_hash=document["task_hash"],
        status="adopted" if document.get("adopted") else "succeeded",
        started_at=document["started_at"],
        ended_at=document["ended_at"],
        duration_s=float(document.get("duration_s") or 0.0),
        build_id=document.get("build_id"),
        reason=document.get("reason") or {},
        inputs=tuple(_input_entry(row) for row in document["inputs"]),
        outputs=(
            OutputEntry(
                place=output["place"],
                uri=uri,
                kind=kind,
                fingerprint=output["fingerprint"],
                size_bytes=output.get("size_bytes"),
                mtime_ns=output.get("mtime_ns"),
                file_count=output.get("file_count"),
                etag=output.get("etag"),
                version_id=output.get("version_id"),
                token=sidecar.token,
                observed_ns=sidecar.observed_ns,
            ),
        ),
        dynamic_upstream=tuple(document.get("dynamic_upstream", {}).items()),
        code=document.get("code"),
        environment=document.get("environment", {}),
        metadata=user_metadata(document),
        origin="sidecar",
    )


_made_input = maker_of(InputEntry)


def _input_entry(row: Document) -> InputEntry:
    get = row.get
    return _made_input(
        row["place"],
        row["path"],
        get("type", ""),
        row["fingerprint"],
        get("size_bytes"),
        get("etag"),
        get("version_id"),
        get("task_hash"),
        get("run_id"),
    )


def _record_run(session: Session, entry: RunEntry, known: KnownRun | None) -> int:
    """Write the run, or only add this output where the run itself is known."""
    if known is None or known.status not in GOOD_STATUSES:
        if known is not None and known.status is not None:
            # Its process died between the sidecar and the catalog: it was a run of ours.
            entry = replace(entry, origin=known.origin)
        return write_run(session, entry, known)
    missing = [
        output
        for output in entry.outputs
        if session.row(
            "SELECT 1 FROM run_outputs WHERE run_id = ? AND place = ?",
            (known.id, storable(output.place)),
        )
        is None
    ]
    write_outputs(session, known.id, missing)
    return known.id


def _point_task(session: Session, task: int, run: int, entry: RunEntry) -> None:
    """Make the run its task's current one, unless a later one is."""
    session.execute(
        """
        UPDATE tasks SET last_run_id = ? WHERE id = ? AND NOT EXISTS (
          SELECT 1 FROM runs r WHERE r.id = last_run_id AND (r.ended_at IS NULL OR r.ended_at > ?))
        """,
        (run, task, entry.ended_at),
    )
    changed = session.execute(
        """
        UPDATE tasks SET current_run_id = ? WHERE id = ? AND NOT EXISTS (
          SELECT 1 FROM runs r WHERE r.id = current_run_id AND r.ended_at > ?)
        """,
        (run, task, entry.ended_at),
    )
    if changed.rowcount:
        settle_run_edges(session, task, entry)


def _point_target(session: Session, entry: RunEntry, run: int, seen: str | None) -> None:
    """Make the run the target's record.

    A later one stays, unless what stands there now is this sidecar's content and not that run's: then
    somebody put an older version back, together with its sidecar.
    """
    (output,) = entry.outputs
    content = output_content(session, output)
    session.execute(
        """
        UPDATE targets SET run_id = ?, run_content_id = ?, run_place = ?
        WHERE id = ? AND (
          NOT EXISTS (SELECT 1 FROM runs r WHERE r.id = targets.run_id AND r.ended_at > ?)
          OR (? AND run_content_id IS NOT ?))
        """,
        (
            run,
            content,
            storable(output.place),
            target_id(session, output.uri, output.kind),
            entry.ended_at,
            seen == output.fingerprint,
            content,
        ),
    )
