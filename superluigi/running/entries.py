"""What a build records and tells, from what it planned."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from superluigi.execution.order import RunOrder
from superluigi.hashing import insignificant_params
from superluigi.planning.decision import Decision
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi_catalog.records import OutputEntry, RunEntry, TaskEntry

__all__ = ["Failure", "failure_of", "output_entry", "take_over", "task_entry", "task_fields"]


@dataclass(frozen=True)
class Failure:
    """One run that failed for good."""

    task_hash: str
    family: str
    params: dict[str, str]
    run_id: str | None
    error_type: str
    error: str
    traceback: str
    """As text, beginning at the user's first frame."""
    log: str = ""
    """The run's log, where it printed or logged anything."""
    exception: BaseException | None = field(default=None, repr=False, compare=False)
    """What was raised, where the task ran in this process."""

    @property
    def label(self) -> str:
        """Family and short hash."""
        return f"{self.family} {self.task_hash[:8]}".rstrip()

    @property
    def told(self) -> str:
        """The error on one line."""
        return f"{self.error_type}: {self.error}" if self.error else self.error_type

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            each.name: getattr(self, each.name) for each in fields(self) if each.name != "exception"
        }


def task_entry(task: PlannedTask) -> TaskEntry:
    """A task as the graph declares it."""
    return TaskEntry(
        task_hash=task.task_hash,
        family=task.family,
        module=task.task.task_module,
        params=task.params,
        upstream=tuple((place, upstream.task_hash) for place, upstream in task.upstream),
        outputs=tuple((output.place, output.uri, output.kind) for output in task.outputs),
        insignificant_params=insignificant_params(task.task),
        luigi_task_id=getattr(task.task, "luigi_task_id", task.task.task_id),
        is_external=task.is_external,
    )


def output_entry(output: PlannedOutput) -> OutputEntry:
    """A target as it stands."""
    seen = output.state.observation
    return OutputEntry(
        place=output.place,
        uri=output.uri,
        kind=output.kind,
        fingerprint=output.state.fingerprint or "",
        size_bytes=seen.size_bytes if seen else None,
        mtime_ns=seen.mtime_ns if seen else None,
        file_count=seen.file_count if seen else None,
        etag=seen.etag if seen else None,
        version_id=seen.version_id if seen else None,
        token=seen.token if seen else None,
        observed_ns=seen.observed_ns if seen else 0,
    )


def take_over(task: PlannedTask, entry: RunEntry) -> None:
    """Let what reads a task see what a run of it published."""
    by_place = {output.place: output for output in entry.outputs}
    for output in task.outputs:
        if output.place in by_place:
            output.state.made_by(entry, by_place[output.place], task)


def task_fields(decision: Decision) -> dict[str, Any]:
    """What every event about a task has."""
    return {
        "task_hash": decision.task_hash,
        "family": decision.family,
        "params": dict(decision.params),
    }


def failure_of(decision: Decision, entry: RunEntry, explanation: Any, order: RunOrder) -> Failure:
    """A run that did not end well."""
    if entry.status == "succeeded":
        # on_success() or an event after the run raised: the result stands, the task did not end well.
        text = str(explanation)
        error = text.strip().splitlines()[-1] if text.strip() else "failed after run()"
        return _made_failure(decision, entry, ("AfterRun", error, text), order)
    told = (entry.error_type or "", entry.error or "", entry.traceback or "")
    return _made_failure(decision, entry, told, order)


def _made_failure(
    decision: Decision,
    entry: RunEntry,
    told: tuple[str, str, str],
    order: RunOrder,
) -> Failure:
    error_type, error, traceback = told
    log = order.log_path or ""
    return Failure(
        task_hash=decision.task_hash,
        family=decision.family,
        params=dict(decision.params),
        run_id=entry.run_id,
        error_type=error_type,
        error=error,
        traceback=traceback,
        log=log if log and Path(log).exists() else "",
        exception=order.exception,
    )
