"""What the catalog answers with: tasks, runs, builds, targets, as they are recorded.

Every one has `to_dict()`, of JSON types only, with the attributes' names as keys.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from superluigi_catalog.records import InputEntry, JsonObject, OutputEntry

__all__ = [
    "RUN_STATUSES",
    "STATUSES",
    "Build",
    "Consumption",
    "Interrupted",
    "Revision",
    "Run",
    "Target",
    "Task",
    "checked_statuses",
]

STATUSES = ("fresh", "stale", "missing", "failed", "running", "unknown")
"""What the records alone can say of a task; nothing is looked at. The first that holds:

- `running`: its last run has not ended, and the process that ran it is not known to be gone
- `missing`: an output was not there, or only in part, when last looked at
- `stale`: its current run consumed a content that is no longer the one last seen at that input, or its
  target now holds what another task made
- `unknown`: no run stands for it, or its targets were adopted: found, without a record of their making
- `fresh`: none of these; or an external task whose targets are there

`failed` stands in for `missing`, `stale` and `unknown` where the last run failed. A run that failed over a
result that is fresh all the same changes nothing, nor does one that was interrupted: it says nothing about
the task. Tasks upstream of a stale one are judged by themselves: staleness is not passed on.
"""


RUN_STATUSES = (
    "running",
    "succeeded",
    "failed",
    "interrupted",
    "unchanged",
    "adopted",
    "shared",
    "accepted",
    "withdrawn",
)
"""What became of a run; the last five stand for what did not have to run (see `RunEntry`)."""


def checked_statuses(
    status: str | Collection[str] | None, allowed: Collection[str] = STATUSES
) -> frozenset[str]:
    """Return one status, or several, as a set; None is none.

    Raises:
        ValueError: one of them is no status.
    """
    wanted = frozenset({status} if isinstance(status, str) else status or ())
    unknown = sorted(wanted.difference(allowed))
    if unknown:
        message = f"{unknown[0]!r} is no status. Choose from {', '.join(allowed)}."
        raise ValueError(message)
    return wanted


class Record:
    """What all results share."""

    __slots__ = ()

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON types."""
        return {each.name: _plain(getattr(self, each.name)) for each in fields(self)}  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Run(Record):
    """One execution of one task."""

    run_id: str
    task_hash: str
    family: str
    params: Mapping[str, str]
    status: str
    """One of `RUN_STATUSES`."""
    started_at: str
    ended_at: str | None
    """None while it runs."""
    duration_s: float | None
    build_id: str | None
    reason: JsonObject
    """Why it ran: kind, text, details. The first of them."""
    reasons: tuple[JsonObject, ...]
    inputs: tuple[InputEntry, ...]
    """Ordered by place."""
    outputs: tuple[OutputEntry, ...]
    """Ordered by place."""
    code_fingerprint: str | None
    metadata: JsonObject
    """What the task added to its sidecar."""
    error_type: str | None
    error: str | None
    traceback: str | None
    log: str
    """Path of its log, relative to the build's folder."""
    owner: str
    origin: str
    """`local`, or `sidecar` when it is known from one only."""
    code: JsonObject = field(default_factory=dict)
    """fingerprint, parts (name, file, line, fingerprint), not_followed; only from `Catalog.run`."""
    environment: JsonObject = field(default_factory=dict)
    """Only from `Catalog.run`."""


@dataclass(frozen=True, slots=True)
class Task(Record):
    """One task, with what is recorded of it."""

    task_hash: str
    family: str
    """Empty for a task that is only known as somebody's input."""
    module: str
    params: Mapping[str, str]
    """The significant ones, serialised."""
    status: str
    """One of `STATUSES`."""
    is_external: bool = False
    is_stub: bool = False
    """Known only as somebody's input: what it requires is unknown, not nothing."""
    insignificant_params: Mapping[str, str] = field(default_factory=dict)
    luigi_task_id: str = ""
    last_run_id: str | None = None
    """The newest one, whatever became of it."""
    last_status: str | None = None
    last_started_at: str | None = None
    last_duration_s: float | None = None
    last_reason: JsonObject = field(default_factory=dict)
    current_run_id: str | None = None
    """The newest one that stands for its targets."""


@dataclass(frozen=True, slots=True)
class Build(Record):
    """One call of `run_task`."""

    build_id: str
    status: str
    """`running`, `succeeded`, `failed` or `interrupted`."""
    started_at: str
    ended_at: str | None
    roots: tuple[str, ...]
    """Hashes of the tasks that were asked for."""
    host: str
    user: str
    cwd: str
    argv: tuple[str, ...]
    arguments: JsonObject
    versions: Mapping[str, str]
    directory: str
    """Its folder below `builds/`."""
    owner: str
    counts: Mapping[str, int]
    """How many tasks came to what end; of a build that has not ended, or without a word, its runs so far."""
    error: str | None
    """What stopped the build itself; a task that failed does not."""


@dataclass(frozen=True, slots=True)
class Target(Record):
    """One place, what was last seen there, and whose content it should be."""

    uri: str
    """Relative to the project where it lies inside it, else absolute; or an `s3://` URI."""
    kind: str
    place: str
    """Where it stands in the task's `output()`."""
    state: str
    """`present`, `missing`, `partial`, `error`, or `unknown`: nobody has looked yet."""
    fingerprint: str | None
    """The content last seen; None where it was not read."""
    size_bytes: int | None
    etag: str | None
    version_id: str | None
    observed_ns: int
    error: str | None
    """Why the last look failed."""
    task_hash: str | None
    """Whose content stands there by the records."""
    run_id: str | None
    recorded_fingerprint: str | None
    """What that run wrote; another one than `fingerprint` when somebody changed it since."""


@dataclass(frozen=True, slots=True)
class Consumption(Record):
    """One run that consumed a content."""

    run_id: str
    task_hash: str
    family: str
    started_at: str
    place: str
    """Where the run had it."""


@dataclass(frozen=True, slots=True)
class Revision(Record):
    """One content of a target, and one run that put it there."""

    uri: str
    fingerprint: str
    size_bytes: int | None
    run: Run | None
    """None where no run is recorded that made it: it came from outside, or was edited by hand."""
    is_current: bool
    """Whether this is the record that counts for the target now."""
    is_seen: bool
    """Whether this content is what was last seen there."""
    at: str | None
    """When the run ended; without one, when it was first consumed, else when it was looked at last."""
    read_by: tuple[Consumption, ...]
    """Who consumed this content, as put there by any run; newest first."""


@dataclass(frozen=True, slots=True)
class Interrupted(Record):
    """What was found to have ended without a word."""

    run_ids: tuple[str, ...]
    build_ids: tuple[str, ...]


def _plain(value: Any) -> Any:
    if isinstance(value, Record):
        return value.to_dict()
    if is_dataclass(value) and not isinstance(value, type):
        return {each.name: _plain(getattr(value, each.name)) for each in fields(value)}
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value
