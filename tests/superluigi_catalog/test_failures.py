from __future__ import annotations

import pytest

from superluigi_catalog import (
    CatalogError,
    CatalogLocked,
    CatalogReadOnly,
    NotACatalog,
    RecordRefused,
)
from superluigi_catalog.storage.driver import sqlite3
from superluigi_catalog.storage.failures import translated


@pytest.mark.parametrize(
    ("error", "kind", "advice"),
    [
        (sqlite3.OperationalError("database is locked"), CatalogLocked, "try again"),
        (sqlite3.OperationalError("database schema is locked: main"), CatalogLocked, "try again"),
        (sqlite3.DatabaseError("file is not a database"), NotACatalog, "Name another file"),
        (
            sqlite3.DatabaseError("database disk image is malformed"),
            CatalogError,
            "rebuild --replace",
        ),
        (sqlite3.OperationalError("unable to open database file"), CatalogError, "must exist"),
        (
            sqlite3.OperationalError("attempt to write a readonly database"),
            CatalogReadOnly,
            "let this user write",
        ),
        (sqlite3.OperationalError("database or disk is full"), CatalogError, "Free space"),
        (sqlite3.OperationalError("disk I/O error"), CatalogError, "room left"),
        (
            sqlite3.IntegrityError("CHECK constraint failed"),
            RecordRefused,
            "Nothing of it was kept",
        ),
        (sqlite3.ProgrammingError("something else"), CatalogError, "something else"),
    ],
)
def test_an_error_of_the_driver_says_what_to_do(
    error: sqlite3.Error, kind: type[CatalogError], advice: str
) -> None:
    found = translated(error, "c.db")
    assert type(found) is kind
    assert advice in str(found)
    assert "'c.db'" in str(found)
    assert found.path == "c.db"
