from __future__ import annotations

from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, RecordRefused
from tests.superluigi_catalog.entries import KIND, a_run, a_task, hash_of, uri_of


def counted(catalog: Catalog, table: str) -> int:
    with catalog._connections.snapshot() as session:
        return int(session.rows(" ".join(("SELECT count(*) FROM", table)))[0][0])


def test_a_task_reads_back_as_it_was_declared(catalog: Catalog) -> None:
    entry = a_task(
        "a",
        family="Train",
        params={"date": "2026-01-05", "é": "漢"},
        insignificant_params={"verbose": "1"},
        luigi_task_id="Train_2026",
        is_external=True,
    )
    catalog.record_tasks([entry])
    task = catalog.task(entry.task_hash)
    assert (task.family, task.module, dict(task.params)) == ("Train", "flows.steps", entry.params)
    assert task.insignificant_params == {"verbose": "1"}
    assert (task.luigi_task_id, task.is_external, task.is_stub) == ("Train_2026", True, False)
    assert [target.uri for target in catalog.targets(entry.task_hash)] == [uri_of("a")]


def test_what_is_only_named_as_upstream_is_a_stub_until_it_is_declared(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a", ["up"])])
    stub = catalog.task(hash_of("up"))
    assert (stub.is_stub, stub.family, stub.status) == (True, "", "unknown")
    assert len(catalog.tasks()) == 1
    catalog.record_tasks([a_task("up")])
    assert not catalog.task(hash_of("up")).is_stub
    assert len(catalog.tasks()) == 2


def test_recorded_twice_it_is_there_once(catalog: Catalog) -> None:
    entries = [a_task("a", {"x": "b", "y": "b"}), a_task("b")]
    catalog.record_tasks(entries)
    before = {
        name: counted(catalog, name) for name in ("tasks", "edges", "task_targets", "task_params")
    }
    catalog.record_tasks(reversed(entries))
    catalog.record_tasks([*entries, *entries])
    assert before == {name: counted(catalog, name) for name in before}
    assert before["edges"] == 2


def test_a_new_declaration_replaces_the_outputs(catalog: Catalog) -> None:
    entry = a_task("a", outputs=[("x", "old.csv", KIND), ("y", "same.csv", KIND)])
    catalog.record_tasks([entry])
    catalog.record_tasks(
        [replace(entry, outputs=(("y", "same.csv", KIND), ("z", "new.csv", KIND)))]
    )
    assert [(each.place, each.uri) for each in catalog.targets(entry.task_hash)] == [
        ("y", "same.csv"),
        ("z", "new.csv"),
    ]


def test_a_task_that_moved_to_another_module_is_found_there(catalog: Catalog) -> None:
    entry = a_task("a")
    catalog.record_tasks([entry])
    catalog.record_tasks([replace(entry, module="moved")])
    assert catalog.task(entry.task_hash).module == "moved"


def test_a_new_declaration_keeps_the_runs(catalog: Catalog) -> None:
    entry = a_task("a")
    catalog.record_tasks([entry])
    catalog.finish_run(a_run("a"))
    catalog.record_tasks([replace(entry, luigi_task_id="other")])
    assert catalog.task(entry.task_hash).status == "fresh"
    assert len(catalog.runs(entry.task_hash)) == 1


@pytest.mark.parametrize(
    "bad", ["", "abc", "A" * 32, "g" * 32, "0" * 33, "0" * 31 + "\n", "\udc80" * 32]
)
def test_what_is_no_hash_is_refused_and_nothing_is_kept(catalog: Catalog, bad: str) -> None:
    with pytest.raises(RecordRefused, match="no task hash") as caught:
        catalog.record_tasks([a_task("good"), replace(a_task("a"), task_hash=bad)])
    assert isinstance(caught.value, ValueError)
    with pytest.raises(RecordRefused):
        catalog.record_tasks([replace(a_task("a"), upstream=(("", bad),))])
    assert catalog.tasks() == ()


def test_nothing_at_all_can_be_recorded(catalog: Catalog) -> None:
    catalog.record_tasks([])
    catalog.observe([])


def test_tasks_known_already_cost_one_statement_for_thousands(catalog: Catalog) -> None:
    entries = [a_task(f"t{number}", [f"t{number - 1}"]) for number in range(3000)]
    catalog.record_tasks(entries)
    with catalog._connections.transaction() as session:
        statements: list[str] = []
        session.connection.set_trace_callback(statements.append)
        catalog.record_tasks(entries)
        session.connection.set_trace_callback(None)
    assert len([each for each in statements if "POINT" not in each and "RELEASE" not in each]) == 1
