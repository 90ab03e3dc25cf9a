"""Finding a task's class again by its module and family."""

from __future__ import annotations

import importlib

import luigi
from luigi.task_register import Register

__all__ = ["task_class"]


def task_class(module: str, family: str) -> type[luigi.Task] | None:
    """The class of that family which is defined in that module; the module is imported.

    Luigi's own registry knows families only, and refuses a name that two modules use. The class defined
    last counts, as after a cell of a notebook ran again; None when there is none.

    Raises:
        ImportError: the module cannot be imported.
    """
    importlib.import_module(module)
    elsewhere = None
    for cls in reversed(Register._reg):
        if not cls._visible_in_registry or cls.get_task_family() != family:
            continue
        if cls.__module__ == module:
            found: type[luigi.Task] = cls
            return found
        elsewhere = elsewhere or cls
    return elsewhere
