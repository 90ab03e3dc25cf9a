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
        f"{path!r} is no Super Luigi catalog ({text}). Name another file, or move this one away."
    )
    return NotACatalog(message, path=path)


def _damaged(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} is damaged ({text}). Move it away with its -wal and -shm files: "
        "a new one is rebuilt from the sidecars."
    )
    return CatalogError(message, path=path)


def _unopenable(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} cannot be opened ({text}). Its directory must exist, and this user "
        "must be allowed to write into it."
    )
    return CatalogError(message, path=path)


def _readonly(path: str, text: str) -> CatalogError:
    message = f"The catalog {path!r} cannot be written ({text}). Open it without read_only, or check its permissions."
    return CatalogReadOnly(message, path=path)


def _full(path: str, text: str) -> CatalogError:
    message = (
        f"The catalog {path!r} has no room left ({text}). Free space on its disk and try again."
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
    "disk I/O error": _unopenable,
}
