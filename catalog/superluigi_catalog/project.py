"""Where a project and its Super Luigi directory are, and how its paths are written down."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from superluigi_catalog.errors import CatalogError

__all__ = ["Project", "find_project"]

MARKERS = ("superluigi.toml", "luigi.cfg", "pyproject.toml", ".git")
"""What makes a directory the root of a project."""

HOME_NAME = ".superluigi"
HOME_VARIABLE = "SUPERLUIGI_HOME"

_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


@dataclass(frozen=True)
class Project:
    """A project's two directories."""

    root: Path | None
    """Local paths inside it are stored relative to it; None: all are stored absolute."""
    home: Path
    """Its `.superluigi`: catalog, builds, cache."""
    _prefixes: tuple[str, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_prefixes", _prefixes(self.root))

    def ensure_home(self) -> Path:
        """Make the directory, hidden from git; the one in the user's home is private.

        Returns:
            The directory.

        Raises:
            CatalogError: it cannot be made or written.
        """
        is_private = self.home == Path.home() / HOME_NAME
        try:
            self.home.mkdir(mode=0o700 if is_private else 0o777, parents=True, exist_ok=True)
            ignore = self.home / ".gitignore"
            if not ignore.exists():
                ignore.write_text("*\n", encoding="ascii")
        except OSError as error:
            raise _unusable(self.home, error) from error
        return self.home

    def stored_path(self, path: str | os.PathLike[str]) -> str:
        """Bring a path into the form in which it is stored.

        Symbolic links are not followed, apart from the project's own root, which may be spelled
        through one.

        Args:
            path: Relative to the working directory, or absolute, or a URI such as `s3://…`.

        Returns:
            Relative to the root with `/` where it lies inside, else absolute; a URI as it is.
        """
        text = os.fspath(path)
        if "://" in text and _URI.match(text):
            return text
        if not text.startswith("/"):
            text = f"{os.getcwd()}/{text}"  # noqa: PTH109 - hot: thousands of calls per build
        text = os.path.normpath(text)
        for prefix in self._prefixes:
            if text.startswith(prefix):
                return text[len(prefix) :]
            if len(text) == len(prefix) - 1 and prefix.startswith(text):
                return "."
        return text

    def absolute_path(self, stored: str) -> str:
        """Undo `stored_path`.

        Args:
            stored: A path as the catalog and the sidecars hold it.

        Returns:
            An absolute local path; a URI as it is.
        """
        if stored.startswith("/") or ("://" in stored and _URI.match(stored)):
            return stored
        root = self.root or Path.cwd()
        return os.path.normpath(f"{root}/{stored}")


def find_project(start: Path | None = None) -> Project:
    """Find the project that a directory belongs to.

    The root is the nearest directory upwards that holds `superluigi.toml`, `luigi.cfg`,
    `pyproject.toml` or `.git`; its home is `.superluigi` in it, or what `SUPERLUIGI_HOME` names.

    Args:
        start: Where to begin; the working directory if not given.

    Returns:
        The project. Without any marker: no root and `~/.superluigi`; with `SUPERLUIGI_HOME` set,
        the directory itself is the root.
    """
    directory = Path.cwd() if start is None else _absolute(start)
    root = _marked(directory)
    override = os.environ.get(HOME_VARIABLE)
    if override:
        home = _absolute(Path(override).expanduser())
        return Project(root=root or directory, home=home)
    if root is None:
        return Project(root=None, home=Path.home() / HOME_NAME)
    return Project(root=root, home=root / HOME_NAME)


def project_of(home: Path) -> Project:
    """Tell the project from its home directory, wherever the working directory is.

    Args:
        home: The directory that holds a catalog.

    Returns:
        The project around the working directory where that is its home, or where `home` does not
        have the usual name; else the project around `home`.
    """
    home = _absolute(home)
    here = find_project()
    if home == here.home or home.name != HOME_NAME:
        return here
    if home.parent == Path.home() and _marked(home.parent) != home.parent:
        return Project(root=None, home=home)
    return Project(root=home.parent, home=home)


def _marked(directory: Path) -> Path | None:
    for candidate in (directory, *directory.parents):
        if any(os.path.lexists(f"{candidate}/{marker}") for marker in MARKERS):
            return candidate
    return None


def _prefixes(root: Path | None) -> tuple[str, ...]:
    if root is None:
        return ()
    spellings = (str(_absolute(root)), str(root.resolve()))
    return tuple(dict.fromkeys(f"{spelling.rstrip('/')}/" for spelling in spellings))


def _unusable(home: Path, error: OSError) -> CatalogError:
    there = next(place for place in (home, *home.parents) if os.path.lexists(place))
    if isinstance(error, (FileExistsError, NotADirectoryError)):
        why = f"{str(there)!r} is a file where a directory is needed. Move it away"
    else:
        why = f"{error.strerror}. Let this user write into {str(there)!r}"
    message = f"{str(home)!r} cannot hold the catalog: {why}, or name another directory as {HOME_VARIABLE}."
    return CatalogError(message, path=str(home))


def _absolute(path: Path) -> Path:
    return Path(os.path.normpath(Path.cwd() / path))
