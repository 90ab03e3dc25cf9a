from __future__ import annotations

import random
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from superluigi_catalog import Catalog, RecordRefused
from superluigi_catalog.storage import ids
from tests.superluigi_catalog.entries import (
    a_build,
    a_run,
    a_task,
    an_input,
    hash_of,
    run_id_of,
    uri_of,
)
from tests.superluigi_catalog.test_properties import (
    History,
    histories,
    opened,
    quick,
    without_times,
)


def answers(catalog: Catalog, history: History) -> list[object]:
    """All that can be asked of a history."""
    hashes = [task.task_hash for task in history.tasks]
    uris = [uri for task in history.tasks for _, uri, _ in task.outputs]
    return [
        catalog.tasks(),
        catalog.runs(limit=None),
        without_times(catalog.target_records(uris, with_code_parts=True)),
        [catalog.lineage(task_hash).edges for task_hash in hashes],
        catalog.durations({task_hash: "Step" for task_hash in hashes}),
        catalog.dynamic_upstream(hashes),
    ]


@quick
@given(histories())
def test_many_at_once_are_recorded_as_one_by_one(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as single, opened(new_catalog) as bulk:
        for catalog in (single, bulk):
            catalog.record_tasks(history.tasks)
        for run in history.runs:
            single.finish_run(run)
        middle = random.Random(len(history.runs)).randint(0, len(history.runs))
        bulk.record_runs(history.runs[:middle])
        bulk.record_runs(iter(history.runs[middle:]))
        assert answers(bulk, history) == answers(single, history)
        bulk.record_runs(history.runs)
        assert answers(bulk, history)[1] == answers(single, history)[1]


def test_a_session_that_forgets_ids_records_the_same(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ids, "MAX_REMEMBERED", 3)
    names = [f"t{number}" for number in range(20)]
    catalog.record_tasks(a_task(name, names[max(0, i - 3) : i]) for i, name in enumerate(names))
    catalog.record_runs(
        a_run(name, names[max(0, i - 3) : i], minute=i) for i, name in enumerate(names)
    )
    assert len(catalog.runs()) == 20
    lineage = catalog.upstream(hash_of("t19"))
    assert len(lineage) == 19
    assert all(edge.fingerprint is not None for edge in lineage.edges)
    assert {task.status for task in lineage} == {"fresh"}


def test_runs_that_others_only_mentioned_are_completed(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])
    catalog.start_build(a_build(1))
    catalog.record_runs([a_run("b", ["a"], minute=2, build_id="build-1")])
    assert [run.task_hash for run in catalog.runs()] == [hash_of("b")]
    catalog.record_runs([a_run("a", minute=1)])
    assert [run.task_hash for run in catalog.runs()] == [hash_of("b"), hash_of("a")]
    edge = catalog.upstream(uri_of("b")).edges[0]
    assert (edge.kind, edge.run_id) == ("required", run_id_of("a"))


def test_a_run_recorded_twice_is_there_once(catalog: Catalog) -> None:
    entry = a_run("a")
    catalog.record_runs([entry, replace(entry, duration_s=5.0)])
    catalog.record_runs([entry])
    assert [run.duration_s for run in catalog.runs()] == [30.0]


def test_what_breaks_the_rules_is_refused_as_a_whole(catalog: Catalog) -> None:
    with pytest.raises(RecordRefused):
        catalog.record_runs([a_run("a"), replace(a_run("b"), task_hash="no hash")])
    with pytest.raises(RecordRefused):
        catalog.record_runs([a_run("a"), a_run("b", status="done")])
    assert catalog.runs() == ()
    assert catalog.tasks() == ()


def test_lineage_is_settled_for_many_at_once(catalog: Catalog) -> None:
    shared = [("", "fixed.csv", "LocalFileTarget")]
    catalog.record_tasks(
        [
            a_task("required", outputs=shared),
            a_task("maker", outputs=shared),
            a_task("b", {"x": "required"}),
        ]
    )
    catalog.record_runs([a_run("b", [replace(an_input("maker", place="x"), uri="fixed.csv")])])
    assert [edge.kind for edge in catalog.upstream(hash_of("b")).edges] == ["consumed"]
