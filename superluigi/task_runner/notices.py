"""What is said on stderr before a build: that nothing marks a project, and names that nothing has."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterator

import luigi
from luigi.task_register import Register

from superluigi.project import Project
from superluigi.settings import Settings
from superluigi_catalog.text import printable

__all__ = ["misnamed_params", "tell_notices", "unmarked_project"]

_told: set[str] = set()


def tell_notices(project: Project, settings: Settings) -> None:
    """Say what a person should know of this project; what was said once in this process is not repeated."""
    for line in [*unmarked_project(project), *misnamed_params(settings)]:
        if line not in _told:
            _told.add(line)
            sys.stderr.write(f"Note: {printable(line)}\n")


def unmarked_project(project: Project) -> Iterator[str]:
    """That the catalog is the one in the user's home, because nothing marks a project."""
    if project.root is None:
        yield (
            "neither superluigi.toml, luigi.cfg, pyproject.toml nor .git is here or above, so the catalog "
            f"is in {str(project.home)!r}, for all such places together. `touch superluigi.toml` makes "
            "this directory a project of its own."
        )


def misnamed_params(settings: Settings) -> Iterator[str]:
    """Names in `[params.…]` that no task has: misspelled, since a setting for nobody would be silent.

    A family that is like none is left alone: its module may be one that is not imported now.
    """
    classes = _task_classes()
    for family, values in settings.params.items():
        where = f"{settings.source}: [params.{family}]"
        if family not in classes:
            near = difflib.get_close_matches(family, classes, n=1, cutoff=0.75)
            if near:
                yield f"{where} names no task. Was {near[0]!r} meant?"
            continue
        names = {name for name, _ in classes[family].get_params()}
        for key in values:
            if key.replace("-", "_") not in names:
                yield f"{where} sets {key!r}, which {family} does not have. {_known(key, names)}"


def _task_classes() -> dict[str, type[luigi.Task]]:
    """By family, without those of Luigi's own configuration; the class defined last counts."""
    return {
        cls.get_task_family(): cls
        for cls in Register._reg
        if cls._visible_in_registry and cls.__module__.partition(".")[0] != "luigi"
    }


def _known(key: str, names: set[str]) -> str:
    near = difflib.get_close_matches(key, names, n=1)
    if near:
        return f"Was {near[0]!r} meant?"
    return f"It has {', '.join(sorted(names))}." if names else "It has no parameters."
