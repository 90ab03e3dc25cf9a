from __future__ import annotations

import json

import pytest

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import a_run, a_task, an_output, at, hash_of, uri_of


@pytest.fixture(autouse=True)
def recorded(catalog: Catalog) -> None:
    for name, family in (("a", "Load"), ("b", "Load"), ("c", "Train"), ("d", "Train")):
        catalog.record_tasks([a_task(name, family=family)])
    for number in (1, 2, 3):
        catalog.finish_run(a_run("a", number=number, minute=number, duration_s=float(number)))
    big = [an_output("b")]
    big = [type(each)(each.place, each.uri, each.kind, "sha256:b", 10**9) for each in big]
    catalog.finish_run(a_run("b", minute=4, duration_s=50.0, outputs=big))
    for number in (1, 2):
        catalog.finish_run(
            a_run("c", number=number, minute=4 + number, status="failed", duration_s=1.0,
                  error_type="ValueError", error="bad")
        )  # fmt: skip
    catalog.finish_run(a_run("d", number=1, minute=7, status="failed", duration_s=2.0))
    catalog.finish_run(a_run("d", number=2, minute=8, duration_s=3.0))
    catalog.finish_run(a_run("d", number=3, minute=9, status="unchanged", duration_s=99.0))


def test_runs_are_counted_by_how_they_ended(catalog: Catalog) -> None:
    stats = catalog.stats()
    assert (stats.runs, stats.statuses, stats.since) == (8, {"succeeded": 5, "failed": 3}, at(1))
    assert stats.total_s == 63.0
    assert json.loads(json.dumps(stats.to_dict()))["runs"] == 8


def test_families_are_told_by_the_time_that_they_took(catalog: Catalog) -> None:
    load, train = catalog.stats().families
    assert (load.family, load.runs, load.failed, load.total_s, load.mean_s) == (
        "Load",
        4,
        0,
        56.0,
        14.0,
    )
    assert (train.family, train.failed, train.mean_s) == ("Train", 3, 3.0)


def test_the_slowest_the_most_run_the_failing_and_the_biggest(catalog: Catalog) -> None:
    stats = catalog.stats(limit=2)
    assert [(each.params["name"], each.longest_s) for each in stats.slowest] == [
        ("b", 50.0),
        ("d", 3.0),
    ]
    assert [(each.params["name"], each.runs) for each in stats.most_run] == [("a", 3), ("d", 2)]
    (failing,) = stats.failing
    assert (failing.task_hash, failing.failed, failing.last_error) == (
        hash_of("c"),
        2,
        "ValueError: bad",
    )
    assert [(each.uri, each.size_bytes) for each in stats.biggest] == [
        (uri_of("b"), 10**9),
        (uri_of("a"), 10),
    ]


def test_only_the_newest_are_looked_at(catalog: Catalog) -> None:
    assert catalog.stats(since=at(7)).runs == 2
    assert catalog.stats(runs=3).since == at(6)
    empty = catalog.stats(since="2999-01-01")
    assert (empty.runs, empty.since, empty.slowest, empty.families) == (0, None, (), ())
    with pytest.raises(ValueError, match="no moment"):
        catalog.stats(since="x")
