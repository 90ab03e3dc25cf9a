from __future__ import annotations

from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, RecordRefused
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, seen, uri_of


def test_several_calls_are_kept_together(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.record_tasks([a_task("a")])
        catalog.finish_run(a_run("a"))
    assert catalog.task(hash_of("a")).status == "fresh"


def record_and_break_off(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.record_tasks([a_task("a", ["b"])])
        catalog.finish_run(a_run("a", ["b"]))
        raise ZeroDivisionError


def test_after_an_error_nothing_is_kept_and_ids_are_forgotten(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError):
        record_and_break_off(catalog)
    assert catalog.tasks() == ()
    assert catalog.target_records([uri_of("a")]) == {}
    catalog.record_tasks([a_task("other")])
    catalog.record_tasks([a_task("a", ["b"])])
    catalog.finish_run(a_run("a", ["b"]))
    assert catalog.upstream(hash_of("a")).edges[0].upstream_hash == hash_of("b")


def test_a_call_that_fails_inside_a_transaction_fails_alone(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.record_tasks([a_task("a")])
        with pytest.raises(RecordRefused):
            catalog.record_tasks([a_task("b"), replace(a_task("c"), task_hash="no hash")])
        catalog.observe([seen("a")])
    assert [task.params["name"] for task in catalog.tasks()] == ["a"]


def test_transactions_nest(catalog: Catalog) -> None:
    with catalog.transaction(), catalog.transaction():
        catalog.record_tasks([a_task("c")])
        with pytest.raises(ZeroDivisionError):
            record_and_break_off(catalog)
        assert len(catalog.tasks()) == 1
    assert len(catalog.tasks()) == 1
