from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest

from superluigi_catalog import STATUSES, Catalog, Task, TaskNotFound
from superluigi_catalog.owner import this_owner
from superluigi_catalog.reading import task_filter, words
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, seen


def names(tasks: tuple[Task, ...]) -> list[str]:
    return [task.params["name"] for task in tasks]


@pytest.fixture(autouse=True)
def recorded(catalog: Catalog) -> None:
    for number, (name, family, region) in enumerate(
        [
            ("a", "CleanUsers", "eu-west-1"),
            ("b", "CleanUsers", "us-east-1"),
            ("c", "TrainModel", "eu-west-1"),
            ("d", "TrainModel", "x" * 500),
        ]
    ):
        catalog.record_tasks([a_task(name, family=family, params={"name": name, "region": region})])
        if name != "d":
            status = "failed" if name == "c" else "succeeded"
            catalog.finish_run(a_run(name, status=status, minute=number))


def test_all_of_them_those_recorded_last_first(catalog: Catalog) -> None:
    assert names(catalog.tasks()) == ["d", "c", "b", "a"]


def test_by_family(catalog: Catalog) -> None:
    assert names(catalog.tasks(family="CleanUsers")) == ["b", "a"]
    assert catalog.tasks(family="Clean") == ()


def test_by_parameters(catalog: Catalog) -> None:
    assert names(catalog.tasks(params={"region": "eu-west-1"})) == ["c", "a"]
    assert names(catalog.tasks(params={"region": "eu-west-1", "name": "a"})) == ["a"]
    assert catalog.tasks(params={"region": "a"}) == ()
    assert names(catalog.tasks(params={"region": "x" * 500})) == ["d"]
    assert catalog.tasks(params={"region": "x" * 499}) == ()


def test_by_status(catalog: Catalog) -> None:
    assert names(catalog.tasks(status="failed")) == ["c"]
    assert names(catalog.tasks(status="fresh")) == ["b", "a"]
    assert names(catalog.tasks(status=["fresh", "unknown"])) == ["d", "b", "a"]
    assert catalog.tasks(status="running") == ()
    with pytest.raises(ValueError, match=r"'dirty' is no status\. Choose from fresh, stale"):
        catalog.tasks(status="dirty")


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("CleanUsers", ["b", "a"]),
        ("clean", ["b", "a"]),
        ("mod", ["d", "c"]),
        ("MODEL", ["d", "c"]),
        ("trainm eu-w", ["c"]),
        ("models", []),
        ("train eu", ["c"]),
        ("eu-west-1", ["c", "a"]),
        ("west eu", ["c", "a"]),
        ("region", []),
        ('train" OR "clean', []),
        ("train* NEAR(", []),
        ("-*'\"", ["d", "c", "b", "a"]),
        ("", ["d", "c", "b", "a"]),
        (hash_of("a")[:8], ["a"]),
        (hash_of("b").upper(), ["b"]),
    ],
)
def test_by_words(catalog: Catalog, search: str, found: list[str]) -> None:
    assert names(catalog.tasks(search=search)) == found


@pytest.mark.parametrize("few", [1, 200])
def test_a_beginning_of_many_words_finds_all_of_them(
    catalog: Catalog, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(words, "_FEW", few)
    values = ["2026", "20261", "20262-x", "2025z", "2027", "été2026", "étés", "2026é"]
    catalog.record_tasks(
        a_task(f"n{value}", family="Other", params={"n": value}, outputs=[]) for value in values
    )
    found = [task.params["n"] for task in catalog.tasks(search="2026")]
    assert found == ["2026é", "20262-x", "20261", "2026"]
    assert [task.params["n"] for task in catalog.tasks(search="2026 x")] == ["20262-x"]
    assert [task.params["n"] for task in catalog.tasks(search="ÉTÉS")] == ["étés"]
    assert [task.params["n"] for task in catalog.tasks(search="20261 oth")] == ["20261"]


def test_by_time(catalog: Catalog) -> None:
    assert names(catalog.tasks(since="2026-01-05")) == ["c", "b", "a"]
    assert names(catalog.tasks(since="2026-01-05T00:01")) == ["c", "b"]
    since = datetime(2026, 1, 5, 0, 2, tzinfo=timezone.utc)
    assert names(catalog.tasks(since=since)) == ["c"]


def test_since_takes_durations_and_says_what_it_does_not_take(catalog: Catalog) -> None:
    assert catalog.tasks(since="1h") == catalog.tasks(since=timedelta(hours=1)) == ()
    long_ago = (datetime.now(timezone.utc) - datetime(2026, 1, 4, tzinfo=timezone.utc)).days
    assert names(catalog.tasks(since=f"{long_ago}d")) == ["c", "b", "a"]
    with pytest.raises(ValueError, match=r"'soon' is no moment\. Give a date or a time in UTC"):
        catalog.tasks(since="soon")


def test_many_runs_since_then_are_found_one_by_one(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(task_filter, "_MANY_RUNS", 1)
    assert names(catalog.tasks(since="2026-01-05T00:01")) == ["c", "b"]
    assert names(catalog.tasks(since="2026-01-05T00:01", limit=1)) == ["c"]


@pytest.fixture
def ranged(catalog: Catalog) -> Catalog:
    for n in (-3, 2, 10, 1.5e-3, 1e20):
        catalog.record_tasks([a_task(f"n{n}", params={"name": f"n{n}", "n": str(n)})])
    for when in ("2025-12-31", "2026-01-05", "2026-01-31T0830", "2026-02-01", "soon"):
        catalog.record_tasks([a_task(when, params={"name": when, "when": when, "n": "x"})])
    return catalog


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        ((2, 10), ["n10", "n2"]),
        (("2", "10"), ["n10", "n2"]),
        ((None, 0), ["n-3"]),
        ((0, 0.01), ["n0.0015"]),
        ((11, None), ["n1e+20"]),
    ],
)
def test_by_a_range_of_numbers(ranged: Catalog, ends: tuple[object, ...], found: list[str]) -> None:
    assert names(ranged.tasks(params={"n": ends})) == found


@pytest.mark.parametrize(
    ("ends", "found"),
    [
        (("2026-01-01", "2026-01"), ["2026-01-31T0830", "2026-01-05"]),
        ((date(2026, 1, 5), date(2026, 1, 31)), ["2026-01-31T0830", "2026-01-05"]),
        ((datetime(2026, 1, 31, 8, 31), None), ["2026-02-01"]),
        ((None, "2026-01-04"), ["2025-12-31"]),
        (("2026-01-31 08:30", None), ["2026-02-01", "2026-01-31T0830"]),
    ],
)
def test_by_a_range_of_dates(ranged: Catalog, ends: tuple[object, ...], found: list[str]) -> None:
    assert names(ranged.tasks(params={"when": ends})) == found


@pytest.mark.parametrize("ends", [(1,), (None, None), ("a", "b"), ("2026-01-05", 7), (True, 2)])
def test_a_range_of_anything_else_is_refused(catalog: Catalog, ends: tuple[object, ...]) -> None:
    with pytest.raises(ValueError, match="range"):
        catalog.tasks(params={"n": ends})


def test_page_by_page(catalog: Catalog) -> None:
    first = catalog.tasks(limit=2)
    second = catalog.tasks(limit=2, after=first[-1])
    assert names(first + second) == ["d", "c", "b", "a"]
    assert catalog.tasks(limit=2, after=second[-1].task_hash) == ()
    with pytest.raises(TaskNotFound):
        catalog.tasks(after="ffff")


def test_filters_hold_together(catalog: Catalog) -> None:
    assert names(catalog.tasks(family="TrainModel", status="failed", search="eu", limit=5)) == ["c"]


def test_a_task_tells_of_its_last_run_as_json_types(catalog: Catalog) -> None:
    told = catalog.task("data/a.csv").to_dict()
    assert (told["task_hash"], told["status"], told["params"]["name"]) == (
        hash_of("a"),
        "fresh",
        "a",
    )
    assert (told["last_status"], told["last_reason"]["kind"]) == ("succeeded", "missing")


# What the records alone say.


def status(catalog: Catalog, name: str) -> str:
    found = catalog.task(hash_of(name)).status
    assert found in STATUSES
    assert name in names(catalog.tasks(status=found))
    return found


def test_without_a_run_or_a_look_it_is_unknown(catalog: Catalog) -> None:
    assert status(catalog, "d") == "unknown"


def test_it_is_missing_when_an_output_was_not_there(catalog: Catalog) -> None:
    catalog.observe(
        [seen("a", state="missing"), seen("d", state="missing"), seen("b", state="partial")]
    )
    assert [status(catalog, name) for name in ("a", "b", "d")] == ["missing"] * 3


def test_it_is_stale_when_an_input_is_no_longer_what_it_consumed(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("e", ["a"], params={"name": "e"})])
    catalog.finish_run(a_run("e", ["a"]))
    assert status(catalog, "e") == "fresh"
    catalog.observe([seen("a", "edited")])
    assert status(catalog, "e") == "stale"
    catalog.observe([seen("a", "edited again", fingerprint=None)])
    assert status(catalog, "e") == "stale"
    catalog.observe([seen("a")])
    assert status(catalog, "e") == "fresh"


def test_a_deleted_input_makes_nothing_stale(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("e", ["a"], params={"name": "e"})])
    catalog.finish_run(a_run("e", ["a"]))
    catalog.observe([seen("a", state="missing")])
    assert status(catalog, "e") == "fresh"


def test_it_is_stale_when_another_task_took_its_target(catalog: Catalog) -> None:
    other = a_task(
        "other", outputs=[("", "data/a.csv", "LocalFileTarget")], params={"name": "other"}
    )
    catalog.record_tasks([other])
    catalog.finish_run(a_run("other", outputs=a_run("a", content="2").outputs))
    assert status(catalog, "a") == "stale"
    assert status(catalog, "other") == "fresh"


def test_an_external_task_is_fresh_while_its_targets_are_there(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("raw", is_external=True, params={"name": "raw"})])
    assert status(catalog, "raw") == "unknown"
    catalog.observe([seen("raw")])
    assert status(catalog, "raw") == "fresh"
    catalog.observe([seen("raw", state="missing")])
    assert status(catalog, "raw") == "missing"


def test_a_task_without_outputs_is_fresh_after_its_run(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("void", outputs=[], params={"name": "void"})])
    assert status(catalog, "void") == "unknown"
    catalog.finish_run(a_run("void", outputs=[]))
    assert status(catalog, "void") == "fresh"


def test_a_success_after_a_failure_counts(catalog: Catalog) -> None:
    assert status(catalog, "c") == "failed"
    catalog.finish_run(a_run("c", number=2, minute=9))
    assert status(catalog, "c") == "fresh"


def test_an_interrupted_run_says_nothing_about_the_task(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", number=2, minute=9, status="interrupted"))
    assert status(catalog, "a") == "fresh"
    catalog.finish_run(a_run("d", minute=9, status="interrupted"))
    assert status(catalog, "d") == "unknown"
    catalog.observe([seen("d", state="missing")])
    assert status(catalog, "d") == "missing"


def test_what_runs_under_a_dead_process_is_not_running(catalog: Catalog) -> None:
    host, boot, pid, _ = this_owner().split("|")
    for name, owner in (("a", this_owner()), ("b", f"{host}|{boot}|{pid}|1")):
        catalog.start_run(
            f"{name}-now",
            hash_of(name),
            build_id=None,
            reason={},
            reasons=(),
            started_at="2026-01-06",
            owner=owner,
        )
    assert names(catalog.tasks(status="running")) == ["a"]
    assert status(catalog, "b") == "fresh"
