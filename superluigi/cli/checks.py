"""What `superluigi doctor` looks at on this machine; each check says what it found and what to do."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

__all__ = ["Check", "local_checks", "module_check", "safely"]

Status = Literal["ok", "warn", "fail"]

_LUIGI = (3, 8)


@dataclass(frozen=True)
class Check:
    """One line of the report."""

    name: str
    status: Status
    text: str
    """What was found."""
    advice: str = ""
    """What to do; empty where nothing is to be done."""

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return asdict(self)


def local_checks() -> Iterator[Check]:
    """The project, Python, Luigi, SQLite and the catalog."""
    for name, check in (
        ("project", _project),
        ("home", _home),
        ("settings", _settings),
        ("luigi.cfg", _luigi_config),
        ("superluigi", _superluigi),
        ("python", _python),
        ("luigi", _luigi),
        ("sqlite", _sqlite),
        ("catalog", _catalog),
    ):
        yield safely(name, check)


def safely(name: str, check: Callable[[], Check]) -> Check:
    """Do a check; one that raises has failed."""
    try:
        return check()
    except Exception as error:
        return Check(name, "fail", f"{type(error).__name__}: {error}")


def module_check(name: str) -> Check:
    """Whether a module can be imported here, and which tasks it has."""
    import luigi

    from superluigi.cli.errors import NotFound, TaskCodeFailed
    from superluigi.cli.task_reference import import_module

    try:
        module = import_module(name)
    except NotFound as error:
        return Check("module", "fail", f"{name}: not found", error.message)
    except TaskCodeFailed as error:
        last = error.traceback.strip().splitlines()
        return Check("module", "fail", error.message, f"Correct it: {_place(last)}")
    tasks = sorted(
        key
        for key, value in vars(module).items()
        if isinstance(value, type) and issubclass(value, luigi.Task) and value.__module__ == name
    )
    where = getattr(module, "__file__", None) or "no file"
    if not tasks:
        return Check(
            "module", "warn", f"{name} ({where}) has no tasks", "Name the module that defines them."
        )
    return Check("module", "ok", f"{name} ({where}): {', '.join(tasks)}")


def _place(lines: list[str]) -> str:
    frames = [line.strip() for line in lines if line.lstrip().startswith("File ")]
    return frames[-1] if frames else "see its traceback with superluigi run"


def _project() -> Check:
    from superluigi_catalog.project import find_project

    project = find_project()
    if project.root is None:
        return Check(
            "project",
            "warn",
            f"{Path.cwd()} belongs to no project: paths are recorded absolute",
            "Make an empty superluigi.toml in the project's directory.",
        )
    return Check("project", "ok", str(project.root))


def _home() -> Check:
    from superluigi_catalog.project import find_project

    home = find_project().home
    existing = next(place for place in (home, *home.parents) if place.exists())
    if not existing.is_dir() or not os.access(existing, os.W_OK | os.X_OK):
        return Check(
            "home",
            "fail",
            f"{home} cannot be written",
            f"Let this user write into {existing}, or name another directory as SUPERLUIGI_HOME.",
        )
    named = " (SUPERLUIGI_HOME)" if os.environ.get("SUPERLUIGI_HOME") else ""
    return Check("home", "ok", f"{home}{named}" + ("" if home.exists() else ", not made yet"))


def _settings() -> Check:
    from superluigi.errors import SettingsError
    from superluigi.settings import load_settings
    from superluigi_catalog.project import find_project

    try:
        settings = load_settings(find_project().root)
    except SettingsError as error:
        return Check("settings", "fail", str(error), "Correct the file.")
    triggers = ", ".join(sorted(settings.rerun_on))
    source = settings.source or "defaults"
    return Check("settings", "ok", f"{source}: rerun_on {triggers}; verify {settings.verify}")


def _luigi_config() -> Check:
    from superluigi_catalog.project import find_project

    named = os.environ.get("LUIGI_CONFIG_PATH")
    if named:
        if Path(named).is_file():
            return Check("luigi.cfg", "ok", f"{named} (LUIGI_CONFIG_PATH)")
        return Check("luigi.cfg", "warn", f"{named} does not exist", "Correct LUIGI_CONFIG_PATH.")
    root = find_project().root
    if Path("luigi.cfg").is_file():
        return Check("luigi.cfg", "ok", str(Path("luigi.cfg").absolute()))
    if root is not None and (root / "luigi.cfg").is_file():
        return Check(
            "luigi.cfg",
            "warn",
            f"{root / 'luigi.cfg'} is not read from here: Luigi looks in the working directory only",
            f"Work in {root}, or set LUIGI_CONFIG_PATH={root / 'luigi.cfg'}.",
        )
    return Check("luigi.cfg", "ok", "none")


def _superluigi() -> Check:
    import superluigi

    where = Path(superluigi.__file__).parent
    return Check("superluigi", "ok", f"{importlib.metadata.version('superluigi')} in {where}")


def _python() -> Check:
    return Check("python", "ok", f"{platform.python_version()}, {sys.executable}")


def _luigi() -> Check:
    version = importlib.metadata.version("luigi")
    if tuple(int(part) for part in version.split(".")[:2]) != _LUIGI:
        wanted = ".".join(map(str, _LUIGI))
        return Check(
            "luigi",
            "fail",
            f"{version}; this Super Luigi is made for {wanted}",
            "Install luigi>=3.8.1,<3.9.",
        )
    return Check("luigi", "ok", version)


def _sqlite() -> Check:
    from superluigi_catalog.storage.driver import sqlite3
    from superluigi_catalog.storage.journal import is_wal_safe

    found = f"{sqlite3.sqlite_version} ({sqlite3.__name__})"
    if is_wal_safe(sqlite3.sqlite_version_info):
        return Check("sqlite", "ok", f"{found}, free of the WAL-reset bug")
    return Check(
        "sqlite",
        "warn",
        f"{found} can damage a catalog in WAL mode: a rollback journal is kept instead, which is slower",
        "Install pysqlite3, or a Python with SQLite 3.51.3 or newer.",
    )


def _catalog() -> Check:
    from superluigi_catalog.errors import CatalogError, CatalogMissing
    from superluigi_catalog.project import find_project
    from superluigi_catalog.storage.connection import connect

    path = find_project().home / "catalog.db"
    try:
        session = connect(path, read_only=True)
    except CatalogMissing:
        return Check("catalog", "ok", f"{path}: none yet, the first build makes it")
    except CatalogError as error:
        return Check("catalog", "fail", f"{path}: {type(error).__name__}", str(error))
    try:
        journal = str((session.row("PRAGMA journal_mode") or ("unknown",))[0])
        counts = [
            f"{(session.row(statement) or (0,))[0]:,} {what}"
            for what, statement in (
                ("tasks", "SELECT count(*) FROM tasks WHERE is_stub = 0"),
                ("runs", "SELECT count(*) FROM runs"),
                ("builds", "SELECT count(*) FROM builds"),
            )
        ]
    finally:
        session.close()
    return _with_journal(path, journal, ", ".join(counts))


def _with_journal(path: Path, journal: str, counts: str) -> Check:
    from superluigi_catalog.storage.driver import sqlite3
    from superluigi_catalog.storage.filesystem import is_on_network
    from superluigi_catalog.storage.journal import is_wal_safe

    text = f"{path}: {counts}; journal {journal}"
    if is_on_network(path.parent):
        return Check(
            "catalog",
            "warn",
            f"{text}; on a network filesystem",
            "Use it from one host at a time, or give each host its own by SUPERLUIGI_HOME and merge them.",
        )
    if journal == "wal" and not is_wal_safe(sqlite3.sqlite_version_info):
        return Check(
            "catalog",
            "warn",
            f"{text}, made by a newer SQLite than this process has",
            "Use one SQLite for all processes; pysqlite3 brings a safe one.",
        )
    return Check("catalog", "ok", text)
