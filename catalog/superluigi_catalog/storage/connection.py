"""Opening a catalog's file, and handing each thread of each process a connection of its own."""

from __future__ import annotations

import os
import threading
import urllib.parse
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from superluigi_catalog.errors import (
    CatalogError,
    CatalogMissing,
    CatalogTooNew,
    CatalogTooOld,
    NotACatalog,
)
from superluigi_catalog.storage.driver import sqlite3
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.filesystem import is_on_network
from superluigi_catalog.storage.forks import fork_gate, keep_forever
from superluigi_catalog.storage.journal import set_journal
from superluigi_catalog.storage.schema import APPLICATION_ID, SCHEMA_VERSION, migrate
from superluigi_catalog.storage.session import Session

__all__ = ["BUSY_TIMEOUT_S", "Connections", "connect"]

BUSY_TIMEOUT_S = 30.0
"""How long a statement waits for another process."""

_MIN_SQLITE = (3, 37, 0)
_HEADER = (
    "SELECT a.application_id, v.user_version FROM pragma_application_id a, pragma_user_version v"
)


def connect(path: Path, *, read_only: bool = False, timeout_s: float = BUSY_TIMEOUT_S) -> Session:
    """Open a catalog; make it, or bring it up to the present form, unless it is only to be read.

    Args:
        path: The file; its directory must exist.
        read_only: Never write, and never make the file.
        timeout_s: How long a statement waits for another process.

    Raises:
        CatalogMissing: there is no such file, and it is only to be read.
        NotACatalog: the file is something else.
        CatalogTooNew, CatalogTooOld: its form is not the present one.
        CatalogLocked: another process did not let go in time.
        CatalogError: anything else that keeps it from being opened.
    """
    _check_library()
    _check_place(path, read_only=read_only)
    text = str(path)
    with fork_gate, translating(text):
        if not read_only:
            return _opened(path, "mode=rwc", read_only=False, timeout_s=timeout_s)
        try:
            return _opened(path, "mode=ro", read_only=True, timeout_s=timeout_s)
        except sqlite3.OperationalError:
            if not _is_frozen(path):
                raise
            return _opened(path, "mode=ro&immutable=1", read_only=True, timeout_s=timeout_s)


def _opened(path: Path, options: str, *, read_only: bool, timeout_s: float) -> Session:
    connection = sqlite3.connect(
        f"file:{urllib.parse.quote(os.fsencode(path))}?{options}",
        uri=True,
        timeout=timeout_s,
        isolation_level=None,
        # Handed to one thread at a time; another one may close it, before a fork or at the end.
        check_same_thread=False,
        cached_statements=256,
    )
    try:
        return _prepared(connection, path, read_only=read_only)
    except BaseException:
        connection.close()
        raise


def _is_frozen(path: Path) -> bool:
    """Whether a catalog can be read as a file that nobody changes: all is in it, and this user cannot write.

    Where this user may not write beside a catalog with a log, SQLite cannot make what readers of a log
    share. While nobody has it open for writing, the log is gone and the file is all there is.
    """
    log = path.with_name(f"{path.name}-wal")
    return not os.access(path.parent, os.W_OK) and not (log.exists() and log.stat().st_size)


class Connections:
    """The connections of one catalog: one for each thread of this process, opened when first needed.

    Nothing is shared with a forked child: before a fork the connections are closed, and the child
    opens its own (`forks` says why).
    """

    def __init__(
        self, path: Path, *, read_only: bool = False, timeout_s: float = BUSY_TIMEOUT_S
    ) -> None:
        self.path = path
        self.read_only = read_only
        self.timeout_s = timeout_s
        self._start_anew()
        self._is_orphaned = False
        fork_gate.register(self)

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """Write through this thread's connection while inside (see `Session.transaction`).

        Raises:
            CatalogError: see `connect`; also in a child that was forked inside a transaction.
        """
        with self._using() as session, session.transaction():
            yield session

    @contextmanager
    def snapshot(self) -> Iterator[Session]:
        """Read through this thread's connection while inside (see `Session.snapshot`).

        Raises:
            CatalogError: as `transaction`.
        """
        with self._using() as session, session.snapshot():
            yield session

    @contextmanager
    def idle(self) -> Iterator[Session]:
        """Use this thread's connection while inside, without a transaction.

        Raises:
            CatalogError: see `connect`; also when a transaction is open.
        """
        with self._using() as session:
            if session.connection.in_transaction:
                message = "This cannot be done inside a transaction on the catalog. End it first."
                raise CatalogError(message, path=str(self.path))
            yield session

    def check(self) -> None:
        """Open this thread's connection now, so that whatever is wrong with the file is said now.

        Raises:
            CatalogError: see `connect`.
        """
        with self._using():
            pass

    def close(self) -> None:
        """End all connections that are idle; the next use opens them again."""
        with self._lock:
            for thread, session in list(self._sessions.items()):
                if not session.users:
                    del self._sessions[thread]
                    session.close()

    def interrupt(self) -> None:
        """Let what other threads read just now fail with `CatalogInterrupted`."""
        with self._lock:
            for session in self._sessions.values():
                if session.users:
                    session.interrupt()

    def before_fork(self) -> None:
        """Close what is idle: an open connection that a child inherits costs it commits."""
        self.close()

    def after_fork_in_child(self) -> None:
        """Leave the parent's connections alone for ever."""
        inherited = list(self._sessions.values())
        for session in inherited:
            keep_forever(session.connection)
        self._start_anew()
        self._is_orphaned = self._is_orphaned or bool(inherited)

    @contextmanager
    def _using(self) -> Iterator[Session]:
        # The gate first: a fork must not close the connection between finding and using it. Nor may
        # `close` in another thread, hence the count.
        with fork_gate:
            if self._pid != os.getpid():
                # A fork that Python was not told of, by a C library.
                self.after_fork_in_child()
            with self._lock:
                session = self._sessions.get(threading.get_ident())
                if session is not None:
                    session.users += 1
            if session is None:
                session = self._open()
            try:
                yield session
            finally:
                session.users -= 1

    def _start_anew(self) -> None:
        self._lock = threading.Lock()
        self._sessions: dict[int, Session] = {}
        self._pid = os.getpid()

    def _open(self) -> Session:
        if self._is_orphaned:
            message = (
                f"This process was forked while a transaction on the catalog {str(self.path)!r} was open, "
                "and can therefore not use it safely. End the transaction before forking."
            )
            raise CatalogError(message, path=str(self.path))
        session = connect(self.path, read_only=self.read_only, timeout_s=self.timeout_s)
        session.users += 1
        with self._lock:
            self._close_those_of_ended_threads()
            self._sessions[threading.get_ident()] = session
        return session

    def _close_those_of_ended_threads(self) -> None:
        living = {thread.ident for thread in threading.enumerate()}
        for thread in self._sessions.keys() - living:
            self._sessions.pop(thread).close()

    def __del__(self) -> None:
        if getattr(self, "_pid", None) == os.getpid():
            self.close()


def _check_library() -> None:
    if sqlite3.sqlite_version_info < _MIN_SQLITE:
        wanted = ".".join(map(str, _MIN_SQLITE))
        message = (
            f"SQLite {sqlite3.sqlite_version} is too old for the catalog, which needs {wanted}. "
            "Install pysqlite3."
        )
        raise CatalogError(message)


def _check_place(path: Path, *, read_only: bool) -> None:
    # Never opened here with anything but SQLite: closing any other handle on the file would drop the
    # locks that SQLite holds in this process.
    text = str(path)
    if path.is_dir():
        message = (
            f"{text!r} is a directory, not a catalog. Name the file in it, such as catalog.db."
        )
        raise NotACatalog(message, path=text)
    if read_only and not path.exists():
        message = (
            f"There is no catalog at {text!r}. One is made the first time that a task is run here; "
            "or name another one."
        )
        raise CatalogMissing(message, path=text)
    if not path.parent.is_dir():
        message = f"The directory of the catalog {text!r} does not exist. Make it, or name another."
        raise CatalogError(message, path=text)


def _prepared(connection: sqlite3.Connection, file: Path, *, read_only: bool) -> Session:
    path = str(file)
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA cache_size = -16000")
    is_current = _check_form(connection, path, read_only=read_only)
    if read_only:
        return Session(connection, path=path, read_only=True)
    empties_log = set_journal(connection, on_network=is_on_network(file.parent))
    session = Session(connection, path=path, empties_log=empties_log)
    if not is_current:
        with session.transaction():
            # Another process may have done it while this one waited for its turn.
            if not _check_form(connection, path, read_only=False):
                migrate(connection)
    return session


def _check_form(connection: sqlite3.Connection, path: str, *, read_only: bool) -> bool:
    """Whether the form is the present one; False: it can be brought up to it."""
    application, version = connection.execute(_HEADER).fetchone()
    if application == APPLICATION_ID and version == SCHEMA_VERSION:
        return True
    if application == APPLICATION_ID and version > SCHEMA_VERSION:
        message = (
            f"The catalog {path!r} has form {version}; this Super Luigi knows forms up to "
            f"{SCHEMA_VERSION}. Upgrade superluigi."
        )
        raise CatalogTooNew(message, path=path)
    if application != APPLICATION_ID and not _is_empty(connection, application, version):
        message = (
            f"{path!r} is the SQLite file of another program, not a Super Luigi catalog. "
            "Name another file."
        )
        raise NotACatalog(message, path=path)
    if read_only:
        message = (
            f"The catalog {path!r} is empty or of an older form ({version}; the present one is "
            f"{SCHEMA_VERSION}). Open it once for writing, which brings it up to date."
        )
        raise CatalogTooOld(message, path=path)
    return False


def _is_empty(connection: sqlite3.Connection, application: int, version: int) -> bool:
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    return bool(application == 0 and version == 0 and tables == 0)
