"""What a class is by its bases: a task, one with hooks that a library calls, or a plain helper."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from superluigi.code.linker import Base, Linker, Place
from superluigi.code.vocabulary import FRAMEWORKS, HARMLESS_BASES, NOT_TASKS, PLAIN_BASES

__all__ = ["has_unread_hooks", "is_task"]


def is_task(linker: Linker, place: Place) -> bool:
    """Whether a project class is a task: by a base of a known framework, or by Luigi's register."""
    unknown = False
    for base in linker.order(place):
        if base.place is None and base.name not in HARMLESS_BASES:
            if _package(base) in FRAMEWORKS:
                if not base.name.endswith(NOT_TASKS):
                    return True
            else:
                unknown = True
    return unknown and _is_registered(place)


def has_unread_hooks(order: Iterable[Base]) -> bool:
    """Whether a base of another package may call anything that the task defines."""
    return any(
        base.place is None and base.name not in HARMLESS_BASES and not _is_plain(base)
        for base in order
    )


def _is_plain(base: Base) -> bool:
    return _package(base) in FRAMEWORKS and base.name.rpartition(".")[2] in PLAIN_BASES


def _package(base: Base) -> str:
    return base.name.partition(".")[0]


def _is_registered(place: Place) -> bool:
    """Whether Luigi knows a class of this place: its base may be of a package we do not know."""
    register = getattr(sys.modules.get("luigi.task_register"), "Register", None)
    module, name = place
    return any(
        getattr(cls, "__qualname__", "") == name
        and getattr(sys.modules.get(cls.__module__), "__file__", None) == module.path
        for cls in getattr(register, "_reg", ())
    )
