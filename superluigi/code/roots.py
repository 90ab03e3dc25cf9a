"""Which directories hold a project's own code."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

__all__ = [
    "Root",
    "default_root",
    "import_base",
    "importable_directories",
    "is_file",
    "is_installed",
    "is_standard_library",
    "root_of_package",
    "search_path",
]

_MARKERS = ("pyproject.toml", "setup.py", "setup.cfg", ".git", "luigi.cfg", "superluigi.toml")
_INSTALLED = frozenset({"site-packages", "dist-packages"})


@dataclass(frozen=True)
class Root:
    """A directory of project code."""

    path: str
    """Absolute, with forward slashes."""
    package: str = ""
    """Only this package below it counts, where others live beside it: dotted."""
    is_shallow: bool = False
    """Only the files directly in it count: it is the home directory or the root of the disk."""

    def relative(self, path: str) -> str | None:
        """The path below this root; None where it lies elsewhere or does not count."""
        start = self.path if self.path.endswith("/") else f"{self.path}/"
        if not path.startswith(start):
            return None
        below = path[len(start) :]
        if self.is_shallow and "/" in below:
            return None
        if self.package:
            place = self.package.replace(".", "/")
            if below != f"{place}.py" and not below.startswith(f"{place}/"):
                return None
        return below


def default_root(file: Path, module: str) -> Root:
    """The root of the project that a file belongs to.

    The nearest directory with a `pyproject.toml`, `.git` and the like, at or above the directory
    that the file's package is imported from; else that directory.

    Args:
        file: The absolute path of the file that defines the task.
        module: The name it was imported by, or `__main__`.
    """
    base = import_base(file, module)
    if is_installed(file):
        # A project that is itself installed: its own top-level package, not its neighbours.
        package = file.relative_to(base).parts[0].removesuffix(".py")
        return Root(base.as_posix(), package=package)
    for directory in (base, *base.parents):
        if _is_too_wide(directory):
            break
        if any(_exists(directory / marker) for marker in _MARKERS):
            return Root(directory.as_posix())
    return Root(base.as_posix(), is_shallow=_is_too_wide(base))


def import_base(file: Path, module: str) -> Path:
    """The directory that must be on `sys.path` for a file to be imported as a module."""
    parts = module.split(".")
    place = file.parent if file.name == "__init__.py" else file.with_suffix("")
    if place.parts[-len(parts) :] == tuple(parts):
        return place.parents[len(parts) - 1]
    directory = file.parent
    while is_file(directory / "__init__.py") and directory != directory.parent:
        directory = directory.parent
    return directory


def root_of_package(package: str) -> Root | None:
    """The root that makes an installed package count as project code; None if it is not found."""
    top = package.partition(".")[0]
    for directory in importable_directories():
        if _exists(Path(directory, top)) or is_file(Path(directory, f"{top}.py")):
            return Root(directory, package=package)
    return None


def importable_directories() -> list[str]:
    """The entries of `sys.path` as absolute paths with forward slashes, in their order."""
    return [Path(entry).absolute().as_posix() for entry in sys.path if isinstance(entry, str)]


def search_path(roots: Iterable[Root], base: Path) -> list[str]:
    """Where absolute imports are looked for, first come first served.

    Args:
        roots: The project's roots.
        base: The directory that the task's own module is imported from.
    """
    roots = list(roots)
    entries = [
        entry for entry in importable_directories() if any(_touches(root, entry) for root in roots)
    ]
    entries.append(base.as_posix())
    for root in roots:
        entries.append(root.path)
        if not root.package and not root.is_shallow:
            entries.append(f"{root.path}/src")
    return list(dict.fromkeys(entries))


def is_installed(file: Path) -> bool:
    """Whether a file belongs to an installed package or to Python itself."""
    return bool(_INSTALLED & set(file.parts)) or is_standard_library(file.as_posix())


def is_standard_library(path: str) -> bool:
    """Whether a path lies where this Python keeps its own modules."""
    return path.startswith(_standard_library())


def is_file(path: Path) -> bool:
    """Whether a file is there, as far as we may look; a name that can be none is none."""
    try:
        return path.is_file()
    except OSError:
        return False


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:
        return False


def _touches(root: Root, directory: str) -> bool:
    if directory == root.path:
        return True
    return not root.package and not root.is_shallow and directory.startswith(f"{root.path}/")


def _is_too_wide(directory: Path) -> bool:
    """Taking the root of the disk or a home directory for a project would take everything."""
    if directory == directory.parent:
        return True
    try:
        return directory == Path.home()
    except RuntimeError:  # a user without a home directory, as in some containers
        return False


@lru_cache(maxsize=1)
def _standard_library() -> tuple[str, ...]:
    paths = sysconfig.get_paths()
    return tuple({f"{Path(paths[name]).as_posix()}/" for name in ("stdlib", "platstdlib")})
