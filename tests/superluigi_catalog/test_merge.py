"""Catalogs as files: copies of one, and others taken into one."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from superluigi_catalog import (
    Catalog,
    CatalogError,
    CatalogMissing,
    CatalogReadOnly,
    CatalogTooNew,
    NotACatalog,
    RecordRefused,
)
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    OWNER,
    a_build,
    a_run,
    a_task,
    an_input,
    an_output,
    at,
    fingerprint_of,
    hash_of,
    record_chain,
    run_id_of,
    seen,
    sidecar_of,
    uri_of,
)
from tests.superluigi_catalog.test_index_sidecar import TABLES
from tests.superluigi_catalog.test_properties import History, contents, histories, opened, quick
from tests.superluigi_catalog.test_properties import record as record_history


@pytest.fixture
def other(tmp_path: Path, new_catalog: Path) -> Catalog:
    """Another machine's."""
    path = tmp_path / "other.db"
    path.write_bytes(new_catalog.read_bytes())
    return Catalog(path)


def answers(catalog: Catalog, history: History) -> list[object]:
    """What it says of each task; not the statuses, which depend on what was seen at local places."""
    told: list[object] = []
    for task in history.tasks:
        found = catalog.task(task.task_hash)
        upstream = catalog.upstream(task.task_hash)
        told += [
            (found.family, found.params, found.is_stub, found.current_run_id, found.last_run_id),
            sorted(map(repr, upstream.edges)),
            sorted(each.task_hash for each in catalog.downstream(task.task_hash)),
            sorted(map(repr, catalog.runs(task.task_hash, limit=None))),
            [each.uri for each in catalog.targets(task.task_hash)],
        ]
    for run in history.runs:
        told.append(catalog.run(run.run_id))
        told += [
            sorted(each.run_id for each in catalog.makers(out.fingerprint)) for out in run.outputs
        ]
    return told


@quick
@given(histories())
def test_an_empty_catalog_answers_as_the_one_that_was_merged_into_it(
    new_catalog: Path, history: History
) -> None:
    with opened(new_catalog) as old, opened(new_catalog) as new:
        record_history(old, history)
        new.merge(old.path)
        assert answers(new, history) == answers(old, history)


@quick
@given(histories(), histories())
def test_merging_twice_is_merging_once(new_catalog: Path, mine: History, theirs: History) -> None:
    with opened(new_catalog) as one, opened(new_catalog) as two:
        record_history(one, mine)
        record_history(two, theirs)
        one.merge(two.path)
        once = contents(one)
        again = one.merge(two.path)
        assert (again.tasks, again.runs, again.targets) == (0, 0, 0)
        assert contents(one) == once
        with one._connections.snapshot() as session:
            assert session.rows("PRAGMA foreign_key_check") == []
            assert session.rows("PRAGMA integrity_check") == [("ok",)]
            left = {name for (name,) in session.rows("SELECT name FROM temp.sqlite_master")}
            assert left <= {"staged_tasks"}  # of recording tasks


@quick
@given(histories())
def test_merging_a_copy_of_itself_changes_nothing(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as catalog:
        record_history(catalog, history)
        before = contents(catalog)
        copy = catalog.export(catalog.path.with_name("copy.db"))
        assert catalog.merge(copy).runs == 0
        assert contents(catalog) == before


def test_runs_and_builds_of_both_are_known_afterwards(catalog: Catalog, other: Catalog) -> None:
    record_chain(catalog, "a", "b")
    other.record_tasks([a_task("a"), a_task("c", ["a"], family="Theirs", params={"day": "x"})])
    other.start_build(a_build(7))
    other.finish_run(
        a_run("c", ["a"], build_id="build-7", code=CODE, environment=ENVIRONMENT, metadata={"n": 1})
    )
    other.finish_run(
        a_run("c", number=2, status="failed", error="no luck", traceback="T", minute=9)
    )
    other.end_build("build-7", status="failed", ended_at=at(9), counts={"failed": 1})
    done = catalog.merge(other.path)
    assert (done.tasks, done.runs, done.builds, done.targets) == (1, 2, 1, 1)
    task = catalog.task(hash_of("c"))
    assert (task.family, dict(task.params), task.last_status) == ("Theirs", {"day": "x"}, "failed")
    assert [each.task_hash for each in catalog.tasks(search="theirs")] == [hash_of("c")]
    assert catalog.tasks(params={"day": "x"}) == (task,)
    run = catalog.run(run_id_of("c"))
    assert (run.metadata, run.environment, run.build_id) == ({"n": 1}, ENVIRONMENT, "build-7")
    assert run.code["parts"][0]["name"] == "flows.Train.run"
    assert catalog.run(run_id_of("c", 2)).traceback == "T"
    assert catalog.build("build-7").counts == {"failed": 1}
    assert {each.task_hash for each in catalog.downstream(hash_of("a"))} == {
        hash_of("b"),
        hash_of("c"),
    }


def test_what_stands_here_is_not_for_others_to_say(catalog: Catalog, other: Catalog) -> None:
    for each, number in ((catalog, 1), (other, 2)):
        each.record_tasks([a_task("a"), a_task("b", ["a"])])
        each.finish_run(a_run("a", number=number, content=str(number), minute=number))
    other.finish_run(a_run("b", [an_input("a", "2", number=2)], number=2, minute=3))
    before = catalog.target_records([uri_of("a")])
    catalog.merge(other.path)
    assert catalog.target_records([uri_of("a")]) == before
    assert catalog.task(hash_of("a")).current_run_id == run_id_of("a")
    assert [run.run_id for run in catalog.runs(hash_of("a"))] == [run_id_of("a", 2), run_id_of("a")]
    # Where nothing is known here, theirs is better than nothing; but nobody has looked.
    record = catalog.target_records([uri_of("b")])[uri_of("b")]
    assert (record.state, record.token) == ("unknown", None)
    assert record.run is not None
    assert record.run.run_id == run_id_of("b", 2)


@pytest.mark.parametrize("is_newer", [True, False])
def test_of_what_all_share_the_newest_counts(
    catalog: Catalog, other: Catalog, is_newer: bool
) -> None:
    uri, kind = "s3://lake/a", "S3ObjectTarget"
    for each, number in ((catalog, 1), (other, 2)):
        each.record_tasks([a_task("a", outputs=[("", uri, kind)])])
        minute = number if is_newer else -number + 5
        output = replace(
            an_output("a", str(number), observed_ns=100 + int(minute)), uri=uri, kind=kind
        )
        each.finish_run(a_run("a", number=number, outputs=[output], minute=minute))
    catalog.merge(other.path)
    record = catalog.target_records([uri])[uri]
    expected = "2" if is_newer else "1"
    assert record.fingerprint == fingerprint_of(f"a{expected}")
    assert record.run is not None
    assert record.run.run_id == run_id_of("a", int(expected))
    assert catalog.task(hash_of("a")).current_run_id == run_id_of("a", int(expected))


def test_what_still_runs_there_is_not_known_to_run_here(catalog: Catalog, other: Catalog) -> None:
    other.start_build(a_build(1))
    other.record_tasks([a_task("a")])
    other.start_run(
        run_id_of("a"),
        hash_of("a"),
        build_id="build-1",
        reason={},
        reasons=(),
        started_at=at(1),
        owner=OWNER,
    )
    catalog.merge(other.path)
    assert (catalog.runs(), catalog.builds()) == ((), ())
    assert catalog.task(hash_of("a")).status == "unknown"
    other.finish_run(a_run("a"))
    other.end_build("build-1", status="succeeded", ended_at=at(2), counts={})
    done = catalog.merge(other.path)
    assert (done.runs, done.builds) == (1, 1)
    assert catalog.task(hash_of("a")).current_run_id == run_id_of("a")


def test_what_was_known_from_a_sidecar_is_filled_in(catalog: Catalog, other: Catalog) -> None:
    task, run = a_task("a"), a_run("a", log="the.log", reasons=({"kind": "a"}, {"kind": "b"}))
    other.record_tasks([task])
    other.finish_run(run)
    catalog.index_sidecar(
        sidecar_of(task, run), uri=uri_of("a"), kind="LocalFileTarget", token="stat:1"
    )
    assert catalog.run(run.run_id).origin == "sidecar"
    catalog.merge(other.path)
    assert catalog.run(run.run_id) == other.run(run.run_id)
    assert catalog.target_records([uri_of("a")])[uri_of("a")].token == "stat:1"


def test_an_export_is_a_catalog_with_everything_in_it(catalog: Catalog, tmp_path: Path) -> None:
    record_chain(catalog, "a", "b", "c")
    catalog.observe([seen("a", "other")])
    made = catalog.export(tmp_path / "copy.db")
    with Catalog(made, read_only=True) as copy:
        assert copy.tasks() == catalog.tasks()
        assert copy.runs() == catalog.runs()
        assert contents(copy) == contents(catalog)
    with pytest.raises(CatalogError, match="exists already"):
        catalog.export(made)
    assert catalog.export(made, replace=True) == made
    assert sorted(path.name for path in tmp_path.iterdir() if "copy" in path.name) == ["copy.db"]
    with Catalog(catalog.path, read_only=True) as reader:
        reader.export(tmp_path / "again.db")
    with pytest.raises(CatalogError, match="the catalog itself"):
        catalog.export(catalog.path, replace=True)
    with pytest.raises(CatalogError, match="does not exist"):
        catalog.export(tmp_path / "nowhere" / "x.db")


def test_what_is_no_catalog_is_refused_and_changes_nothing(
    catalog: Catalog, other: Catalog, tmp_path: Path
) -> None:
    record_chain(catalog, "a")
    before = {name: contents(catalog)[name] for name in TABLES}
    (tmp_path / "garbage.db").write_bytes(b"garbage" * 1000)
    with sqlite3.connect(tmp_path / "theirs.db") as connection:
        connection.execute("CREATE TABLE tasks(id)")
    connection.close()
    with pytest.raises(NotACatalog):
        catalog.merge(tmp_path / "garbage.db")
    with pytest.raises(NotACatalog):
        catalog.merge(tmp_path / "theirs.db")
    with pytest.raises(CatalogMissing):
        catalog.merge(tmp_path / "nowhere.db")
    with pytest.raises(CatalogError, match="the catalog itself"):
        catalog.merge(catalog.path)
    with pytest.raises(CatalogReadOnly), Catalog(catalog.path, read_only=True) as reader:
        reader.merge(other.path)
    with pytest.raises(CatalogError, match="inside a transaction"), catalog.transaction():
        catalog.merge(other.path)
    with other._connections.transaction() as session:
        session.execute("PRAGMA user_version = 99")
    other.close()
    with pytest.raises(CatalogTooNew):
        catalog.merge(other.path)
    assert {name: contents(catalog)[name] for name in TABLES} == before


def test_a_catalog_that_breaks_the_rules_is_refused_whole(catalog: Catalog, other: Catalog) -> None:
    record_chain(other, "a", "b")
    other.close()
    with sqlite3.connect(other.path) as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE tasks SET params = '{' WHERE id = 2")
    connection.close()
    with pytest.raises(RecordRefused):
        catalog.merge(other.path)
    assert catalog.tasks() == ()
    record_chain(catalog, "a")  # and it works on


def accepted_on_both(catalog: Catalog, other: Catalog) -> list[str]:
    """Two acceptances of `b`, one after the other, which both catalogs know."""
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("b", ["a"]))
    runs = [run_id_of("b")]
    for number in ("2", "3"):
        catalog.observe([seen("a", number)])
        runs.append(catalog.accept(hash_of("b"), reason="it is right").run_id)
    other.merge(catalog.path)
    assert other.task(hash_of("b")).current_run_id == runs[-1]
    return runs


def test_what_was_taken_back_there_is_taken_back_here(catalog: Catalog, other: Catalog) -> None:
    runs = accepted_on_both(catalog, other)
    other.withdraw(hash_of("b"))
    other.withdraw(hash_of("b"))
    catalog.merge(other.path)
    assert [catalog.run(run).status for run in runs] == ["succeeded", "withdrawn", "withdrawn"]
    task = catalog.task(hash_of("b"))
    assert (task.current_run_id, task.status) == (runs[0], "stale")
    record = catalog.target_records([uri_of("b")])[uri_of("b")]
    assert record.run is not None
    assert record.run.run_id == runs[0]
    before = contents(catalog)
    catalog.merge(other.path)
    assert contents(catalog) == before


def test_what_was_taken_back_here_stays_so(catalog: Catalog, other: Catalog) -> None:
    runs = accepted_on_both(catalog, other)
    catalog.withdraw(hash_of("b"))
    catalog.merge(other.path)
    assert [catalog.run(run).status for run in runs] == ["succeeded", "accepted", "withdrawn"]
    assert catalog.task(hash_of("b")).current_run_id == runs[1]


def test_what_was_taken_back_here_stays_so_for_what_all_machines_share(
    catalog: Catalog, other: Catalog
) -> None:
    uri = "s3://lake/b.csv"
    catalog.record_tasks([a_task("b", outputs=[("", uri, "S3ObjectTarget")])])
    output = replace(an_output("b"), uri=uri, kind="S3ObjectTarget")
    catalog.finish_run(replace(a_run("b"), outputs=(output,)))
    accepted = catalog.accept(hash_of("b"), reason="it is right").run_id
    other.merge(catalog.path)
    catalog.withdraw(hash_of("b"))
    catalog.merge(other.path)
    assert catalog.run(accepted).status == "withdrawn"
    assert catalog.task(hash_of("b")).current_run_id == run_id_of("b")
    record = catalog.target_records([uri])[uri]
    assert record.run is not None
    assert record.run.run_id == run_id_of("b")
