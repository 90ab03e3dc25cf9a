"""Setting a catalog's file aside, so that a new one can be made in its place."""

from __future__ import annotations

import contextlib
from datetime import datetime, timezone
from pathlib import Path

from superluigi_catalog.errors import CatalogError, CatalogLocked
from superluigi_catalog.storage.driver import sqlite3
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.forks import fork_gate

__all__ = ["put_aside"]

_COMPANIONS = ("-wal", "-shm", "-journal")
_PATIENCE_S = 5.0


def put_aside(path: Path) -> Path | None:
    """Rename a catalog, with what SQLite keeps beside it; nothing is deleted.

    Returns:
        Where it is now; None when there was none.

    Raises:
        CatalogLocked: somebody is writing to it.
        CatalogError: it cannot be renamed.
    """
    if not path.exists():
        return None
    _empty_log(path)
    stamp = datetime.now(timezone.utc).strftime("%Y%m%dT%H%M%S.%fZ")
    kept = path.with_name(f"{path.name}.aside-{stamp}")
    try:
        # The log first: a new file must never meet an old log.
        for companion in _COMPANIONS:
            with contextlib.suppress(FileNotFoundError):
                path.with_name(path.name + companion).rename(f"{kept}{companion}")
        path.rename(kept)
    except OSError as error:
        message = f"The catalog {str(path)!r} cannot be set aside: {error.strerror}."
        raise CatalogError(message, path=str(path)) from error
    return kept


def _empty_log(path: Path) -> None:
    """Bring all into the one file, as far as that is a database at all, while nobody writes.

    Raises:
        CatalogLocked: somebody does.
    """
    with fork_gate:
        connection = sqlite3.connect(path, timeout=_PATIENCE_S, isolation_level=None)
        try:
            with translating(str(path)):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("ROLLBACK")
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except CatalogLocked:
            raise
        except CatalogError:
            pass  # no database, or a damaged one: it is kept as it is
        finally:
            connection.close()
