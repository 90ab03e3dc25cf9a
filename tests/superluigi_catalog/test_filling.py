from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from superluigi_catalog import Catalog, CatalogError, RecordRefused, fill_catalog
from tests.superluigi_catalog.entries import CODE, ENVIRONMENT, a_run, a_task, hash_of

NAMES = [f"t{number}" for number in range(12)]


def record(catalog: Catalog) -> None:
    catalog.record_tasks(a_task(n, NAMES[i - 1 : i] if i else ()) for i, n in enumerate(NAMES))
    for number in (1, 2):
        catalog.record_runs(
            a_run(
                name,
                NAMES[i - 1 : i] if i else (),
                number=number,
                minute=100 * number + i,
                status="failed" if (number, i) == (2, 5) else "succeeded",
                code=CODE,
                environment=ENVIRONMENT,
            )
            for i, name in enumerate(NAMES)
        )


def contents_of(catalog: Catalog) -> dict[str, Any]:
    """All rows of all tables, but for the time of recording."""
    with catalog._connections.snapshot() as session:
        tables = [
            name
            for (name,) in session.rows(
                "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' "
                "AND name NOT LIKE 'tasks_fts%' AND name NOT LIKE 'sqlite_stat%' AND name <> '_sqlite_migrations'"
            )
        ]
        found = {
            name: session.rows(f"SELECT * FROM {name}")  # noqa: S608
            for name in tables
        }
        found["made of"] = sorted(
            session.rows(
                "SELECT type, name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_stat%'"
            )
        )
    targets = found["targets"]
    found["targets"] = [[*row[:10], *row[11:]] for row in targets]
    return found


def test_a_filled_catalog_is_like_one_that_was_recorded(catalog: Catalog, tmp_path: Path) -> None:
    with fill_catalog(tmp_path / "filled.db") as filling:
        record(filling)
    record(catalog)
    with Catalog(tmp_path / "filled.db") as filled:
        assert contents_of(filled) == contents_of(catalog)
        assert [task.task_hash for task in filled.tasks(search="step t3")] == [hash_of("t3")]
        filled.record_tasks([a_task("later")])
        assert [task.task_hash for task in filled.tasks(search="later")] == [hash_of("later")]
        with filled._connections.snapshot() as session:
            assert session.rows("PRAGMA integrity_check") == [("ok",)]
            assert session.rows("PRAGMA foreign_key_check") == []
    assert not list(tmp_path.glob(".filled*"))


def test_there_is_none_before_all_is_in_it(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    with fill_catalog(path) as filling:
        record(filling)
        assert not path.exists()
    assert path.exists()


def test_after_an_error_nothing_is_left(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    with pytest.raises(ZeroDivisionError), fill_catalog(path) as filling:
        filling.record_tasks(a_task(name) for name in ("x", str(1 // 0)))
    assert list(tmp_path.iterdir()) == []


def test_what_is_refused_is_left_out_as_a_whole(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    with fill_catalog(path) as filling:
        record(filling)
        with pytest.raises(RecordRefused):
            filling.record_runs([a_run("x"), a_run("y", status="nonsense")])
    with Catalog(path) as filled, filled._connections.snapshot() as session:
        assert len(filled.runs(limit=None)) == 2 * len(NAMES)
        assert session.rows("PRAGMA integrity_check") == [("ok",)]


def test_none_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "filled.db"
    Catalog(path).close()
    with pytest.raises(CatalogError, match="merge it"), fill_catalog(path):
        pass
    path.unlink()
    with (
        pytest.raises(CatalogError, match="exists already"),
        fill_catalog(path),
        Catalog(path) as other,
    ):
        other.record_tasks([a_task("x")])
    with Catalog(path) as other:
        assert len(other.tasks()) == 1


def test_where_files_cannot_be_linked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*names: object) -> Iterator[None]:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    with fill_catalog(tmp_path / "filled.db") as filling:
        record(filling)
    with Catalog(tmp_path / "filled.db") as filled:
        assert len(filled.tasks()) == len(NAMES)


def test_a_process_that_dies_meanwhile_leaves_none(tmp_path: Path) -> None:
    child = os.fork()
    if not child:
        with fill_catalog(tmp_path / "filled.db") as filling:
            record(filling)
            os._exit(0)
    os.waitpid(child, 0)
    assert not (tmp_path / "filled.db").exists()
    with fill_catalog(tmp_path / "filled.db") as filling:
        record(filling)


def test_in_the_project_around(project_directory: Path) -> None:
    with fill_catalog() as filling:
        record(filling)
    with Catalog(read_only=True) as filled:
        assert filled.path == project_directory / ".superluigi" / "catalog.db"
        assert len(filled.runs(limit=None)) == 2 * len(NAMES)
