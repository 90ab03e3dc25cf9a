"""The state of a target as one plan sees it."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import Protocol

from superluigi.execution.inputs import UNKNOWN_RUN
from superluigi.targets.state import Observation
from superluigi_catalog.records import (
    InputEntry,
    OutputEntry,
    RunEntry,
    RunRecord,
    TargetRecord,
)
from superluigi_catalog.storage.bulk import maker_of

__all__ = ["TargetState", "same_content", "stat_fingerprint"]


class PlannedTaskLike(Protocol):
    """Whose output it is."""

    family: str
    params: dict[str, str]


@dataclass(slots=True)
class TargetState:
    """What stands at a place, and what the records say of it."""

    observation: Observation | None = None
    """The look; None for what has no bytes of its own."""
    exists: bool = False
    fingerprint: str | None = None
    """The content that stands there; None when nobody read it, or nothing does."""
    record: TargetRecord | None = None
    document: dict[str, object] | None = None
    """The sidecar, where it had to be read."""
    interrupted: bool = False
    """An unfinished run or publish left it."""
    sidecar_error: str = ""
    """Why the sidecar that is there cannot be used."""
    was_edited: bool = False
    """Its bytes are not those that the recorded run wrote."""

    def forget(self) -> None:
        """Know nothing any more; whoever holds this state sees the next look."""
        blank = TargetState()
        for each in fields(self):
            setattr(self, each.name, getattr(blank, each.name))

    @property
    def run(self) -> RunRecord | None:
        """The run that its content is recorded under."""
        return self.record.run if self.record is not None else None

    @property
    def is_as_run_left_it(self) -> bool:
        """Whether the bytes are those that the recorded run wrote."""
        return self.run is not None and same_content(self.run.output_fingerprint, self)

    @property
    def last_fingerprint(self) -> str | None:
        """The content that stands there, or that last did."""
        if self.fingerprint is not None or self.exists:
            return self.fingerprint
        if self.record is None:
            return None
        # What was last seen there counts, also where it was not what its run had written.
        return self.record.fingerprint or (self.run.output_fingerprint if self.run else None)

    def count_for(self, task_hash: str) -> None:
        """The recorded result counts for another identity from now on."""
        if self.record is not None and self.record.run is not None:
            run = replace(self.record.run, task_hash=task_hash)
            self.record = replace(self.record, run=run)

    def made_by(self, run: RunEntry, output: OutputEntry, task: PlannedTaskLike) -> None:
        """Take over what a run of this build published."""
        self.exists, self.interrupted, self.was_edited = True, False, False
        self.fingerprint = output.fingerprint
        self.observation = Observation(
            exists=True,
            token=output.token,
            size_bytes=output.size_bytes,
            mtime_ns=output.mtime_ns,
            etag=output.etag,
            version_id=output.version_id,
            file_count=output.file_count,
        )
        record = RunRecord(
            run_id=run.run_id,
            task_hash=run.task_hash,
            family=task.family,
            params=task.params,
            status=run.status,
            ended_at=run.ended_at,
            duration_s=run.duration_s,
            output_place=output.place,
            output_fingerprint=output.fingerprint,
            inputs=run.inputs,
            code_fingerprint=str((run.code or {}).get("fingerprint") or "") or None,
        )
        self.record = TargetRecord(
            uri=output.uri,
            kind=output.kind,
            state="present",
            token=output.token,
            fingerprint=output.fingerprint,
            size_bytes=output.size_bytes,
            etag=output.etag,
            version_id=output.version_id,
            observed_ns=output.observed_ns,
            run=record,
        )

    def as_input(self, place: str, uri: str, kind: str, task_hash: str) -> InputEntry:
        """This content as the input of a run."""
        seen, run = self.observation, self.run
        made_here = run is not None and not self.was_edited and self.exists
        return _made_entry(
            place,
            uri,
            kind,
            self.last_fingerprint or ("" if seen is not None else UNKNOWN_RUN),
            seen.size_bytes if seen else None,
            seen.etag if seen else None,
            seen.version_id if seen else None,
            run.task_hash if run is not None and made_here else task_hash,
            run.run_id if run is not None and made_here else None,
        )


_made_entry = maker_of(InputEntry)


def stat_fingerprint(seen: Observation) -> str:
    """The fingerprint of something large that nobody read: size and time."""
    return f"stat:{seen.size_bytes}:{seen.mtime_ns}"


def same_content(recorded: str, state: TargetState) -> bool:
    """Whether what a run consumed is what stands there (or last stood there)."""
    current = state.last_fingerprint
    if current is not None and recorded == current:
        return True
    seen = state.observation
    if seen is None or not seen.exists:
        return False
    # Recorded before anybody read it, compared after somebody did.
    if recorded.startswith("stat:"):
        return recorded == stat_fingerprint(seen)
    if recorded.startswith("etag:"):
        return recorded == f"etag:{seen.etag}:{seen.size_bytes}"
    return False
