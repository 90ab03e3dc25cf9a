from __future__ import annotations

from pathlib import Path

import pytest

from superluigi_catalog import Catalog
from superluigi_catalog.storage import journal, session
from superluigi_catalog.storage.driver import sqlite3
from tests.superluigi_catalog.entries import a_task


@pytest.fixture
def unsafe_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: False)


@pytest.fixture
def safe_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: True)


def pragma(catalog: Catalog, name: str) -> object:
    with catalog._connections.snapshot() as open_session:
        return open_session.rows(f"PRAGMA {name}")[0][0]


@pytest.mark.parametrize(
    ("version", "is_safe"),
    [
        ((3, 37, 0), False),
        ((3, 40, 1), False),
        ((3, 44, 5), False),
        ((3, 44, 6), True),
        ((3, 45, 0), False),
        ((3, 49, 9), False),
        ((3, 50, 6), False),
        ((3, 50, 7), True),
        ((3, 51, 2), False),
        ((3, 51, 3), True),
        ((3, 53, 4), True),
    ],
)
def test_only_libraries_without_the_reset_bug_are_safe(
    version: tuple[int, ...], is_safe: bool
) -> None:
    assert journal.is_wal_safe(version) is is_safe


def test_a_safe_library_keeps_a_log(tmp_path: Path, safe_library: None) -> None:
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "wal"
        assert pragma(catalog, "synchronous") == 1
        assert pragma(catalog, "wal_autocheckpoint") == 1000


def test_an_unsafe_library_starts_no_log(tmp_path: Path, unsafe_library: None) -> None:
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "truncate"
        assert pragma(catalog, "synchronous") == 2
        catalog.record_tasks([a_task("a")])
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "truncate"
        assert len(catalog.tasks()) == 1


def test_an_unsafe_library_keeps_a_log_that_is_there_and_empties_it_by_hand(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "c.db"
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: True)
    Catalog(path).close()
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: False)
    monkeypatch.setattr(session, "CHECKPOINT_COMMITS", 3)
    # Another connection, so that closing the first is not what empties the log.
    with Catalog(path), Catalog(path) as catalog:
        assert pragma(catalog, "journal_mode") == "wal"
        assert pragma(catalog, "wal_autocheckpoint") == 0
        log = Path(f"{path}-wal")
        catalog.record_tasks([a_task("a")])
        catalog.record_tasks([a_task("b")])
        assert log.stat().st_size > 0
        catalog.record_tasks([a_task("c")])
        assert log.stat().st_size == 0
        catalog.record_tasks([a_task("d")])
        catalog.close()
        assert log.stat().st_size == 0
        assert len(catalog.tasks()) == 4


def test_a_safe_library_starts_a_log_in_a_catalog_made_without(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: False)
    Catalog(tmp_path / "c.db").close()
    monkeypatch.setattr(journal, "is_wal_safe", lambda version: True)
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "wal"


def test_the_rule_is_applied_to_the_library_in_use(tmp_path: Path) -> None:
    with Catalog(tmp_path / "c.db") as catalog:
        is_wal = pragma(catalog, "journal_mode") == "wal"
        assert is_wal is journal.is_wal_safe(sqlite3.sqlite_version_info)


def test_a_transaction_waits_for_the_turn_of_others_and_foreign_keys_hold(tmp_path: Path) -> None:
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "foreign_keys") == 1
        assert pragma(catalog, "busy_timeout") == 30_000
