from __future__ import annotations

import multiprocessing
import os
import sqlite3 as standard_sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from superluigi_catalog import (
    Catalog,
    CatalogError,
    CatalogLocked,
    CatalogMissing,
    CatalogReadOnly,
    CatalogTooNew,
    CatalogTooOld,
    NotACatalog,
)
from superluigi_catalog.storage.driver import sqlite3
from superluigi_catalog.storage.schema import APPLICATION_ID, SCHEMA_VERSION
from tests.superluigi_catalog.entries import a_task


def edited(path: Path, *statements: str) -> Path:
    with standard_sqlite3.connect(path, isolation_level=None) as opened:
        for statement in statements:
            opened.execute(statement)
    opened.close()
    return path


@pytest.fixture
def file(project_directory: Path) -> Path:
    Catalog().close()
    return project_directory / ".superluigi" / "catalog.db"


def test_a_new_catalog_has_a_home_a_mark_and_a_version(file: Path) -> None:
    assert (file.parent / ".gitignore").exists()
    with standard_sqlite3.connect(file) as opened:
        assert opened.execute("PRAGMA application_id").fetchone() == (APPLICATION_ID,)
        assert opened.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)
        assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    opened.close()


def test_an_empty_file_becomes_a_catalog(tmp_path: Path) -> None:
    (tmp_path / "new.db").touch()
    with Catalog(tmp_path / "new.db") as catalog:
        assert catalog.tasks() == ()


@pytest.mark.parametrize(
    "garbage", [b"no database at all, but long enough" * 100, b"SQLite format 3\0"]
)
def test_garbage_is_no_catalog(tmp_path: Path, garbage: bytes) -> None:
    path = tmp_path / "garbage.db"
    path.write_bytes(garbage)
    with pytest.raises(NotACatalog, match=r"garbage\.db") as caught:
        Catalog(path)
    assert caught.value.path == str(path)
    assert path.read_bytes() == garbage


@pytest.mark.parametrize(
    "statement", ["CREATE TABLE theirs(x)", "PRAGMA user_version = 5", "PRAGMA application_id = 7"]
)
def test_the_file_of_another_program_is_left_alone(tmp_path: Path, statement: str) -> None:
    path = edited(tmp_path / "theirs.db", "CREATE TABLE t(x)", "DROP TABLE t", statement)
    before = path.read_bytes()
    with pytest.raises(NotACatalog, match="another program"):
        Catalog(path)
    assert path.read_bytes() == before
    assert list(tmp_path.glob("theirs.db?*")) == []


def test_a_newer_form_says_to_upgrade_and_is_left_alone(file: Path) -> None:
    edited(file, f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    for read_only in (False, True):
        with pytest.raises(CatalogTooNew, match="Upgrade superluigi"):
            Catalog(file, read_only=read_only)


def test_an_older_form_is_not_migrated_by_reading(tmp_path: Path) -> None:
    path = edited(tmp_path / "old.db", f"PRAGMA application_id = {APPLICATION_ID}")
    with pytest.raises(CatalogTooOld, match="Open it once for writing"):
        Catalog(path, read_only=True)
    Catalog(path).close()
    Catalog(path, read_only=True).close()


def test_a_new_file_is_as_the_migrations_make_it(tmp_path: Path) -> None:
    def form(path: Path) -> tuple[list[Any], list[Any]]:
        with closing(standard_sqlite3.connect(path)) as opened:
            objects = opened.execute("SELECT type, name, sql FROM sqlite_master ORDER BY name")
            applied = opened.execute("SELECT id, migration_set, name FROM _sqlite_migrations")
            return objects.fetchall(), applied.fetchall()

    Catalog(tmp_path / "new.db").close()
    # Not quite new: it goes the way of every later form.
    migrated = edited(tmp_path / "migrated.db", f"PRAGMA application_id = {APPLICATION_ID}")
    edited(migrated, "CREATE TABLE x(y)")
    Catalog(migrated).close()
    edited(migrated, "DROP TABLE x")
    assert form(tmp_path / "new.db") == form(migrated)


def test_making_a_catalog_does_without_sqlite_utils(tmp_path: Path) -> None:
    program = (
        "import sys; from superluigi_catalog import Catalog; Catalog('new.db').close(); "
        "print('sqlite_utils' in sys.modules)"
    )
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-c", program]
    done = subprocess.run(
        command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "False\n"


def test_a_directory_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogError, match="does not exist"):
        Catalog(tmp_path / "no" / "catalog.db")


def test_the_home_of_a_project_is_made(tmp_path: Path) -> None:
    with Catalog(tmp_path / ".superluigi" / "catalog.db"):
        assert (tmp_path / ".superluigi" / ".gitignore").exists()


def test_a_directory_is_no_catalog(tmp_path: Path) -> None:
    with pytest.raises(NotACatalog, match="is a directory"):
        Catalog(tmp_path)


def test_reading_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(CatalogMissing) as caught:
        Catalog(tmp_path / "none.db", read_only=True)
    assert isinstance(caught.value, FileNotFoundError)
    assert list(tmp_path.iterdir()) == []


def test_reading_sees_what_others_write_and_records_nothing(file: Path) -> None:
    with Catalog(file) as writing, Catalog(file, read_only=True) as reading:
        writing.record_tasks([a_task("a")])
        assert len(reading.tasks()) == 1
        with pytest.raises(CatalogReadOnly):
            reading.record_tasks([a_task("b")])
        with pytest.raises(CatalogReadOnly), reading.transaction():
            pass


@pytest.mark.parametrize("name", ["a?mode=ro&b#c%20d é.db", "no utf-8 \udcff.db"])
def test_any_name_is_a_file_name(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    Catalog(path).close()
    assert path.exists()


def test_a_catalog_that_stays_locked_is_said_to_be(file: Path) -> None:
    with Catalog(file):
        pass
    blocker = sqlite3.connect(str(file), isolation_level=None)
    blocker.execute("BEGIN IMMEDIATE")
    with Catalog(file, timeout_s=0.05) as catalog, pytest.raises(CatalogLocked, match=r"try again"):
        catalog.record_tasks([a_task("a")])
    blocker.close()


def test_a_damaged_catalog_says_what_to_do(file: Path) -> None:
    with Catalog(file) as catalog:
        catalog.record_tasks(a_task(f"t{number}") for number in range(300))
    data = bytearray(file.read_bytes())
    data[4096 * 2 :] = b"\xff" * (len(data) - 4096 * 2)
    file.write_bytes(data)
    with (
        pytest.raises(CatalogError, match="makes a new one from the sidecars"),
        Catalog(file) as catalog,
    ):
        catalog.tasks()


OPEN_AT_ONCE = """
import sys, time
from superluigi_catalog import Catalog
while time.time() < float(sys.argv[2]):
    pass
with Catalog(sys.argv[1]) as catalog:
    print(len(catalog.tasks()))
"""


def test_eight_processes_that_open_a_new_catalog_at_once_all_find_it(tmp_path: Path) -> None:
    path = tmp_path / "new.db"
    start = str(time.time() + 1.5)
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    racing = [
        subprocess.Popen(
            [sys.executable, "-c", OPEN_AT_ONCE, str(path), start],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
        )
        for _ in range(8)
    ]
    assert [process.communicate(timeout=60)[0] for process in racing] == ["0\n"] * 8
    with standard_sqlite3.connect(path) as opened:
        applied = opened.execute("SELECT count(*) FROM _sqlite_migrations").fetchone()
    opened.close()
    assert applied == (1,)


def _records(path: Path, who: int, count: int) -> None:
    with Catalog(path) as catalog:
        for number in range(count):
            with catalog.transaction():
                catalog.record_tasks([a_task(f"{who}.{number}", [f"{who}.{number - 1}"])])


def test_four_writers_at_once_lose_nothing_and_none_is_turned_away(file: Path) -> None:
    context = multiprocessing.get_context("fork")
    count = 250 if _is_fast(file) else 40
    writers = [context.Process(target=_records, args=(file, who, count)) for who in range(4)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0] * 4
    with Catalog(file) as catalog:
        assert len(catalog.tasks()) == 4 * count


def _is_fast(file: Path) -> bool:
    with standard_sqlite3.connect(file) as opened:
        mode = opened.execute("PRAGMA journal_mode").fetchone()
    opened.close()
    return bool(mode == ("wal",))


def test_opening_a_catalog_again_is_quick(file: Path) -> None:
    def seconds() -> float:
        start = time.perf_counter()
        with Catalog(file):
            return time.perf_counter() - start

    assert min(seconds() for _ in range(20)) < 0.005
