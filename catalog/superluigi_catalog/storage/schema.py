"""The catalog's form: its version, and how a file is brought up to it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from superluigi_catalog.storage.driver import sqlite3

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "migrate", "statements"]

APPLICATION_ID = 0x534C4347
"""`SLCG`, in the file's header: tells a catalog from any other SQLite file."""

SCHEMA_VERSION = 1
"""In the file's header too, so that one look decides whether there is anything to do."""

_MIGRATION_SET = "superluigi_catalog"
_FIRST = "0001_first_form"
_MIGRATIONS_TABLE = """\
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
"""
"""As sqlite-utils makes it.

Source: https://github.com/simonw/sqlite-utils/blob/main/sqlite_utils/migrations.py (4).
"""
_RECORD_MIGRATION = (
    "INSERT INTO _sqlite_migrations (migration_set, name, applied_at) VALUES (?, ?, ?)"
)


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that a file lacks; call it inside `BEGIN IMMEDIATE`.

    Of several processes that migrate at once, one does it and the others find it done; sqlite-utils
    alone, with its plain `BEGIN`, let most of them fail.
    """
    if _is_new(connection):
        # As sqlite-utils would, without importing it: see `driver` for what that costs.
        _first_form(connection)
        for statement in statements(_MIGRATIONS_TABLE):
            connection.execute(statement)
        row = (_MIGRATION_SET, _FIRST, str(datetime.now(timezone.utc)))
        connection.execute(_RECORD_MIGRATION, row)
    else:
        _upgrade(connection)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; `executescript` would commit the open transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""


def _is_new(connection: sqlite3.Connection) -> bool:
    return not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]


def _upgrade(connection: sqlite3.Connection) -> None:
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations(_MIGRATION_SET)
    migrations(name=_FIRST)(lambda db: _first_form(db.conn))
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))


def _first_form(connection: sqlite3.Connection) -> None:
    script = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    for statement in statements(script):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
