"""A new file that only one connection has, and nobody reads yet: what makes filling it slow can wait.

Indexes and the search are made once at the end, in order, instead of row by row; the journal stays in
memory, where it can undo what fails; and a foreign key is not looked up that was read a moment before.
"""

from __future__ import annotations

import os
from pathlib import Path

from superluigi_catalog.storage.session import Session

__all__ = ["loosen", "publish", "tighten"]

_CACHE_KIB = 400_000
_LATER = """
SELECT type, name, sql FROM sqlite_master
WHERE type IN ('index', 'trigger') AND sql IS NOT NULL ORDER BY type
"""

Parts = list[tuple[str, str, str]]
"""(type, name, SQL)."""


def loosen(session: Session) -> Parts:
    """Make a file that was just made quick to fill.

    Returns:
        What was taken out of it, for `tighten`.
    """
    session.execute("PRAGMA journal_mode = MEMORY")
    session.execute("PRAGMA synchronous = OFF")
    session.execute("PRAGMA foreign_keys = OFF")
    session.execute(f"PRAGMA cache_size = -{_CACHE_KIB:d}")
    parts: Parts = session.rows(_LATER)
    for kind, name, _ in parts:
        session.execute(f'DROP {kind} "{name}"')
    return parts


def tighten(session: Session, parts: Parts) -> None:
    """Put back what `loosen` took out."""
    with session.transaction():
        for kind, _, sql in parts:
            if kind == "index":
                session.execute(sql)
        session.execute("INSERT INTO tasks_fts(tasks_fts) VALUES ('rebuild')")
        for kind, _, sql in parts:
            if kind == "trigger":
                session.execute(sql)
    session.execute("PRAGMA optimize")


def publish(made: Path, path: Path) -> None:
    """Give a complete file its name, unless there is one of that name already.

    Raises:
        FileExistsError: there is.
        OSError: it cannot be written.
    """
    _sync(made)
    try:
        os.link(made, path)
    except FileExistsError:
        raise
    except OSError:
        # A filesystem without hard links.
        if path.exists():
            raise FileExistsError from None
        made.rename(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
