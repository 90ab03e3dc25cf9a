"""Reading: what is recorded becomes answers. Every function works in the snapshot that is open."""

from superluigi_catalog.reading.builds import build_number, builds, builds_by_id
from superluigi_catalog.reading.closure import lineage_of
from superluigi_catalog.reading.estimates import durations, dynamic_upstream, last_start_before
from superluigi_catalog.reading.history import history
from superluigi_catalog.reading.leases import leases
from superluigi_catalog.reading.node import sources_of
from superluigi_catalog.reading.runs import run_by_uuid, run_number, runs
from superluigi_catalog.reading.sides import diff, diff_before
from superluigi_catalog.reading.stats import stats
from superluigi_catalog.reading.target_records import target_records
from superluigi_catalog.reading.targets import makers, target, targets_of, who_read
from superluigi_catalog.reading.task_filter import TaskFilter
from superluigi_catalog.reading.tasks import tasks_by_id, tasks_matching
from superluigi_catalog.reading.then import lineage_then, task_then
from superluigi_catalog.reading.why import why_run, why_task

__all__ = [
    "TaskFilter",
    "build_number",
    "builds",
    "builds_by_id",
    "diff",
    "diff_before",
    "durations",
    "dynamic_upstream",
    "history",
    "last_start_before",
    "leases",
    "lineage_of",
    "lineage_then",
    "makers",
    "run_by_uuid",
    "run_number",
    "runs",
    "sources_of",
    "stats",
    "target",
    "target_records",
    "targets_of",
    "task_then",
    "tasks_by_id",
    "tasks_matching",
    "who_read",
    "why_run",
    "why_task",
]
