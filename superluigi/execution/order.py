"""What a build tells one run before it starts: picklable, so that it reaches a spawned worker too."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from superluigi_catalog.ids import new_uuid7
from superluigi_catalog.records import InputEntry, RunEntry

__all__ = ["ExpectedInput", "RunOrder", "new_uuid7", "utc_now"]


@dataclass(frozen=True, slots=True)
class ExpectedInput:
    """An input as it stood when the run was decided."""

    entry: InputEntry
    """The place, the stored path and the content; an empty fingerprint means: nobody read it yet."""
    location: str
    """The absolute path or URI."""
    token: str | None
    """What one look at it showed."""


@dataclass(slots=True)
class RunOrder:
    """One run, as the plan wants it."""

    run_id: str
    task_hash: str
    build_id: str | None
    reason: Mapping[str, Any]
    inputs: tuple[ExpectedInput, ...] | None
    """None: nobody looked, the run finds out itself (Luigi's own `build`)."""
    upstream: Mapping[str, str] = field(default_factory=dict)
    """Place → task_hash."""
    standing: Mapping[str, str] = field(default_factory=dict)
    """What the build saw at the places of the outputs, as tokens; "" for nothing."""
    code: Mapping[str, Any] | None = None
    environment: Mapping[str, Any] = field(default_factory=dict)
    durability: str = "detect"
    force_local_download: bool = False
    log_path: str | None = None
    record_plain_targets: bool = True
    ordered_at: float = field(default_factory=time.time)
    """Seconds since the epoch."""
    builder_pid: int | None = None
    """The build's process, in a run that has a process of its own; it sets this itself."""
    exception: BaseException | None = None
    """What `run()` raised, for those in the same process; it is not sent from another."""
    outcome: RunEntry | None = None
    """Set by the run in its own process, and sent back from there."""


def utc_now() -> str:
    """Now as every record writes it: `2026-01-05T08:12:31.123456Z`."""
    return utc_text(time.time())


def utc_text(seconds: float) -> str:
    """A time since the epoch as every record writes it."""
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return when.isoformat(timespec="microseconds")[: -len("+00:00")] + "Z"
