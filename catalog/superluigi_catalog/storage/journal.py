"""Which journal a catalog keeps: by what is known of the SQLite library in use.

SQLite 3.7.0 to 3.51.2 can corrupt a database in WAL mode when one connection resets the log while
another checkpoints it; 3.51.3 repaired that, and 3.50.7 and 3.44.6 carry the repair.

Source: https://www.sqlite.org/changes.html (3.51.3); https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable

from superluigi_catalog.storage.driver import sqlite3

__all__ = ["JournalMode", "checkpoint", "is_wal_safe", "set_journal"]

JournalMode = str
"""`wal` or `truncate`."""

CHECKPOINT_COMMITS = 2_000
"""Without automatic checkpoints the log is emptied this often."""

_SWITCH_PATIENCE_S = 30.0


def is_wal_safe(version: tuple[int, ...]) -> bool:
    """Whether a library of this version is free of the WAL-reset bug.

    Args:
        version: Three numbers, as in `sqlite3.sqlite_version_info`.

    Example:
        >>> is_wal_safe((3, 40, 1)), is_wal_safe((3, 44, 6)), is_wal_safe((3, 53, 0))
        (False, True, True)
    """
    return (
        version >= (3, 51, 3) or (3, 50, 7) <= version < (3, 51) or (3, 44, 6) <= version < (3, 45)
    )


def set_journal(connection: sqlite3.Connection, *, on_network: bool = False) -> bool:
    """Set the journal of a connection that will write.

    Args:
        connection: To be used for writing.
        on_network: The file is on a network filesystem, where processes on several machines cannot share
            the memory that goes with a WAL.

    Returns:
        Whether the log must be emptied by hand (`checkpoint`): it is a WAL, and should not be.
    """
    is_safe = is_wal_safe(sqlite3.sqlite_version_info) and not on_network
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if on_network and mode == "wal":
        with contextlib.suppress(
            sqlite3.OperationalError
        ):  # others have it open: the next one does it
            mode = connection.execute("PRAGMA journal_mode = TRUNCATE").fetchone()[0]
    if is_safe and mode != "wal":
        mode = _patiently(lambda: connection.execute("PRAGMA journal_mode = WAL").fetchone()[0])
    if not is_safe:
        # Also where there is no WAL: another process with a safe library may switch to one later.
        connection.execute("PRAGMA wal_autocheckpoint = 0")
    if mode == "wal":
        connection.execute("PRAGMA synchronous = NORMAL")
        return not is_safe
    connection.execute("PRAGMA journal_mode = TRUNCATE")
    connection.execute("PRAGMA synchronous = FULL")
    return False


def checkpoint(connection: sqlite3.Connection) -> None:
    """Empty the log; this blocks writers, which is what keeps the bug from happening."""
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()


def _patiently(switch: Callable[[], JournalMode]) -> JournalMode:
    # SQLite does not call its busy handler for this: eight processes that open a new catalog at
    # once would see "database is locked".
    deadline = time.monotonic() + _SWITCH_PATIENCE_S
    while True:
        try:
            return switch()
        except sqlite3.OperationalError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.005)
