from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from superluigi_catalog import AmbiguousHash, Catalog, TaskNotFound
from tests.superluigi_catalog.entries import KIND, a_run, a_task, hash_of, seen, uri_of


@dataclass
class LiveTask:
    task_hash: str


@pytest.fixture(autouse=True)
def recorded(catalog: Catalog) -> None:
    catalog.record_tasks(
        [
            a_task("a"),
            replace(a_task("twin 1"), task_hash="abcd" + "1" * 28),
            replace(a_task("twin 2"), task_hash="abcd" + "2" * 28),
            a_task("remote", outputs=[("", "s3://bucket/x.csv", KIND)]),
        ]
    )
    catalog.finish_run(a_run("a"))


@pytest.mark.parametrize(
    "ref",
    [
        hash_of("a"),
        hash_of("a")[:8],
        hash_of("a")[:4],
        hash_of("a")[:6].upper(),
        "data/a.csv",
        "./data/../data/a.csv",
        Path("data/a.csv"),
        LiveTask(hash_of("a")),
        "data/a.csv.metadata.json",
    ],
)
def test_a_task_answers_to_its_hash_its_target_and_itself(catalog: Catalog, ref: object) -> None:
    assert catalog.task(ref).task_hash == hash_of("a")


def test_a_path_is_meant_from_where_the_process_is(
    catalog: Catalog, project_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project_directory / "data").mkdir()
    monkeypatch.chdir(project_directory / "data")
    assert catalog.task("a.csv").task_hash == hash_of("a")
    assert catalog.task(project_directory / "data/a.csv").task_hash == hash_of("a")


def test_a_uri_is_a_target(catalog: Catalog) -> None:
    assert catalog.task("s3://bucket/x.csv").task_hash == hash_of("remote")


def test_a_task_itself_is_a_ref(catalog: Catalog) -> None:
    assert catalog.task(catalog.task("data/a.csv")) == catalog.task("data/a.csv")


def test_a_prefix_of_several_lists_them(catalog: Catalog) -> None:
    with pytest.raises(AmbiguousHash) as caught:
        catalog.task("abcd")
    assert caught.value.matches == ("abcd" + "1" * 28, "abcd" + "2" * 28)
    assert isinstance(caught.value, LookupError)
    assert "abcd1111" in str(caught.value)
    assert catalog.task("abcd1").task_hash == "abcd" + "1" * 28


def test_a_target_means_who_made_it_rather_than_who_declares_it(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("other", outputs=[("", uri_of("a"), KIND)])])
    assert catalog.task("data/a.csv").task_hash == hash_of("a")


def test_a_target_that_several_declare_and_nobody_made_is_ambiguous(catalog: Catalog) -> None:
    for name in ("one", "two"):
        catalog.record_tasks([a_task(name, outputs=[("", "claimed.csv", KIND)])])
    with pytest.raises(AmbiguousHash, match="declare it"):
        catalog.task("claimed.csv")


def test_many_matches_are_not_all_listed(catalog: Catalog) -> None:
    catalog.record_tasks(
        replace(a_task(str(number)), task_hash=f"beef{number:028x}") for number in range(30)
    )
    with pytest.raises(AmbiguousHash, match="and others") as caught:
        catalog.task("beef")
    assert len(caught.value.matches) == 10


@pytest.mark.parametrize(
    ("ref", "said"),
    [
        ("ffffffff", "a task hash"),
        ("abc", "needs 4 digits"),
        ("data/b.csv", "a target at 'data/b.csv'"),
        ("data/aa.csv", "Did you mean 'data/a.csv'"),
        ("Step", "It is a family: name one of its tasks (superluigi tasks --family Step"),
        ("Stepp", "Did you mean 'Step'"),
        ("", "Nothing is recorded under ''"),
        ("s3://bucket/y.csv", "Did you mean 's3://bucket/x.csv'"),
    ],
)
def test_what_is_not_found_is_said_with_what_comes_near(
    catalog: Catalog, ref: str, said: str
) -> None:
    with pytest.raises(TaskNotFound) as caught:
        catalog.task(ref)
    assert said in str(caught.value)
    assert caught.value.ref == ref
    assert caught.value.path == str(catalog.path)
    assert isinstance(caught.value, LookupError)


def test_what_can_be_no_reference_is_a_type_error(catalog: Catalog) -> None:
    with pytest.raises(TypeError, match="no reference"):
        catalog.task(5)


def test_a_target_seen_but_never_made_has_no_task(catalog: Catalog) -> None:
    catalog.observe([seen("raw")])
    with pytest.raises(TaskNotFound):
        catalog.task(uri_of("raw"))
    assert catalog.targets(uri_of("raw"))[0].state == "present"


def test_targets_of_a_task_and_one_target(catalog: Catalog) -> None:
    (by_hash,) = catalog.targets(hash_of("a"))
    (by_path,) = catalog.targets("data/a.csv")
    assert by_hash == by_path
    assert (by_path.place, by_path.task_hash) == ("", hash_of("a"))
    with pytest.raises(TaskNotFound):
        catalog.targets("data/none.csv")
