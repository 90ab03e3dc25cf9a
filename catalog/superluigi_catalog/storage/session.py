"""One thread's connection, with the transactions on it and the ids it has met."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from superluigi_catalog.errors import CatalogReadOnly
from superluigi_catalog.storage.driver import sqlite3
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.ids import Ids
from superluigi_catalog.storage.journal import CHECKPOINT_COMMITS, checkpoint

__all__ = ["Row", "Session"]

Row = tuple[Any, ...]

_SAVEPOINT = "SAVEPOINT inner_transaction"
_RELEASE = "RELEASE inner_transaction"
_ROLLBACK_TO = "ROLLBACK TO inner_transaction"


class Session:
    """A connection that only one thread of one process uses, in transactions.

    Args:
        connection: In the driver's autocommit mode: every BEGIN is ours.
        path: The catalog's file, for messages.
        read_only: Refuse to write.
        empties_log: The log must be emptied by hand (see `journal`).
    """

    def __init__(
        self,
        connection: sqlite3.Connection,
        *,
        path: str,
        read_only: bool = False,
        empties_log: bool = False,
    ) -> None:
        self.connection = connection
        self.path = path
        self.read_only = read_only
        self.ids = Ids()
        self.pid = os.getpid()
        self.users = 0
        """How often it is in use just now, by the one thread that may use it."""
        self.is_writing = False
        self._depth = 0
        self._empties_log = empties_log
        self._commits = 0

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> sqlite3.Cursor:
        """Run one statement of the transaction that is open."""
        return self.connection.execute(sql, parameters)

    def insert(self, sql: str, parameters: Sequence[Any]) -> int:
        """Insert one row and return its id."""
        return self.connection.execute(sql, parameters).lastrowid or 0

    def executemany(self, sql: str, rows: Iterable[Sequence[Any]]) -> None:
        """Run one statement for many rows."""
        self.connection.executemany(sql, rows)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        """Run a query and return all that it finds."""
        return self.connection.execute(sql, parameters).fetchall()

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        """Run a query and return the first that it finds."""
        found: Row | None = self.connection.execute(sql, parameters).fetchone()
        return found

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Write while inside; all of it is kept, or nothing.

        Inside another one it is a part of that, which can fail alone.

        Raises:
            CatalogReadOnly: the session only reads.
            CatalogLocked: another process did not let go in time.
        """
        if self.read_only:
            message = (
                f"The catalog {self.path!r} was opened for reading. Open it without read_only."
            )
            raise CatalogReadOnly(message, path=self.path)
        if self._depth:
            yield from self._inner()
            return
        # IMMEDIATE: a transaction that reads first and then wants to write fails at once when another
        # process wrote in between, however long the timeout is.
        with self._counted():
            self.is_writing = True
            try:
                self._begin("BEGIN IMMEDIATE")
                try:
                    yield
                except BaseException:
                    self._roll_back()
                    raise
                self._commit()
            finally:
                self.is_writing = False
        self._empty_log_now_and_then()

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """Read while inside, always the same state, whatever others write meanwhile."""
        if self._depth:
            yield
            return
        with self._counted():
            self._begin("BEGIN")
            try:
                yield
            finally:
                if self._is_ours and self.connection.in_transaction:
                    self.connection.execute("ROLLBACK")

    def interrupt(self) -> None:
        """Let the statement that another thread is waiting for fail, unless it is part of a transaction."""
        if not self.is_writing:
            self.connection.interrupt()

    def close(self) -> None:
        """End the connection."""
        if self._empties_log and self._commits:
            with translating(self.path):
                checkpoint(self.connection)
        self.connection.close()

    @property
    def _is_ours(self) -> bool:
        # A fork inside a `with` block leaves it twice, once in the child, which must not touch it.
        return self.pid == os.getpid()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1

    def _begin(self, statement: str) -> None:
        with translating(self.path):
            self.connection.execute(statement)

    def _commit(self) -> None:
        if not self._is_ours:
            return
        try:
            with translating(self.path):
                self.connection.execute("COMMIT")
        except BaseException:
            self._roll_back()
            raise
        self._commits += 1

    def _roll_back(self) -> None:
        if not self._is_ours:
            return
        # Ids of rows that are not there any more would be used for the next ones.
        self.ids.clear()
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def _inner(self) -> Iterator[None]:
        self.connection.execute(_SAVEPOINT)
        try:
            with self._counted():
                yield
        except BaseException:
            if self._is_ours:
                self.ids.clear()
                if self.connection.in_transaction:
                    self.connection.execute(_ROLLBACK_TO)
                    self.connection.execute(_RELEASE)
            raise
        self.connection.execute(_RELEASE)

    def _empty_log_now_and_then(self) -> None:
        if self._empties_log and self._commits >= CHECKPOINT_COMMITS and self._is_ours:
            self._commits = 0
            with translating(self.path):
                checkpoint(self.connection)
