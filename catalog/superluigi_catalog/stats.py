"""Figures about runs: where the time goes, what runs again and again, what fails, what is big."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from superluigi_catalog.results import Record

__all__ = ["FamilyStats", "Stats", "TargetStats", "TaskStats"]


@dataclass(frozen=True, slots=True)
class FamilyStats(Record):
    """The runs of a family."""

    family: str
    runs: int
    failed: int
    total_s: float
    mean_s: float
    """Of those that ended well."""


@dataclass(frozen=True, slots=True)
class TaskStats(Record):
    """The runs of a task."""

    task_hash: str
    family: str
    params: Mapping[str, str]
    runs: int
    failed: int
    total_s: float
    longest_s: float
    last_status: str
    """Of its newest run."""
    last_error: str | None
    """What that one raised, where it failed."""


@dataclass(frozen=True, slots=True)
class TargetStats(Record):
    """A content that a run wrote."""

    uri: str
    size_bytes: int
    file_count: int | None
    task_hash: str
    family: str


@dataclass(frozen=True, slots=True)
class Stats(Record):
    """Figures about the newest runs; without those that only took note of what stood already."""

    runs: int
    """How many were looked at."""
    since: str | None
    """When the oldest of them began."""
    total_s: float
    statuses: Mapping[str, int]
    """How many ended how."""
    families: tuple[FamilyStats, ...]
    """Those that took the most time first."""
    slowest: tuple[TaskStats, ...]
    """By their longest run."""
    most_run: tuple[TaskStats, ...]
    """Those that ran more than once, the most often first."""
    failing: tuple[TaskStats, ...]
    """Those whose newest run failed, the most failures first."""
    biggest: tuple[TargetStats, ...]
