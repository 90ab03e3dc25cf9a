from __future__ import annotations

import threading

import pytest

from superluigi_catalog import Catalog, CatalogInterrupted
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, record_chain, seen


def names(catalog: Catalog, **wanted: object) -> list[str]:
    listing = catalog.listing(**wanted)  # type: ignore[arg-type]
    while listing.fetch(2):
        pass
    return [task.params["name"] for task in listing.page(0, 100)]


def test_a_listing_grows_piece_by_piece_the_newest_first(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c", "d", "e")
    listing = catalog.listing()
    assert (len(listing), listing.is_complete) == (0, False)
    assert listing.fetch(3)
    assert len(listing) == 3
    assert not listing.fetch(3)
    assert listing.is_complete
    assert [task.params["name"] for task in listing.page(1, 3)] == ["d", "c", "b"]
    assert listing.page(99, 5) == ()


def test_a_listing_has_no_tasks_that_are_only_known_as_inputs(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a", ["stub"])])
    assert names(catalog) == ["a"]


def test_what_is_recorded_meanwhile_is_counted_and_moves_nothing(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b")
    listing = catalog.listing(search="step")
    listing.fetch(10)
    assert listing.newer() == 0
    catalog.record_tasks([a_task("c"), a_task("d", family="Other")])
    assert listing.newer() == 1
    assert len(listing) == 2


def test_search_and_filters_hold_together(catalog: Catalog) -> None:
    record_chain(catalog, "apple", "apricot", "banana")
    catalog.observe([seen("apricot", state="missing")])
    assert names(catalog, search="ap") == ["apricot", "apple"]
    assert names(catalog, search="step ap") == ["apricot", "apple"]
    assert names(catalog, search="ap", status="missing") == ["apricot"]
    assert names(catalog, params={"name": "banana"}, family="Step") == ["banana"]
    assert names(catalog, search=hash_of("banana")[:6]) == ["banana"]
    assert names(catalog, search="nothing") == []
    assert names(catalog, search='" OR *') == []
    assert names(catalog, since="2026-01-05T00:02") == ["banana"]


def test_words_without_letters_are_no_condition(catalog: Catalog) -> None:
    record_chain(catalog, "a")
    assert names(catalog, search=" *-! ") == ["a"]


def test_a_listing_is_sorted(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a", family="Z"), a_task("b", family="Y"), a_task("c")])
    catalog.finish_run(a_run("a", minute=3, duration_s=1.0))
    catalog.finish_run(a_run("b", minute=2, duration_s=9.0))
    listing = catalog.listing()
    listing.fetch(10)

    def order(by: str, **how: bool) -> str:
        return "".join(t.params["name"] for t in listing.sorted(by, **how).page(0, 9))

    assert order("family") == "cba"
    assert order("family", reverse=True) == "abc"
    assert order("age") == "abc"
    assert order("duration") == "bac"
    assert order("status") == "bac"


def test_statuses_are_counted_in_steps(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("superluigi_catalog.browser._COUNTED_AT_ONCE", 1)
    record_chain(catalog, "a", "b")
    catalog.finish_run(a_run("c", status="failed"))
    catalog.record_tasks([a_task("c")])
    steps = list(catalog.status_counts())
    assert len(steps) >= 3
    assert steps[-1] == {"fresh": 2, "failed": 1}


def test_an_empty_catalog_has_an_overview_too(catalog: Catalog) -> None:
    assert list(catalog.status_counts()) == []
    assert (catalog.families(), catalog.runs_by_day("2026"), catalog.slowest_families()) == (
        {},
        {},
        [],
    )


def test_the_overview_counts_families_days_and_durations(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b")
    assert catalog.families() == {"Step": 2}
    assert catalog.runs_by_day("2026-01-01") == {("2026-01-05", "succeeded"): 2}
    assert catalog.slowest_families() == [("Step", 30.0)]


def test_what_is_reached_is_counted_up_to_a_limit(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c", "d")
    assert catalog.count_reached(hash_of("a"), "downstream") == 3
    assert catalog.count_reached(hash_of("b"), "upstream") == 1
    assert catalog.count_reached(hash_of("a"), "downstream", most=2) == 2
    assert catalog.count_reached(hash_of("d"), "downstream") == 0


def test_the_version_changes_when_somebody_else_records(catalog: Catalog) -> None:
    with Catalog(read_only=True) as reader:
        before = reader.data_version()
        assert reader.data_version() == before
        record_chain(catalog, "a")
        assert reader.data_version() != before


def test_another_thread_ends_a_call(catalog: Catalog) -> None:
    record_chain(catalog, "a")
    with Catalog(read_only=True) as reader:
        started = threading.Event()
        caught: list[BaseException] = []

        def count_for_ever() -> None:
            endless = """
                WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n
            """
            try:
                with reader._reading() as session:
                    started.set()
                    session.rows(endless)
            except BaseException as error:
                caught.append(error)

        thread = threading.Thread(target=count_for_ever)
        thread.start()
        started.wait()
        while thread.is_alive():
            reader.interrupt()
            thread.join(0.01)
        assert [type(error) for error in caught] == [CatalogInterrupted]
        assert len(reader.tasks()) == 1


def test_a_reader_waits_no_longer_than_it_was_told(catalog: Catalog) -> None:
    with Catalog(read_only=True, timeout_s=0.01) as reader:
        assert reader.tasks() == ()
