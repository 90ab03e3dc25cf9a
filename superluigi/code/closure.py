"""What is known of many modules together, made once in a pass and shared by all its classes."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property

from superluigi.code.class_kinds import is_task
from superluigi.code.effects import EffectIndex
from superluigi.code.linker import Linker, Place
from superluigi.code.project_code import Module

__all__ = ["Closure", "Survey"]


class Survey:
    """What one pass has found out about the project so far.

    Args:
        linker: Resolves names.
    """

    def __init__(self, linker: Linker) -> None:
        self.linker = linker
        self._closures: dict[frozenset[Module], Closure] = {}
        self._tasks: dict[Place, bool] = {}

    def closure(self, modules: Iterable[Module]) -> Closure:
        """Everything that some modules can import."""
        members = frozenset(member for module in modules for member in self.linker.closure(module))
        if members not in self._closures:
            ordered = sorted(members, key=lambda module: module.path)
            self._closures[members] = Closure(self.linker, ordered)
        return self._closures[members]

    def is_task(self, place: Place) -> bool:
        """Whether a project class is a task."""
        if place not in self._tasks:
            self._tasks[place] = is_task(self.linker, place)
        return self._tasks[place]


class Closure:
    """A set of modules, and the indexes over them, each made when it is first asked for.

    Args:
        linker: Resolves names.
        modules: The modules, in a fixed order.
    """

    def __init__(self, linker: Linker, modules: Sequence[Module]) -> None:
        self._linker = linker
        self.modules = tuple(modules)

    @cached_property
    def effects(self) -> EffectIndex:
        """What acts on which name while the modules are imported."""
        return EffectIndex(self._linker, self.modules)

    def with_method(self, name: str) -> Iterable[Place]:
        """The classes whose own body has a method of this name."""
        return self._by_method.get(name, ())

    def below(self, place: Place) -> Iterable[Place]:
        """The classes that derive from a class."""
        return self._by_base.get(place, ())

    @cached_property
    def _by_method(self) -> dict[str, list[Place]]:
        found: defaultdict[str, list[Place]] = defaultdict(list)
        for module in self.modules:
            for name, symbols in self._linker.table(module).classes.items():
                # A class inside a function that nobody reached cannot be what a method is called on.
                for method in () if symbols.enclosing else symbols.methods:
                    found[method].append((module, name))
        return found

    @cached_property
    def _by_base(self) -> dict[Place, list[Place]]:
        found: defaultdict[Place, list[Place]] = defaultdict(list)
        for module in self.modules:
            for name in self._linker.table(module).classes:
                for base in self._linker.order((module, name))[1:]:
                    if base.place is not None:
                        found[base.place].append((module, name))
        return found
