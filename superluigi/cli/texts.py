"""Records as short texts: sizes, times, parameters."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from superluigi_catalog.text import size_text

if TYPE_CHECKING:
    from superluigi_catalog.results import Run

__all__ = [
    "STATUS_STYLES",
    "digest_text",
    "duration_text",
    "minute_text",
    "moment_text",
    "params_text",
    "reason_text",
    "run_label",
    "run_text",
    "size_text",
    "span_text",
]

STATUS_STYLES = {
    "fresh": "green",
    "succeeded": "green",
    "unchanged": "cyan",
    "shared": "cyan",
    "adopted": "cyan",
    "stale": "yellow",
    "missing": "yellow",
    "interrupted": "yellow",
    "failed": "red",
    "running": "blue",
}
"""The colour of a task's, run's or build's status."""

_DIGEST_CHARS = 16


def duration_text(seconds: float | None) -> str:
    """A duration in the units that fit.

    Example:
        >>> duration_text(1.82), duration_text(75), duration_text(7300)
        ('1.8 s', '1 m 15 s', '2 h 01 m')
    """
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    if minutes < 60:
        return f"{minutes} m {rest:02} s"
    return f"{minutes // 60} h {minutes % 60:02} m"


def moment_text(moment: str | None) -> str:
    """A recorded time without fractions; UTC, as its `Z` says."""
    if not moment:
        return ""
    return moment[:19].replace("T", " ") + "Z" if len(moment) > 19 else moment


def minute_text(moment: str | None) -> str:
    """A recorded time up to the minute, for lists."""
    return f"{moment[:16].replace('T', ' ')}Z" if moment and len(moment) > 19 else moment or ""


def span_text(started_at: str | None, ended_at: str | None) -> str:
    """How long something took, from its recorded times; empty while it has not ended."""
    try:
        begin, end = (
            datetime.fromisoformat((moment or "").removesuffix("Z"))
            for moment in (started_at, ended_at)
        )
    except ValueError:
        return ""
    return duration_text((end - begin).total_seconds())


def run_label(run: Run) -> str:
    """What ran: family, hash, parameters."""
    return f"{run.family or '?'} {run.task_hash[:8]}  {params_text(run.params)}".rstrip()


def run_text(run: Run) -> str:
    """Why a run ran; for one that did not end well, what went wrong."""
    if run.error_type:
        return f"{run.error_type}: {run.error}"
    return run.error or reason_text(run.reason)


def params_text(params: Mapping[str, str]) -> str:
    """Parameters on one line."""
    return " ".join(f"{name}={value}" for name, value in params.items())


def reason_text(reason: Mapping[str, Any] | None) -> str:
    """What a recorded reason says; empty where there is none."""
    return str((reason or {}).get("text") or "")


def digest_text(fingerprint: str | None) -> str:
    """A fingerprint, cut to what a person compares."""
    if not fingerprint:
        return ""
    kind, _, value = fingerprint.partition(":")
    return fingerprint if len(value) <= _DIGEST_CHARS else f"{kind}:{value[:_DIGEST_CHARS]}…"
