"""`Catalog`: all that can be recorded and asked, under one name."""

from __future__ import annotations

from superluigi_catalog.accepter import Accepter
from superluigi_catalog.browser import Browser
from superluigi_catalog.keeper import Keeper
from superluigi_catalog.recorder import Recorder

__all__ = ["Catalog"]


class Catalog(Recorder, Accepter, Keeper, Browser):
    """The lineage of a project, in one SQLite file.

    A context manager. Threads and forked processes may share one: each has a connection of its own, and
    every call is one transaction or one consistent look.

    A *ref* is a task hash or at least four digits of its beginning, the path of a target (relative to the
    working directory, or absolute) or its URI, or an object with a `task_hash`, such as a task.

    Args:
        path: The file; made where there is none. Without it, `catalog.db` in the home of the project
            around the working directory.
        read_only: Record nothing, and make no file.
        timeout_s: How long a call waits for other processes.

    Raises:
        CatalogMissing: there is no such file, and it is only to be read.
        NotACatalog: the file is something else.
        CatalogTooNew, CatalogTooOld: its form is not the present one.
        CatalogLocked: another process kept it locked; any later call may raise it too.
        CatalogError: anything else that keeps it from being opened.
    """
