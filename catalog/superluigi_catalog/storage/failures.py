"""The driver's errors, told in the catalog's own terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from superluigi_catalog.errors import (
    CatalogError,
    CatalogInterrupted,
    CatalogLocked,
    CatalogReadOnly,
    NotACatalog,
    RecordRefused,
)
from superluigi_catalog.storage.driver import sqlite3

__all__ = ["translated", "translating"]


@contextmanager
def translating(path: str) -> Iterator[None]:
    """Turn errors of the driver, raised while inside, into `CatalogError`s about `path`."""
    try:
        yield
    except sqlite3.Error as error:
        raise translated(error, path) from error


def translated(error: sqlite3.Error, path: str) -> CatalogError:
    """Say what an error of the driver means, and what to do."""
    text = str(error)
    if isinstance(error, sqlite3.IntegrityError):
        message = f"The catalog {path!r} refused a record: {text}. Nothing of it was kept."
        return RecordRefused(message, path=path)
    # Python 3.10 and pysqlite3 give no error codes: the message is all there is.
    for sign, make in _SIGNS.items():
        if sign in text:
            return make(path, text)
    message = f"The catalog {path!r} failed: {text}."
    return CatalogError(message, path=path)


def _locked(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} stayed locked by another process for too long ({text}). "
        "Look for a build, a backup or an SQLite shell that keeps a transaction open, and try again."
    )
    return CatalogLocked(message, path=path)


def _interrupted(path: str, text: str) -> CatalogError:
    message = f"A question to the catalog {path!r} was given up ({text})."
    return CatalogInterrupted(message, path=path)


def _foreign(path: str, text: str) -> CatalogError:
    message = (
        f"{path!r} is no Super Luigi catalog ({text}). Name another file; or, if it was one, run "
        "`superluigi rebuild --replace ROOT...`, which keeps it under another name and makes a new one "
        "from the sidecars."
    )
    return NotACatalog(message, path=path)


def _damaged(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} is damaged ({text}). Run `superluigi rebuild --replace ROOT...`: it keeps "
        "the file under another name and makes a new one from the sidecars."
    )
    return CatalogError(message, path=path)


def _unopenable(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} cannot be opened ({text}). Its directory must exist, and this user "
        "must be allowed to write into it."
    )
    return CatalogError(message, path=path)


def _readonly(path: str, text: str) -> CatalogError:
    message = f"The catalog {path!r} cannot be written ({text}). Open it without read_only, or let this user write the file and its directory."
    return CatalogReadOnly(message, path=path)


def _full(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} has no room left ({text}). Free space on its disk and try again."
    )
    return CatalogError(message, path=path)


def _broken_disk(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} cannot be read or written ({text}). See that its disk has room left, that no "
        "limit on file sizes is reached, and that the disk is well; what was recorded before is not lost."
    )
    return CatalogError(message, path=path)


_SIGNS = {
    "interrupted": _interrupted,
    "locked": _locked,
    "busy": _locked,
    "not a database": _foreign,
    "malformed": _damaged,
    "unable to open": _unopenable,
    "readonly": _readonly,
    "disk is full": _full,
    "disk I/O error": _broken_disk,
}
