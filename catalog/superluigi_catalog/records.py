"""What crosses the catalog's boundary: rows as the runner hands them in, and as it reads them back.

Times are UTC, ISO 8601 with microseconds and a `Z` (`2026-01-05T08:12:31.123456Z`). A fingerprint is
`algorithm:value`. A *uri* is a local path in its stored form (relative to the project where it lies
inside it, with `/`, else absolute) or an `s3://` URI. A *place* is where a thing stands in
`requires()` or `output()`: `""`, `"features"`, `"0"`, `"features.0"`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BuildEntry",
    "Claim",
    "InputEntry",
    "Lease",
    "Observed",
    "OutputEntry",
    "RunEntry",
    "RunRecord",
    "TargetRecord",
    "TaskEntry",
    "YieldedTask",
]

JsonObject = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class TaskEntry:
    """A task of the graph, as a build declares it."""

    task_hash: str
    family: str
    module: str
    params: Mapping[str, str]
    """The significant ones, serialised; none of PRIVATE visibility."""
    upstream: tuple[tuple[str, str], ...] = ()
    """(place, task_hash), one row for each place."""
    outputs: tuple[tuple[str, str, str], ...] = ()
    """(place, uri, kind); kind is the target's class name."""
    insignificant_params: Mapping[str, str] = field(default_factory=dict)
    luigi_task_id: str = ""
    is_external: bool = False


@dataclass(frozen=True, slots=True)
class BuildEntry:
    """One call of `run_task`."""

    build_id: str
    started_at: str
    roots: tuple[str, ...]
    """Hashes of the tasks that were asked for."""
    host: str = ""
    user: str = ""
    cwd: str = ""
    argv: tuple[str, ...] = ()
    arguments: JsonObject = field(default_factory=dict)
    """The decision arguments: force…, rerun_on, verify, num_workers, …"""
    versions: Mapping[str, str] = field(default_factory=dict)
    directory: str = ""
    """The build's folder below `builds/`, with its events and logs."""
    owner: str = ""
    """host|boot id|pid|pid start time."""


@dataclass(frozen=True, slots=True)
class InputEntry:
    """One target that a run consumed, and the content that it had."""

    place: str
    uri: str
    kind: str
    fingerprint: str
    size_bytes: int | None = None
    etag: str | None = None
    version_id: str | None = None
    task_hash: str | None = None
    """Who made that content, where known."""
    run_id: str | None = None


@dataclass(frozen=True, slots=True)
class OutputEntry:
    """One target that a run published, and the content that it has."""

    place: str
    uri: str
    kind: str
    fingerprint: str
    size_bytes: int | None = None
    mtime_ns: int | None = None
    file_count: int | None = None
    etag: str | None = None
    version_id: str | None = None
    token: str | None = None
    """What one cheap look at the target showed after publishing (see `Observed.token`)."""
    observed_ns: int = 0
    """When its bytes began to be read, in nanoseconds since the epoch; 0: when it is recorded."""


@dataclass(frozen=True, slots=True)
class RunEntry:
    """One execution of one task, finished or failed; also an adoption or an `unchanged`.

    `status`: `succeeded`, `failed`, `interrupted`, `unchanged` (its inputs turned out equal: did not
    run), `adopted` (the target stood without a record), `shared` (another build made it), `accepted` (somebody
    said that it is right as it is), `withdrawn` (and took that back).
    """

    run_id: str
    task_hash: str
    status: str
    started_at: str
    ended_at: str
    duration_s: float
    build_id: str | None = None
    reason: JsonObject = field(default_factory=dict)
    """The first reason: kind, text, details."""
    reasons: tuple[JsonObject, ...] = ()
    """All of them."""
    inputs: tuple[InputEntry, ...] = ()
    outputs: tuple[OutputEntry, ...] = ()
    dynamic_upstream: tuple[tuple[str, str], ...] = ()
    """(place, task_hash) of what `run()` yielded."""
    code: JsonObject | None = None
    """fingerprint, parts (name, file, line, fingerprint, and `source` for the catalog only), not_followed."""
    environment: JsonObject = field(default_factory=dict)
    metadata: JsonObject = field(default_factory=dict)
    """What the task added to its sidecar."""
    error_type: str | None = None
    error: str | None = None
    traceback: str | None = None
    made_by: str | None = None
    """The run whose result it says is still right: its code, environment and metadata stand for this one too."""
    owner: str = ""
    log: str = ""
    """Path of its log, relative to the build's folder."""
    origin: str = "local"
    """`local`, or `sidecar` when indexed from one."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a look at a target showed."""

    uri: str
    kind: str
    state: str
    """`present`, `missing`, `partial` or `error`."""
    token: str | None = None
    """A cheap version token: `stat:<size>:<mtime_ns>:<inode>:<ctime_ns>`, `etag:<etag>:<size>`, …"""
    fingerprint: str | None = None
    """The content that this token stood for, where it was read."""
    size_bytes: int | None = None
    mtime_ns: int | None = None
    etag: str | None = None
    version_id: str | None = None
    file_count: int | None = None
    observed_ns: int = 0
    """When, in nanoseconds since the epoch."""
    error: str | None = None


@dataclass(frozen=True, slots=True)
class Lease:
    """That a build is running a task just now."""

    task_hash: str
    run_id: str
    build_id: str
    """Empty where no build started it."""
    directory: str
    """The build's folder below `builds/`."""
    owner: str
    acquired_ns: int
    """In nanoseconds since the epoch, as `beat_ns`."""
    beat_ns: int
    """When its owner was last heard of."""


@dataclass(frozen=True, slots=True)
class Claim:
    """Whether a run may begin."""

    holder: Lease | None = None
    """Who runs the task already."""
    has_newer: bool = False
    """Another run was recorded for its targets since they were looked up."""

    @property
    def is_granted(self) -> bool:
        """Whether it has begun."""
        return self.holder is None and not self.has_newer


@dataclass(frozen=True, slots=True)
class YieldedTask:
    """A task that the current run of another one asked for while running."""

    place: str
    """`yielded.0`, `yielded.1.left`, …: the first is what the first `yield` asked for."""
    task_hash: str
    family: str
    """Empty, like what follows, where nothing but the hash is known."""
    module: str
    params: Mapping[str, str]
    insignificant_params: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RunRecord:
    """The run that a target's content is recorded under: what a decision compares with."""

    run_id: str
    task_hash: str
    family: str
    params: Mapping[str, str]
    status: str
    ended_at: str
    duration_s: float
    output_place: str
    output_fingerprint: str
    inputs: tuple[InputEntry, ...]
    code_fingerprint: str | None = None
    code_parts: tuple[JsonObject, ...] = ()
    """name, file, line, fingerprint; loaded only on request."""
    environment: JsonObject = field(default_factory=dict)
    """Loaded only on request."""


@dataclass(frozen=True, slots=True)
class TargetRecord:
    """All that the catalog knows of one place."""

    uri: str
    kind: str
    state: str
    token: str | None
    fingerprint: str | None
    """The content last seen under `token`."""
    size_bytes: int | None
    etag: str | None
    version_id: str | None
    observed_ns: int
    run: RunRecord | None
    """The run whose content stands there by the records; None when nobody recorded any."""
