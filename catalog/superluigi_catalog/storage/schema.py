"""The catalog's form: its version, and how a file is brought up to it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from superluigi_catalog.storage.driver import sqlite3

if TYPE_CHECKING:
    from sqlite_utils import Database

__all__ = ["APPLICATION_ID", "SCHEMA_VERSION", "migrate", "statements"]

APPLICATION_ID = 0x534C4347
"""`SLCG`, in the file's header: tells a catalog from any other SQLite file."""

SCHEMA_VERSION = 1
"""In the file's header too, so that one look decides whether there is anything to do."""


def migrate(connection: sqlite3.Connection) -> None:
    """Apply the migrations that a file lacks; call it inside `BEGIN IMMEDIATE`.

    Of several processes that migrate at once, one does it and the others find it done; sqlite-utils
    alone, with its plain `BEGIN`, let most of them fail.
    """
    # Only here: see `driver` for what importing sqlite-utils costs.
    from sqlite_utils import Database
    from sqlite_utils.migrations import Migrations

    migrations = Migrations("superluigi_catalog")
    migrations(name="0001_first_form")(_first_form)
    migrations.apply(Database(connection, recursive_triggers=False, execute_plugins=False))
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION:d}")


def statements(script: str) -> Iterator[str]:
    """Split a script into its statements; `executescript` would commit the open transaction."""
    pending = ""
    for line in script.splitlines(keepends=True):
        pending += line
        if sqlite3.complete_statement(pending):
            yield pending.strip()
            pending = ""


def _first_form(db: Database) -> None:
    script = Path(__file__).with_name("schema.sql").read_text(encoding="utf-8")
    for statement in statements(script):
        db.conn.execute(statement)
    db.conn.execute(f"PRAGMA application_id = {APPLICATION_ID:d}")
