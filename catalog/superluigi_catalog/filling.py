"""Making a catalog of much that is known already."""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

from superluigi_catalog.catalog import Catalog
from superluigi_catalog.connected import located
from superluigi_catalog.errors import CatalogError
from superluigi_catalog.storage.loose import loosen, publish, tighten

__all__ = ["fill_catalog"]


@contextmanager
def fill_catalog(path: str | os.PathLike[str] | None = None) -> Iterator[Catalog]:
    """Make a new catalog and record much in it, in a fraction of the time that it takes one by one.

    What is recorded inside the `with` block goes into a file beside `path`, which gets that name at the end,
    when all is in it; after an error there is none. To take it into a catalog that is there, `merge` it.
    Every call keeps in memory what it would take to undo it: hand in some ten thousand entries at a time.

    Args:
        path: Where none is yet; without it, that of the project around the working directory.

    Yields:
        A catalog to be used by this one thread.

    Raises:
        CatalogError: there is one already, or it cannot be written.

    Example:
        with fill_catalog("old.db") as catalog:
            catalog.record_tasks(tasks)
            catalog.record_runs(runs)
    """
    place, project = located(path)
    if os.path.lexists(place):
        raise _exists(str(place))
    if place.parent == project.home:
        project.ensure_home()
    made = place.with_name(f".{place.name}.{secrets.token_hex(4)}")
    try:
        with Catalog(made) as catalog:
            with catalog._outside() as session:
                parts = loosen(session)
            yield catalog
            with catalog._outside() as session:
                tighten(session, parts)
        publish(made, place)
    except FileExistsError as error:
        raise _exists(str(place)) from error
    except OSError as error:
        message = f"{str(place)!r} cannot be written: {error.strerror}."
        raise CatalogError(message, path=str(place)) from error
    finally:
        for ending in ("", "-journal", "-wal", "-shm"):
            made.with_name(f"{made.name}{ending}").unlink(missing_ok=True)


def _exists(path: str) -> CatalogError:
    message = f"{path!r} exists already. Name another file, and merge it into this one."
    return CatalogError(message, path=path)
