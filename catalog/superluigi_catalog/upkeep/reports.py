"""What the upkeep of a catalog came to."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from superluigi_catalog.results import Record

__all__ = [
    "Orphan",
    "Orphans",
    "Progress",
    "Rebuilt",
    "Report",
    "SidecarProblem",
    "TargetProblem",
    "Verified",
]


@dataclass(frozen=True, slots=True)
class Progress(Record):
    """How far something has come."""

    done: int
    total: int | None = None
    """None: nobody knows yet."""
    problems: int = 0


Report = Callable[[Progress], object]
"""Is told of every step."""


@dataclass(frozen=True, slots=True)
class SidecarProblem(Record):
    """A sidecar that cannot be used, and why; it was left as it is."""

    path: str
    problem: str
    """`broken`, `oversize`, `newer` (a later format), `foreign` (none of Super Luigi's, or of another target)
    or `unreadable` (also of a folder that could not be looked into)."""
    text: str


@dataclass(frozen=True, slots=True)
class Rebuilt(Record):
    """What a rebuild found."""

    found: int
    """Sidecars."""
    recorded: int
    """Read and recorded now."""
    unchanged: int
    """Known from an earlier time, and not read again; problems of then are listed again."""
    missing: int
    """Recorded now, without their target: the history of something that was deleted."""
    changed: int
    """Recorded now, beside a target that is not what their run wrote."""
    problems: tuple[SidecarProblem, ...]
    """Ordered by path."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class TargetProblem(Record):
    """A target that is not as recorded."""

    uri: str
    problem: str
    """`missing`, `changed`, `unrecorded` (it stands, and no run that the catalog knows made it), `sidecar` (which
    cannot be used) or `error` (it could not be looked at)."""
    text: str
    task_hash: str | None
    """Who made it, else who declares it."""
    family: str
    run_id: str | None


@dataclass(frozen=True, slots=True)
class Verified(Record):
    """What a comparison of targets with their records found."""

    checked: int
    """Targets."""
    problems: tuple[TargetProblem, ...]
    """Ordered by uri."""
    duration_s: float


@dataclass(frozen=True, slots=True)
class Orphan(Record):
    """Something that nobody needs any more."""

    kind: str
    """`target` (with its sidecar), `sidecar` (of a target that has gone), `copy` (a local one of something
    remote), `upload` (parts at a store, of a process that died) or `run` (a row of the catalog)."""
    name: str
    """The uri of the target, or of what was to be one; the path of the copy; the id of the run."""
    size_bytes: int
    """0 for an upload: only the store knows."""
    last_used: str
    """When it was made, or last read by a run; UTC, ISO 8601."""
    task_hash: str = ""
    family: str = ""
    run_id: str = ""
    target_kind: str = ""
    fingerprint: str = ""
    """What it should be; anything else is kept. Of an upload its id."""
    kept_because: str = ""
    """After a removal: why it is still there."""


@dataclass(frozen=True, slots=True)
class Orphans(Record):
    """What nobody needs any more, by the rules that were given."""

    orphans: tuple[Orphan, ...]
    """Targets and sidecars, copies, uploads, runs; each ordered by name."""
    current_tasks: int | None
    """How many tasks are still of use; None: no build is recorded, so nobody can tell, and only copies and
    rows are listed."""
    since: str
    """What was used then or later is of use; UTC, ISO 8601."""
    keep: tuple[str, ...]
    """Task hashes that are of use in any case."""
    keep_runs: int

    @property
    def size_bytes(self) -> int:
        """How much room they take."""
        return sum(orphan.size_bytes for orphan in self.orphans)


@dataclass(frozen=True, slots=True)
class Merged(Record):
    """What a merge brought that was not known before."""

    tasks: int
    runs: int
    builds: int
    targets: int
    duration_s: float


@dataclass(frozen=True, slots=True)
class Exported(Record):
    """What a lineage server was told."""

    runs: int
    events: int
    duration_s: float
