"""What happens to a name elsewhere while modules are imported.

A list that other modules append to, a registry that decorators fill, a function that is patched:
whoever reaches the name depends on those statements, though it never names them. Only modules that
the task's own module can import are looked at, never `sys.modules`, which differs between the
command line, a test and a worker.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

from superluigi.code.linker import Linker, Place, Target
from superluigi.code.project_code import Module
from superluigi.code.scopes import CALL
from superluigi.code.symbols import Effect, decode_reference

__all__ = ["EffectIndex"]


class EffectIndex:
    """Which units act on which names, over one closure of imports.

    Args:
        linker: Resolves the names.
        modules: The closure.
    """

    def __init__(self, linker: Linker, modules: Iterable[Module]) -> None:
        self._linker = linker
        self._changed_by: dict[Place, set[Place]] = {}
        self._acting: defaultdict[Place, set[Place]] = defaultdict(set)
        self._called_on: defaultdict[Place, set[Place]] = defaultdict(set)
        for module in modules:
            for effect in linker.table(module).effects:
                self._add(module, effect)

    def acting_on(self, place: Place) -> Iterable[Place]:
        """The units that change a name, themselves or by what they call."""
        return self._acting.get(place, ())

    def called_on(self, place: Place) -> Iterable[Place]:
        """The units that call a method of a name, such as `REGISTRY.add`, while being imported."""
        return self._called_on.get(place, ())

    def _add(self, module: Module, effect: Effect) -> None:
        owner = (module, effect.owner)
        for reference in map(decode_reference, effect.targets):
            for target in self._linker.resolve(module, reference):
                for place in self._changed_through(target):
                    self._acting[place].add(owner)
        for reference in map(decode_reference, effect.calls):
            for target in self._linker.resolve(module, reference):
                self._add_call(owner, target)

    def _add_call(self, owner: Place, target: Target) -> None:
        if target.kind != "unit" or target.module is None:
            return
        place = (target.module, target.name)
        for callee in _places(target):
            for changed in self._changes(callee):
                self._acting[changed].add(owner)
        kind = self._kind(place)
        is_method = bool(target.rest) and target.rest[0] != CALL
        if is_method and (kind in ("variable", "class") or target.rest[0] == "register"):
            self._called_on[place].add(owner)

    def _changes(self, place: Place) -> set[Place]:
        """The module-level names that calling a function changes, itself or further on."""
        if place not in self._changed_by:
            changed: set[Place] = set()
            seen: set[Place] = set()
            todo = [place]
            while todo:
                current = todo.pop()
                if current not in seen:
                    seen.add(current)
                    changed.update(self._changed_directly(current))
                    todo.extend(self._called_from(current))
            self._changed_by[place] = changed
        return self._changed_by[place]

    def _changed_directly(self, place: Place) -> Iterator[Place]:
        unit = self._linker.table(place[0]).units.get(place[1])
        if unit is None or unit.kind not in ("function", "method"):
            return
        for target in self._targets(place[0], unit.mutates):
            yield from self._changed_through(target)

    def _changed_through(self, target: Target) -> Iterable[Place]:
        """Of a module all names: which one is set, only the running program knows."""
        if target.kind == "module" and target.module is not None:
            return [(target.module, name) for name in self._linker.table(target.module).units]
        return _places(target)

    def _called_from(self, place: Place) -> Iterator[Place]:
        """Functions that a function names."""
        unit = self._linker.table(place[0]).units.get(place[1])
        if unit is None or unit.kind not in ("function", "method"):
            return
        for target in self._targets(place[0], unit.references):
            for named in _places(target):
                if self._kind(named) in ("function", "method"):
                    yield named

    def _targets(self, module: Module, references: Iterable[str]) -> Iterator[Target]:
        for reference in map(decode_reference, references):
            if reference.kind in ("name", "import"):
                yield from self._linker.resolve(module, reference)

    def _kind(self, place: Place) -> str:
        unit = self._linker.table(place[0]).units.get(place[1])
        return "" if unit is None else unit.kind


def _places(target: Target) -> Iterator[Place]:
    """The unit a target leads to, and the member that is taken from it."""
    if target.kind == "unit" and target.module is not None:
        yield target.module, target.name
        if target.rest and target.rest[0] != CALL:
            yield target.module, f"{target.name}.{target.rest[0]}"
