"""What every part of the catalog stands on: its file, its project, and how it is read and written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from superluigi_catalog.project import Project, find_project, project_of
from superluigi_catalog.reading.refs import References
from superluigi_catalog.storage.aside import put_aside
from superluigi_catalog.storage.connection import BUSY_TIMEOUT_S, Connections
from superluigi_catalog.storage.failures import translating
from superluigi_catalog.storage.session import Session

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Connected", "located", "set_aside"]

FILE_NAME = "catalog.db"


class Connected:
    """A catalog's file, opened."""

    path: Path
    """Where it is."""
    project: Project
    """Whose it is: how local paths are stored."""
    read_only: bool
    """Whether it refuses to record."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        read_only: bool = False,
        timeout_s: float = BUSY_TIMEOUT_S,
    ) -> None:
        self.path, self.project = located(path)
        self.read_only = read_only
        if not read_only and self.path.parent == self.project.home:
            self.project.ensure_home()
        self._connections = Connections(self.path, read_only=read_only, timeout_s=timeout_s)
        self._connections.check()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Catalog({str(self.path)!r})"

    def close(self) -> None:
        """End its connections; a later call opens them again."""
        self._connections.close()

    def interrupt(self) -> None:
        """Give up the questions that other threads wait for just now; nothing that is being recorded.

        Those calls raise `CatalogInterrupted`. One that is between two of its statements goes on.
        """
        self._connections.interrupt()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep all that is recorded while inside, or, after an error, nothing of it.

        Other processes cannot record anything meanwhile: keep it short, and do not fork inside.

        Raises:
            CatalogReadOnly: it was opened for reading.
        """
        with self._connections.transaction():
            yield

    @contextmanager
    def _writing(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.transaction() as session:
            yield session

    @contextmanager
    def _reading(self) -> Iterator[Session]:
        with translating(str(self.path)), self._connections.snapshot() as session:
            yield session

    @contextmanager
    def _outside(self) -> Iterator[Session]:
        """This thread's connection, for what SQLite does only outside of transactions."""
        with translating(str(self.path)), self._connections.idle() as session:
            yield session

    def _refs(self, session: Session) -> References:
        return References(session, self.project)


def set_aside(path: str | os.PathLike[str] | None = None) -> Path | None:
    """Rename a catalog that is damaged, or no catalog at all, so that a new one can be made and rebuilt.

    Args:
        path: Its file; without it, that of the project around the working directory.

    Returns:
        Where it is kept now; None when there was none.

    Raises:
        CatalogLocked: somebody is writing to it.
        CatalogError: it cannot be renamed.
    """
    return put_aside(located(path)[0])


def located(path: str | os.PathLike[str] | None) -> tuple[Path, Project]:
    """Say which file is meant, and whose catalog that is."""
    if path is None:
        project = find_project()
        return project.home / FILE_NAME, project
    found = Path(os.path.normpath(Path.cwd() / Path(path).expanduser()))
    return found, project_of(found.parent)
