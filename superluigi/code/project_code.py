"""Finding the project's own modules, without importing anything."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from superluigi.code.cache import SourceFile, TableCache
from superluigi.code.parsing import source_lines
from superluigi.code.roots import Root, importable_directories, is_file, is_standard_library
from superluigi.code.symbols import FileTable
from superluigi.code.table_builder import build_table
from superluigi.code.vocabulary import ALWAYS_EXTERNAL

__all__ = ["Module", "ProjectCode"]

_NEVER_BELOW = frozenset({"site-packages", "dist-packages", "__pycache__"})
_ENVIRONMENT_MARKS = frozenset({"pyvenv.cfg", "conda-meta"})
_BINARY = (".so", ".pyd")


@dataclass(frozen=True, eq=False)
class Module:
    """One module of the project; the same object for the same file, however it was imported."""

    kind: str
    """`source`, `binary`, or `namespace` (a package without a file)."""
    name: str
    """Dotted, from its place below the root."""
    path: str
    """Absolute path of its file; of its first directory for a namespace."""
    directories: tuple[str, ...]
    """Where its submodules are; empty for what is no package."""


class ProjectCode:
    """The modules below some roots, as they stand on disk during one pass.

    Args:
        roots: Directories of project code.
        search_path: Where absolute imports are looked for.
        cache: The tables of files.
        excludes: Dotted names of modules that do not count.
    """

    def __init__(
        self,
        roots: Sequence[Root],
        search_path: Sequence[str],
        cache: TableCache,
        excludes: Iterable[str] = (),
    ) -> None:
        self.roots = tuple(roots)
        self._search_path = tuple(search_path)
        self._importable = importable_directories()
        self._cache = cache
        self._excludes = tuple(excludes)
        self._found: dict[str, Module | None] = {}
        self._modules: dict[str, Module | None] = {}
        self._sources: dict[str, SourceFile | None] = {}
        self._lines: dict[str, list[str]] = {}
        self._listings: dict[str, dict[str, bool]] = {}

    def find(self, dotted: str) -> Module | None:
        """The project module that an absolute import leads to; None for everything else."""
        if dotted not in self._found:
            self._found[dotted] = self._find(dotted)
        return self._found[dotted]

    def child(self, package: Module, name: str) -> Module | None:
        """A submodule of a package."""
        return self._in_directories(package.directories, name)

    def package_around(self, module: Module, level: int) -> Module | None:
        """What `level` leading dots mean in a module."""
        directory = module.path if module.kind == "namespace" else _parent(module.path)
        for _ in range(level - 1):
            directory = _parent(directory)
        return self._package(directory)

    def at(self, path: str) -> Module | None:
        """The module of a source file; None where the file does not count."""
        if path not in self._modules:
            name = self._counted_name(path)
            kind = "binary" if path.endswith(_BINARY) else "source"
            directories = (_parent(path),) if path.endswith("/__init__.py") else ()
            module = None if name is None else Module(kind, name, path, directories)
            self._modules[path] = module
        return self._modules[path]

    def add_text(self, name: str, path: str, text: str) -> Module:
        """A module that stands in no file, such as a notebook.

        Raises:
            SyntaxError, ValueError, RecursionError, MemoryError: This Python cannot parse it.
        """
        module = self._modules[path] = Module("source", name, path, ())
        self._sources[path] = SourceFile(path, "", build_table(text.encode()))
        self._lines[path] = text.split("\n")
        return module

    def found(self) -> Iterable[tuple[str, Module]]:
        """Every absolute import that was looked for and led to the project."""
        found = list(self._found.items())
        return [(name, module) for name, module in found if module is not None]

    def is_excluded(self, dotted: str) -> bool:
        """Whether a name was excluded by name."""
        return any(dotted == name or dotted.startswith(f"{name}.") for name in self._excludes)

    def table(self, module: Module) -> FileTable | None:
        """The table of a module; None for what is no source or cannot be parsed."""
        source = self.source(module)
        return source.table if source is not None else None

    def source(self, module: Module) -> SourceFile | None:
        """The file of a module as it was first read in this pass."""
        if module.kind != "source":
            return None
        if module.path not in self._sources:
            self._sources[module.path] = self._cache.read(module.path)
        return self._sources[module.path]

    def lines(self, module: Module) -> list[str]:
        """The lines of a module's file; none where it changed since its table was made."""
        if module.path not in self._lines:
            source = self.source(module)
            content = None if source is None else source.content()
            self._lines[module.path] = [] if content is None else source_lines(content)
        return self._lines[module.path]

    def relative(self, path: str) -> str | None:
        """A path relative to the root it lies in; None for one outside."""
        root, below = self._placed(path)
        return None if root is None else below

    def file_near(self, module: Module, name: str) -> str | None:
        """The project file that a string in a module names: beside it, or further up."""
        directory = _parent(module.path)
        while self._is_below_root(directory):
            path = Path(os.path.normpath(f"{directory}/{name.lstrip('/')}"))
            if self.relative(path.as_posix()) is not None and is_file(path):
                return path.as_posix()
            directory = _parent(directory)
        return None

    def _find(self, dotted: str) -> Module | None:
        package, _, name = dotted.rpartition(".")
        if self.is_excluded(dotted):
            return None
        if package:
            parent = self.find(package)
            return None if parent is None else self.child(parent, name)
        if not name or name in ALWAYS_EXTERNAL:
            return None
        return self._find_top(name)

    def _find_top(self, name: str) -> Module | None:
        """A regular module wins over a namespace, and `sys.path` over where we look besides."""
        importable = [entry for entry in self._search_path if entry in self._importable]
        module = self._in_directories(importable, name)
        if module is not None and module.kind != "namespace":
            return module
        if self._is_elsewhere(name):
            return None
        return self._in_directories(self._search_path, name) or self._in_directories(
            _editable_parents(name), name
        )

    def _is_elsewhere(self, name: str) -> bool:
        """Whether the standard library or an installed package has a module of this name."""
        if name in sys.stdlib_module_names:
            return True
        # Asked by path: listing site-packages would cost more than all of a small project.
        return any(
            is_file(Path(f"{entry}/{name}.py")) or is_file(Path(f"{entry}/{name}/__init__.py"))
            for entry in self._importable
            if entry not in self._search_path
        )

    def _in_directories(self, directories: Iterable[str], name: str) -> Module | None:
        """What Python's own finder would find, in its order of precedence."""
        namespace: list[str] = []
        for directory in directories:
            listing = self._listing(directory)
            below = f"{directory}/{name}"
            if listing.get(name) and "__init__.py" in self._listing(below):
                found = self.at(f"{below}/__init__.py")
            else:
                file = _file_of(name, listing)
                found = None if file is None else self.at(f"{directory}/{file}")
                if file is None and listing.get(name):
                    namespace.append(below)
            if found is not None:
                return found
        return self._namespace(namespace)

    def _namespace(self, directories: Sequence[str]) -> Module | None:
        counted = [each for each in directories if self._counted_name(f"{each}/") is not None]
        if not counted:
            return None
        key = f"{counted[0]}/"
        module = self._modules.get(key)
        if module is None:
            name = self._counted_name(key) or ""
            module = self._modules[key] = Module("namespace", name, counted[0], tuple(counted))
        return module

    def _package(self, directory: str) -> Module | None:
        if "__init__.py" in self._listing(directory):
            return self.at(f"{directory}/__init__.py")
        return self._namespace([directory])

    def _listing(self, directory: str) -> dict[str, bool]:
        """Name → whether it is a directory."""
        if directory not in self._listings:
            try:
                with os.scandir(directory) as entries:
                    listing = {entry.name: entry.is_dir() for entry in entries}
            except OSError:
                listing = {}
            self._listings[directory] = listing
        return self._listings[directory]

    def _counted_name(self, path: str) -> str | None:
        """The dotted name of a file (or of a directory, ending in a slash) that counts."""
        root, below = self._placed(path)
        if root is None or _NEVER_BELOW & set(below.split("/")):
            return None
        if is_standard_library(path) and not is_standard_library(root.path):
            return None
        directory = _parent(path)
        while len(directory) > len(root.path):
            if _ENVIRONMENT_MARKS & self._listing(directory).keys():
                return None
            directory = _parent(directory)
        name = _dotted(below, has_src="__init__.py" not in self._listing(f"{root.path}/src"))
        name = name or root.path.rpartition("/")[2]
        return None if self.is_excluded(name) else name

    def _placed(self, path: str) -> tuple[Root | None, str]:
        for root in self.roots:
            below = root.relative(path)
            if below is not None:
                return root, below
        return None, ""

    def _is_below_root(self, directory: str) -> bool:
        return any(
            directory == root.path or directory.startswith(f"{root.path}/") for root in self.roots
        )


def _parent(path: str) -> str:
    return path.rpartition("/")[0]


def _file_of(name: str, listing: dict[str, bool]) -> str | None:
    for entry in listing:
        if entry.startswith(f"{name}.") and entry.endswith(_BINARY):
            return entry
    return f"{name}.py" if listing.get(f"{name}.py") is False else None


def _dotted(below: str, *, has_src: bool) -> str:
    if has_src:
        below = below.removeprefix("src/")
    parts = below.removesuffix("/").removesuffix(".py").split("/")
    if parts[-1] == "__init__":
        parts.pop()
    elif parts and parts[-1].endswith(_BINARY):
        parts[-1] = parts[-1].partition(".")[0]
    return ".".join(parts)


def _editable_parents(name: str) -> list[str]:
    """Directories from the tables that setuptools' editable installs leave in `sys.meta_path`."""
    parents = []
    for finder in sys.meta_path:
        module = sys.modules.get(getattr(finder, "__module__", ""))
        mapping = getattr(module, "MAPPING", None)
        if isinstance(mapping, dict) and isinstance(mapping.get(name), str):
            parents.append(Path(mapping[name]).parent.as_posix())
    return parents
