from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import pytest

from superluigi_catalog import Catalog, InputEntry, Run, TaskNotFound
from tests.superluigi_catalog.entries import (
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


def ids(runs: tuple[Run, ...]) -> list[str]:
    return [run.run_id for run in runs]


@pytest.fixture(autouse=True)
def recorded(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"]), a_task("c", ["a"])])
    catalog.finish_run(a_run("a", minute=1))
    catalog.finish_run(a_run("b", ["a"], minute=2))
    catalog.finish_run(a_run("a", number=2, minute=3, content="2"))
    catalog.finish_run(a_run("c", [an_input("a", "2", number=2)], minute=4))


@pytest.mark.parametrize("form", ["data/a.csv", Path("data/a.csv"), fingerprint_of("a2")])
def test_the_makers_of_what_stands_there(catalog: Catalog, form: str) -> None:
    assert ids(catalog.makers(form)) == [run_id_of("a", 2)]


def test_a_digest_may_be_bare_or_cut_short(catalog: Catalog) -> None:
    digest = fingerprint_of("a1").removeprefix("sha256:")
    assert ids(catalog.makers(digest)) == [run_id_of("a", 1)]
    assert ids(catalog.makers(digest.upper())) == [run_id_of("a", 1)]
    assert ids(catalog.makers(f"sha256:{digest[:8]}")) == [run_id_of("a", 1)]
    assert catalog.makers("sha256:" + "0" * 64) == ()


def test_all_runs_that_made_it_newest_first(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", number=3, minute=9, content="2"))
    assert ids(catalog.makers("data/a.csv")) == [run_id_of("a", 3), run_id_of("a", 2)]


def test_who_made_it_is_the_newest_of_them(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", number=3, minute=9, content="2"))
    maker = catalog.who_made("data/a.csv")
    assert maker is not None
    assert (maker.run_id, maker.task_hash) == (run_id_of("a", 3), hash_of("a"))
    catalog.observe([seen("a", "edited")])
    assert catalog.who_made("data/a.csv") is None


def test_an_edited_target_was_made_by_nobody(catalog: Catalog) -> None:
    catalog.observe([seen("a", "edited")])
    assert catalog.makers("data/a.csv") == ()


def test_a_target_with_the_bytes_of_another_was_made_by_its_maker(catalog: Catalog) -> None:
    catalog.observe([seen("copy", fingerprint=fingerprint_of("a1"))])
    assert ids(catalog.makers("data/copy.csv")) == [run_id_of("a", 1)]


def test_equal_tokens_of_other_kinds_prove_nothing(catalog: Catalog) -> None:
    catalog.finish_run(a_run("s", outputs=[replace(an_output("s"), fingerprint="stat:5:6")]))
    catalog.observe([seen("copy", fingerprint="stat:5:6")])
    assert catalog.makers("data/copy.csv") == ()


def test_a_copied_file_is_known_by_its_bytes(catalog: Catalog, project_directory: Path) -> None:
    digest = hashlib.sha256(b"bytes").hexdigest()
    catalog.finish_run(
        a_run("f", outputs=[replace(an_output("f"), fingerprint=f"sha256:{digest}")])
    )
    copy = project_directory / "somewhere.csv"
    copy.write_bytes(b"bytes")
    assert ids(catalog.makers(copy)) == [run_id_of("f")]
    assert catalog.who_read(copy) == ()


def test_a_file_of_the_catalog_is_never_opened(catalog: Catalog) -> None:
    for name in ("catalog.db", "catalog.db-wal"):
        with pytest.raises(TaskNotFound):
            catalog.makers(f".superluigi/{name}")


def test_a_target_declared_but_never_made(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("declared")])
    assert catalog.makers("data/declared.csv") == ()


def test_what_is_neither_target_nor_file_is_not_found(catalog: Catalog) -> None:
    for ask in (catalog.who_made, catalog.makers, catalog.who_read, catalog.history):
        with pytest.raises(TaskNotFound, match=r"Did you mean 'data/a\.csv'"):
            ask("data/aaa.csv")


def test_who_read_a_target_whatever_it_held(catalog: Catalog) -> None:
    assert ids(catalog.who_read("data/a.csv")) == [run_id_of("c"), run_id_of("b")]
    assert ids(catalog.who_read(fingerprint_of("a1"))) == [run_id_of("b")]
    assert catalog.who_read("data/b.csv") == ()


def test_the_history_of_a_target(catalog: Catalog) -> None:
    revisions = catalog.history("data/a.csv")
    assert [revision.fingerprint for revision in revisions] == [
        fingerprint_of("a2"),
        fingerprint_of("a1"),
    ]
    assert [revision.is_current for revision in revisions] == [True, False]
    assert revisions[0].run is not None
    assert revisions[0].run.task_hash == hash_of("a")
    assert revisions[0].to_dict()["run"]["run_id"] == run_id_of("a", 2)


def test_the_history_tells_of_contents_that_no_run_made_and_of_who_read_each(
    catalog: Catalog,
) -> None:
    catalog.observe([seen("a", "edited")])
    edited, second, first = catalog.history("data/a.csv")
    assert (edited.run, edited.is_seen, edited.is_current, edited.read_by) == (
        None,
        True,
        False,
        (),
    )
    assert (second.is_seen, second.is_current) == (False, True)
    assert [[each.task_hash for each in old.read_by] for old in (second, first)] == [
        [hash_of("c")],
        [hash_of("b")],
    ]


def test_what_came_from_outside_is_dated_by_its_first_reader(catalog: Catalog) -> None:
    raw = InputEntry("", "data/raw.csv", "LocalFileTarget", fingerprint_of("raw"))
    for minute in (7, 5):
        catalog.finish_run(a_run("r", [raw], number=minute, minute=minute))
    (revision,) = catalog.history("data/raw.csv")
    assert (revision.run, revision.at) == (None, at(5))
    assert [each.started_at for each in revision.read_by] == [at(7), at(5)]
