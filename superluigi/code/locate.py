"""Where the source of a class is."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from superluigi.code.linker import Base, Linker, Place
from superluigi.code.roots import Root, default_root, import_base, is_file, root_of_package
from superluigi.code.vocabulary import ALWAYS_EXTERNAL

__all__ = ["Location", "file_of", "is_of_library", "location_of", "order_at_run_time", "place_of"]

_MAIN = frozenset({"__main__", "__mp_main__"})


@dataclass(frozen=True)
class Location:
    """A file of the project, and the project it belongs to."""

    path: str
    roots: tuple[Root, ...]
    base: Path
    """The directory that the file's module is imported from."""


def is_of_library(cls: type) -> bool:
    """Whether a class belongs to Luigi or to Super Luigi themselves."""
    return cls.__module__.partition(".")[0] in ALWAYS_EXTERNAL


def file_of(cls: type) -> Path | None:
    """The file that defines a class, by its module; None for one without a file of source."""
    file = getattr(sys.modules.get(cls.__module__), "__file__", None)
    if not isinstance(file, str):
        return None
    path = Path(file).absolute()
    if path.suffix == ".pyc":
        path = path.with_suffix(".py")
    return path if is_file(path) else None


def location_of(
    file: Path, module: str, roots: tuple[str, ...] | None, includes: tuple[str, ...]
) -> Location:
    """The project of a file.

    Args:
        file: Absolute path of the file that defines the task.
        module: The name of its module.
        roots: Directories of project code; None for the file's own project.
        includes: Installed packages that count.
    """
    name = _imported_name(module)
    extra = [root for root in map(root_of_package, includes) if root is not None]
    if roots is None:
        own = [default_root(file, name)]
    else:
        file, own = _within(file, [Path(root).absolute() for root in roots])
        if all(root.relative(file.as_posix()) is None for root in (*own, *extra)):
            own.append(default_root(file, name))
    return Location(file.as_posix(), (*own, *extra), import_base(file, name))


def place_of(linker: Linker, path: str, qualname: str) -> Place | None:
    """The class of a qualified name in a file, if its source is there."""
    module = linker.project.at(path)
    if module is not None and qualname in linker.table(module).classes:
        return module, qualname
    return None


def order_at_run_time(linker: Linker, cls: type) -> list[Base]:
    """The bases of a class that stands in no source, by what the running program says."""
    order = []
    for base in cls.__mro__[1:]:
        file = None if is_of_library(base) else file_of(base)
        place = None if file is None else place_of(linker, file.as_posix(), base.__qualname__)
        is_builtin = base.__module__ == "builtins"
        name = base.__qualname__ if is_builtin else f"{base.__module__}.{base.__qualname__}"
        order.append(Base(place, name if place is None else place[1]))
    return order


def _imported_name(module: str) -> str:
    """The name by which a module could be imported, where it runs as a program."""
    if module in _MAIN:
        spec = getattr(sys.modules.get(module), "__spec__", None)
        return str(getattr(spec, "name", None) or module)
    return module


def _within(file: Path, roots: list[Path]) -> tuple[Path, list[Root]]:
    """A file and roots spelt alike: links are followed only where that brings them together."""
    real = file.resolve()
    if not any(root in file.parents for root in roots):
        resolved = [root.resolve() for root in roots]
        if any(root in real.parents for root in resolved):
            return real, [Root(root.as_posix()) for root in resolved]
    return file, [Root(root.as_posix()) for root in roots]
