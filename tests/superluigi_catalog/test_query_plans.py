from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    a_build,
    a_run,
    a_task,
    at,
    fingerprint_of,
    hash_of,
    run_id_of,
    seen,
    sidecar_of,
    uri_of,
)

BIG_TABLES = "tasks|runs|edges|targets|contents|run_inputs|run_outputs|task_targets|task_params"
ALIASES = r"t|r|e|g|k|i|o|u|d|p|m|l|c|s|b"
FEW = "runs_(running|failed|adopted)|tasks_not_run|targets_(gone|unread)"
"""Indexes of few rows."""
NUMBERS = "contents_target|task_targets_target"
"""Read as a whole they are two numbers for each target."""
SCAN = re.compile(
    rf"SCAN ({BIG_TABLES}|{ALIASES})\b(?! VIRTUAL)(?! USING (COVERING )?INDEX ({FEW})\b)"
    rf"(?! USING COVERING INDEX ({NUMBERS})\b)"
)


@pytest.fixture(autouse=True)
def recorded(catalog: Catalog) -> None:
    names = [f"t{number}" for number in range(50)]
    catalog.record_tasks(
        a_task(name, names[i - 1 : i] if i else ()) for i, name in enumerate(names)
    )
    for i, name in enumerate(names):
        catalog.finish_run(
            a_run(name, names[i - 1 : i] if i else (), code=CODE, environment=ENVIRONMENT)
        )
    catalog.finish_run(a_run("t1", number=2, minute=2))
    for number in (1, 2, 3):
        catalog.start_build(a_build(number, roots=(hash_of(f"t{min(number, 2)}"),)))


def plans_of(catalog: Catalog, work: Callable[[], object]) -> list[str]:
    """What SQLite does for each statement of some work, as far as it reads."""
    statements: list[str] = []
    with catalog._connections.transaction() as session:
        session.connection.set_trace_callback(statements.append)
        work()
        session.connection.set_trace_callback(None)
        plans = []
        for statement in statements:
            if re.match(r"\s*(SELECT|WITH|INSERT|UPDATE|DELETE)\b", statement):
                steps = session.rows(f"EXPLAIN QUERY PLAN {statement}")
                plans += [
                    f"{step[3]}  <- {statement[:300]}"
                    for step in steps
                    if _is_its_own(step[3], statement)
                ]
    assert plans
    return plans


def _is_its_own(step: str, statement: str) -> bool:
    """Whether a step is not one that a foreign key would take, after a row was deleted that never is."""
    return not step.startswith("SCAN ") or f" {step.split()[1]}" in statement


LOOKUPS: dict[str, Callable[[Catalog], object]] = {
    "task by hash": lambda catalog: catalog.task(hash_of("t1")),
    "task by prefix": lambda catalog: catalog.task(hash_of("t1")[:6]),
    "task by path": lambda catalog: catalog.task(uri_of("t1")),
    "targets": lambda catalog: catalog.targets(hash_of("t1")),
    "one target": lambda catalog: catalog.targets(uri_of("t1")),
    "runs of a task": lambda catalog: catalog.runs(hash_of("t1")),
    "one run": lambda catalog: catalog.run(run_id_of("t1")),
    "upstream": lambda catalog: [each.status for each in catalog.upstream(hash_of("t40"))],
    "downstream": lambda catalog: [each.status for each in catalog.downstream(hash_of("t1"))],
    "whole upstream": lambda catalog: catalog.upstream(hash_of("t40")).whole(),
    "upstream, two steps": lambda catalog: catalog.upstream(hash_of("t40"), 2),
    "downstream, two steps": lambda catalog: catalog.downstream(hash_of("t1"), 2),
    "diff of runs": lambda catalog: catalog.diff(run_id_of("t3"), run_id_of("t4")),
    "diff of tasks": lambda catalog: catalog.diff(uri_of("t3"), hash_of("t4")),
    "diff with the run before": lambda catalog: catalog.diff(run_id_of("t1", 2)),
    "diff with the build before": lambda catalog: catalog.diff("build-3"),
    "diff of builds": lambda catalog: catalog.diff("build-1", "build-2"),
    "statistics": lambda catalog: catalog.stats(since="7d"),
    "all statistics": lambda catalog: catalog.stats(),
    "both ways": lambda catalog: catalog.lineage(hash_of("t20")),
    "upstream of that day": lambda catalog: catalog.as_of(at(9)).upstream(hash_of("t40")),
    "downstream of that day": lambda catalog: catalog.as_of(at(9)).downstream(uri_of("t1")),
    "history of that day": lambda catalog: catalog.as_of(at(9)).history(uri_of("t1")),
    "who made a path": lambda catalog: catalog.makers(uri_of("t1")),
    "who made a digest": lambda catalog: catalog.makers(fingerprint_of("t11")),
    "who read": lambda catalog: catalog.who_read(uri_of("t1")),
    "history": lambda catalog: catalog.history(uri_of("t1")),
    "target records": lambda catalog: catalog.target_records(
        [uri_of("t1"), uri_of("t2")], with_code_parts=True
    ),
    "durations": lambda catalog: catalog.durations({hash_of("t1"): "Step"}),
    "dynamic upstream": lambda catalog: catalog.dynamic_upstream([hash_of("t1")]),
    "tasks by parameter": lambda catalog: catalog.tasks(params={"name": "t1"}),
    "tasks by words": lambda catalog: catalog.tasks(search="t1"),
    "tasks that run": lambda catalog: catalog.tasks(status="running"),
    "tasks that failed": lambda catalog: catalog.tasks(status="failed"),
    "tasks that are missing": lambda catalog: catalog.tasks(status="missing"),
    "tasks that are stale": lambda catalog: catalog.tasks(status="stale"),
    "tasks of unknown state": lambda catalog: catalog.tasks(status="unknown"),
    "tasks that need a look": lambda catalog: catalog.tasks(status=["failed", "stale", "missing"]),
    "tasks by a range of numbers": lambda catalog: catalog.tasks(params={"name": (1, 2)}),
    "tasks by a range of dates": lambda catalog: catalog.tasks(params={"name": ("2026", None)}),
    "tasks since": lambda catalog: catalog.tasks(since="7d"),
    "runs that failed": lambda catalog: catalog.runs(status="failed"),
    "runs since": lambda catalog: catalog.runs(since="7d"),
    "runs of a page": lambda catalog: catalog.runs(after=run_id_of("t1"), limit=5),
    "runs of a task that failed": lambda catalog: catalog.runs(hash_of("t1"), status="failed"),
    "builds": lambda catalog: catalog.builds(since="7d"),
}

RECORDINGS: dict[str, Callable[[Catalog], object]] = {
    "known tasks": lambda catalog: catalog.record_tasks([a_task("t1", ["t0"])]),
    "new tasks": lambda catalog: catalog.record_tasks([a_task("new", ["t0"])]),
    "start": lambda catalog: catalog.start_run(
        "r", hash_of("t1"), build_id=None, reason={}, reasons=(), started_at=at(1), owner=""
    ),
    "finish": lambda catalog: catalog.finish_run(a_run("t1", ["t0"], number=2)),
    "finish again": lambda catalog: catalog.finish_run(a_run("t1", ["t0"])),
    "observe": lambda catalog: catalog.observe([seen("t1"), seen("t2", "2")]),
    "interrupted": lambda catalog: catalog.mark_interrupted(lambda owner: False),
    "many runs": lambda catalog: catalog.record_runs(
        [a_run("t1", ["t0"], number=7), a_run("t2", ["t1"], number=7)]
    ),
    "sidecar": lambda catalog: catalog.index_sidecar(
        sidecar_of(a_task("t1", ["t0"]), a_run("t1", ["t0"], number=3)),
        uri=uri_of("t1"),
        kind="F",
        token="x",
    ),
}


@pytest.mark.parametrize("name", LOOKUPS)
def test_no_lookup_reads_a_whole_table(catalog: Catalog, name: str) -> None:
    plans = plans_of(catalog, lambda: LOOKUPS[name](catalog))
    assert [plan for plan in plans if SCAN.match(plan)] == []


def test_no_question_carries_a_depth_through_a_recursion(catalog: Catalog) -> None:
    statements: list[str] = []
    with catalog._connections.transaction() as session:
        session.connection.set_trace_callback(statements.append)
        for ask in LOOKUPS.values():
            ask(catalog)
        session.connection.set_trace_callback(None)
    recursive = [re.sub(r"\s+", " ", each) for each in statements if "RECURSIVE" in each]
    assert recursive
    for statement in recursive:
        assert re.search(r"WITH RECURSIVE \w+\(id\) AS", statement)


@pytest.mark.parametrize("name", RECORDINGS)
def test_no_recording_reads_a_whole_table(catalog: Catalog, name: str) -> None:
    plans = plans_of(catalog, lambda: RECORDINGS[name](catalog))
    assert [plan for plan in plans if SCAN.match(plan)] == []


def test_the_newest_runs_are_read_from_an_index(catalog: Catalog) -> None:
    plans = plans_of(catalog, lambda: catalog.runs(limit=5))
    assert any("runs_started" in plan for plan in plans)


def test_the_check_above_would_find_a_scan(catalog: Catalog) -> None:
    with catalog._connections.transaction() as session:
        (step,) = session.rows("EXPLAIN QUERY PLAN SELECT * FROM runs r WHERE r.log = 'x'")
    assert SCAN.match(step[3])
