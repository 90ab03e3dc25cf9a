"""Where and with what a run is executed: recorded, not a default reason to run again."""

from __future__ import annotations

import functools
import getpass
import importlib.metadata
import os
import platform
import socket
import subprocess
import sys
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from superluigi_catalog.owner import this_owner

__all__ = ["environment_of", "git_state", "host_and_user"]

_GIT_TIMEOUT_S = 5


def environment_of(
    task_class: type, *, directory: Path | None = None, files: Iterable[str] = ()
) -> dict[str, Any]:
    """What a run of this class is executed with.

    `packages` are the installed distributions that the module of the class imports, and the other modules
    that its code is in, with their versions.

    Args:
        directory: The project's root.
        files: Where its code is, relative to the root.
    """
    root = str(directory or Path.cwd())
    packages = dict(packages_of(task_class.__module__))
    for name in _modules_in(root, frozenset(files)):
        packages |= packages_of(name)
    return {
        **_process_environment(os.getpid()),
        **git_state(root),
        "packages": dict(sorted(packages.items())),
    }


def host_and_user() -> tuple[str, str]:
    """This machine's name, and who runs this process; empty where unknown."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):
        user = ""
    return socket.gethostname(), user


@functools.cache
def git_state(directory: str) -> dict[str, Any]:
    """The commit and whether the work tree differs from it; both None outside git."""
    commit = _git(directory, "rev-parse", "HEAD")
    if commit is None:
        return {"git_commit": None, "git_dirty": None}
    status = _git(directory, "status", "--porcelain", "--untracked-files=no")
    return {"git_commit": commit, "git_dirty": None if status is None else bool(status)}


@functools.cache
def packages_of(module_name: str) -> dict[str, str]:
    """Versions of the distributions that a module imports by name, sorted."""
    module = sys.modules.get(module_name)
    names = sorted(_imported_roots(vars(module).values())) if module is not None else []
    versions = {}
    for name in names:
        if name in sys.stdlib_module_names or not _is_installed(name):
            continue
        found = _distribution_of(name)
        if found is not None:
            versions[found[0]] = found[1]
    return dict(sorted(versions.items()))


@functools.lru_cache(maxsize=1024)
def _modules_in(root: str, files: frozenset[str]) -> list[str]:
    """The imported modules that some files are."""
    wanted = {os.path.join(root, file) for file in files}  # noqa: PTH118
    return [
        name
        for name, module in list(sys.modules.items())
        if (getattr(module, "__file__", None) or "") in wanted
    ]


@functools.lru_cache(maxsize=1)
def _process_environment(pid: int) -> dict[str, Any]:
    """What does not change within a process; the pid is the cache's key, so that a fork asks again."""
    import luigi

    host, user = host_and_user()
    return {
        "superluigi": own_version(),
        "luigi": luigi.__version__,
        "python": platform.python_version(),
        "platform": platform.platform(),
        "host": host,
        "user": user,
        "pid": pid,
        "process": this_owner(),
    }


@functools.cache
def own_version() -> str:
    """The installed version of Super Luigi."""
    try:
        return importlib.metadata.version("superluigi")
    except importlib.metadata.PackageNotFoundError:
        return "0"


def _imported_roots(values: Iterable[object]) -> set[str]:
    roots = set()
    for value in values:
        name = (
            value.__name__
            if isinstance(value, types.ModuleType)
            else getattr(value, "__module__", None)
        )
        if isinstance(name, str):
            roots.add(name.partition(".")[0])
    return roots


def _is_installed(import_name: str) -> bool:
    """Whether a module was imported from where packages are installed, and not from the project."""
    module = sys.modules.get(import_name)
    places = [getattr(module, "__file__", None) or "", *getattr(module, "__path__", ())]
    return any(part in ("site-packages", "dist-packages") for p in places for part in Path(p).parts)


@functools.cache
def _distribution_of(import_name: str) -> tuple[str, str] | None:
    """The distribution that an import name comes from; most have the same name."""
    try:
        return import_name, importlib.metadata.version(import_name)
    except importlib.metadata.PackageNotFoundError:
        pass
    names = _distributions_by_import_name().get(import_name)
    return (names[0], importlib.metadata.version(names[0])) if names else None


@functools.cache
def _distributions_by_import_name() -> dict[str, list[str]]:
    return dict(importlib.metadata.packages_distributions())


def _git(directory: str, *arguments: str) -> str | None:
    try:
        done = subprocess.run(
            ["git", "-C", directory, *arguments],
            capture_output=True,
            text=True,
            timeout=_GIT_TIMEOUT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
