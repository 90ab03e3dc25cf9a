"""Reading: what is recorded becomes answers. Every function works in the snapshot that is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.lazy import lazily

if TYPE_CHECKING:
    from superluigi_catalog.reading.builds import build_number, builds_by_id, builds_matching
    from superluigi_catalog.reading.closure import closure_rows, lineage_of
    from superluigi_catalog.reading.estimates import durations, dynamic_upstream, last_start_before
    from superluigi_catalog.reading.history import history_of
    from superluigi_catalog.reading.leases import leases_of
    from superluigi_catalog.reading.node import sources_of
    from superluigi_catalog.reading.runs import run_by_uuid, run_number, runs_matching
    from superluigi_catalog.reading.sides import diff_before, diff_between
    from superluigi_catalog.reading.stats import stats_since
    from superluigi_catalog.reading.target_records import target_records_of
    from superluigi_catalog.reading.targets import makers, target, targets_of, who_read
    from superluigi_catalog.reading.task_filter import TaskFilter
    from superluigi_catalog.reading.tasks import family_names, tasks_by_id, tasks_matching
    from superluigi_catalog.reading.then import lineage_then, task_then
    from superluigi_catalog.reading.why import why_run, why_task

__all__ = [
    "TaskFilter",
    "build_number",
    "builds_by_id",
    "builds_matching",
    "closure_rows",
    "diff_before",
    "diff_between",
    "durations",
    "dynamic_upstream",
    "family_names",
    "history_of",
    "last_start_before",
    "leases_of",
    "lineage_of",
    "lineage_then",
    "makers",
    "run_by_uuid",
    "run_number",
    "runs_matching",
    "sources_of",
    "stats_since",
    "target",
    "target_records_of",
    "targets_of",
    "task_then",
    "tasks_by_id",
    "tasks_matching",
    "who_read",
    "why_run",
    "why_task",
]

__getattr__ = lazily(
    __name__,
    {
        ".builds": "build_number builds_matching builds_by_id",
        ".closure": "closure_rows lineage_of",
        ".estimates": "durations dynamic_upstream last_start_before",
        ".history": "history_of",
        ".leases": "leases_of",
        ".node": "sources_of",
        ".runs": "run_by_uuid run_number runs_matching",
        ".sides": "diff_between diff_before",
        ".stats": "stats_since",
        ".target_records": "target_records_of",
        ".targets": "makers target targets_of who_read",
        ".task_filter": "TaskFilter",
        ".tasks": "family_names tasks_by_id tasks_matching",
        ".then": "lineage_then task_then",
        ".why": "why_run why_task",
    },
)
