from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given

from superluigi_catalog import Catalog, Lineage, TaskNotFound
from tests.superluigi_catalog.entries import (
    KIND,
    a_run,
    a_task,
    an_input,
    an_output,
    at,
    fingerprint_of,
    hash_of,
    run_id_of,
    seen,
)
from tests.superluigi_catalog.test_properties import History, histories, opened, quick, record


def edges(lineage: Lineage) -> list[tuple[str, str, str | None]]:
    return [(edge.place, edge.kind, edge.fingerprint) for edge in lineage.edges]


def names(lineage: Lineage) -> list[str]:
    return [task.params.get("name", "?") for task in lineage]


@pytest.fixture
def reread(catalog: Catalog) -> Catalog:
    """`b` read the first version of `a` at 2, and the second, made at 3, at 4."""
    catalog.record_tasks([a_task("a"), a_task("b", {"in": "a"}), a_task("c", ["b"])])
    catalog.finish_run(a_run("a", minute=1))
    catalog.finish_run(a_run("b", [an_input("a", place="in")], minute=2))
    catalog.finish_run(a_run("a", number=2, minute=3, content="2"))
    catalog.finish_run(
        a_run("b", [an_input("a", "2", "in", number=2)], number=2, minute=4, content="2")
    )
    return catalog


def test_lineage_is_that_of_the_run_that_stood_then(reread: Catalog) -> None:
    then = reread.as_of(at(3)).upstream("data/b.csv")
    now = reread.upstream("data/b.csv")
    assert edges(then) == [("in", "required", fingerprint_of("a1"))]
    assert then.edges[0].run_id == run_id_of("a", 1)
    assert then.root.current_run_id == run_id_of("b", 1)
    assert edges(now) == [("in", "required", fingerprint_of("a2"))]
    assert reread.as_of("2026-01-06").upstream("data/b.csv").edges == now.edges


def test_a_task_that_read_an_older_version_says_so_then_and_now(reread: Catalog) -> None:
    older = an_input("a", "1", "in", number=1)
    reread.finish_run(a_run("b", [older], number=3, minute=5, content="3"))
    assert edges(reread.upstream("data/b.csv")) == [("in", "required", fingerprint_of("a1"))]
    assert reread.upstream("data/b.csv").edges[0].run_id == run_id_of("a", 1)
    assert edges(reread.as_of(at(5)).upstream("data/b.csv")) == [
        ("in", "required", fingerprint_of("a2"))
    ]
    assert reread.status("data/b.csv") == "stale"


def test_statuses_are_those_of_that_day(reread: Catalog) -> None:
    assert reread.as_of(at(2.6)).task("data/b.csv").status == "fresh"
    assert reread.as_of(at(3.6)).task("data/b.csv").status == "stale"
    assert reread.as_of(at(4.6)).task("data/b.csv").status == "fresh"
    reread.finish_run(a_run("b", number=3, minute=5, status="failed"))
    task = reread.as_of(at(6)).task("data/b.csv")
    assert (task.status, task.last_status, task.last_run_id) == (
        "fresh",
        "failed",
        run_id_of("b", 3),
    )


def test_before_its_first_result_a_task_is_not_found(reread: Catalog) -> None:
    with pytest.raises(
        TaskNotFound, match=rf"No result of {hash_of('b')[:8]} stood on .* first one"
    ):
        reread.as_of(at(2)).upstream(hash_of("b"))
    with pytest.raises(TaskNotFound, match="Did you mean"):
        reread.as_of(at(2)).upstream("data/aa.csv")
    with pytest.raises(ValueError, match="is no moment"):
        reread.as_of("then")
    assert names(reread.as_of(at(9)).upstream(hash_of("c"))) == ["b", "a"]


def test_a_path_means_whose_content_stood_there(catalog: Catalog) -> None:
    shared = [("", "data/fixed.csv", KIND)]
    catalog.record_tasks([a_task("old", ["x"], outputs=shared), a_task("new", outputs=shared)])
    for minute, name in enumerate(("x", "old", "new"), 1):
        made = [] if name == "x" else [replace(an_output(name), uri="data/fixed.csv")]
        catalog.finish_run(a_run(name, ["x"] if name == "old" else [], outputs=made, minute=minute))
    assert catalog.as_of(at(2.5)).task("data/fixed.csv").task_hash == hash_of("old")
    assert names(catalog.as_of(at(2.5)).upstream("data/fixed.csv")) == ["?"]
    assert catalog.as_of(at(9)).task("data/fixed.csv").task_hash == hash_of("new")
    maker = catalog.as_of(at(2.5)).who_made("data/fixed.csv")
    assert maker is not None
    assert maker.task_hash == hash_of("old")
    assert catalog.as_of(at(1)).who_made("data/fixed.csv") is None


def test_downstream_is_what_had_been_made_by_then(reread: Catalog) -> None:
    reread.finish_run(a_run("c", [an_input("b", number=2, content="2")], minute=5))
    assert names(reread.as_of(at(9)).downstream("data/a.csv")) == ["b", "c"]
    assert names(reread.as_of(at(9)).downstream("data/a.csv", 1)) == ["b"]
    assert names(reread.as_of(at(9)).lineage("data/b.csv")) == ["a", "c"]
    with pytest.raises(ValueError, match="0 or more"):
        reread.as_of(at(9)).downstream("data/a.csv", -1)


def test_what_was_yielded_then_is_still_known(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("y"), a_task("z"), a_task("b")])
    for minute, name in enumerate("yz", 1):
        catalog.finish_run(a_run(name, minute=minute))
        catalog.finish_run(
            a_run(
                "b",
                [an_input(name, place="yielded.0")],
                number=minute,
                minute=minute + 0.5,
                dynamic_upstream=(("yielded.0", hash_of(name)),),
            )
        )
    assert names(catalog.as_of(at(2)).upstream(hash_of("b"))) == ["y"]
    assert edges(catalog.as_of(at(2)).upstream(hash_of("b")))[0][1] == "yielded"
    assert names(catalog.as_of(at(9)).upstream(hash_of("b"))) == ["z"]


def test_what_was_accepted_counts_from_then_on(reread: Catalog) -> None:
    reread.finish_run(a_run("a", number=3, minute=6, content="3"))
    accepted = [an_input("a", "3", "in", number=3)]
    reread.finish_run(a_run("b", accepted, number=9, minute=7, content="2", status="accepted"))
    assert reread.as_of(at(6.9)).task("data/b.csv").status == "stale"
    assert reread.as_of(at(9)).task("data/b.csv").status == "fresh"
    assert edges(reread.as_of(at(9)).upstream("data/b.csv")) == edges(reread.upstream("data/b.csv"))
    maker = reread.who_made("data/b.csv")
    assert maker is not None
    assert maker.run_id == run_id_of("b", 2)


def test_the_history_ends_then(reread: Catalog) -> None:
    reread.observe([seen("a", "edited")])
    (only,) = reread.as_of(at(2.2)).history("data/a.csv")
    assert only.fingerprint == fingerprint_of("a1")
    assert (only.is_seen, only.is_current) == (True, True)
    assert [each.task_hash for each in only.read_by] == [hash_of("b")]
    assert len(reread.history("data/a.csv")) == 3


@quick
@given(histories())
def test_as_of_the_last_run_everything_is_as_it_is_now(new_catalog: Path, history: History) -> None:
    with opened(new_catalog) as catalog:
        record(catalog, history)
        now = catalog.as_of("2027-01-01")
        for task in history.tasks:
            for depth in (None, 1):
                for name in ("upstream", "downstream", "lineage"):
                    told = getattr(now, name)(task.task_hash, depth)
                    expected = getattr(catalog, name)(task.task_hash, depth)
                    assert told.edges == expected.edges
                    assert told.depths == expected.depths
                    assert [t.current_run_id for t in told] == [t.current_run_id for t in expected]
