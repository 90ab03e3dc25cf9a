"""From names to what they lead to: module-level resolution, base classes, import closures."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from superluigi.code.findings import EVERYTHING
from superluigi.code.project_code import Module, ProjectCode
from superluigi.code.scopes import CALL
from superluigi.code.symbols import ClassSymbols, FileTable, Reference
from superluigi.code.vocabulary import BUILTINS

__all__ = ["Base", "Linker", "Place", "Target"]

Place = tuple[Module, str]
"""A unit or class: its module and its name there."""

_OWN_ATTRIBUTES = frozenset({CALL, "__dict__"})


class Target(NamedTuple):
    """What a name leads to.

    Kinds: `unit`, `module` (used as a value), `external`, and what cannot be read: `binary`,
    `unparsable`, `missing`.
    """

    kind: str
    module: Module | None
    name: str
    """The unit; the dotted name of what is no unit."""
    rest: tuple[str, ...] = ()
    """What is taken from it."""


class Base(NamedTuple):
    """One entry of a method resolution order."""

    place: Place | None
    """None for a class of another package."""
    name: str
    """The class, or the dotted name of one of another package."""


class Linker:
    """Resolves names over the modules of one project, within one pass.

    Args:
        project: Where modules are found.
    """

    def __init__(self, project: ProjectCode) -> None:
        self.project = project
        self._resolved: dict[tuple[Module, tuple[str, ...]], list[Target]] = {}
        self._orders: dict[Place, list[Base]] = {}
        self._imported: dict[Module, list[Module]] = {}
        self._closures: dict[Module, tuple[Module, ...]] = {}

    def table(self, module: Module) -> FileTable:
        """The table of a module; an empty one for what is no source or cannot be parsed."""
        return self.project.table(module) or _EMPTY

    def class_at(self, place: Place) -> ClassSymbols | None:
        """The class of a place; None where it is something else."""
        return self.table(place[0]).classes.get(place[1])

    def resolve(self, module: Module, reference: Reference) -> list[Target]:
        """What a reference of a module leads to; several where several statements bind it.

        Args:
            module: The module the reference stands in.
            reference: Of kind `name` or `import`.
        """
        if reference.origin is None:
            return self.resolve_name(module, reference.chain)
        return self._imported_name(module, reference.origin, reference.chain[1:], frozenset())

    def resolve_name(self, module: Module, chain: tuple[str, ...]) -> list[Target]:
        """What a dotted chain means at module level."""
        key = (module, chain)
        if key not in self._resolved:
            targets = self._look_up(module, chain, frozenset())
            self._resolved[key] = list(dict.fromkeys(targets))
        return self._resolved[key]

    def order(self, place: Place) -> list[Base]:
        """The method resolution order of a project class, as Python computes it."""
        return self._order(place, ())

    def closure(self, module: Module) -> tuple[Module, ...]:
        """The project modules that importing a module can import, by name."""
        if module not in self._closures:
            seen: set[Module] = set()
            todo = [module]
            while todo:
                current = todo.pop()
                if current not in seen:
                    seen.add(current)
                    todo.extend(self._imports_of(current))
            sources = (each for each in seen if self.project.table(each) is not None)
            self._closures[module] = tuple(sorted(sources, key=lambda each: each.path))
        return self._closures[module]

    def _look_up(
        self, module: Module, chain: tuple[str, ...], trail: frozenset[tuple[Module, str]]
    ) -> list[Target]:
        """Resolve a chain in a module's own names; the trail ends circles of imports."""
        name = chain[0]
        if (module, name) in trail:
            return []
        is_outside = bool(trail)
        trail = trail | {(module, name)}
        source = self.project.source(module)
        if source is not None and source.table is None:
            return [Target("unparsable", module, module.name)]
        targets: list[Target] = []
        for kind, *origin in self.table(module).bindings.get(name, ()):
            if kind == "unit":
                targets.append(self._inner(module, chain))
            elif kind == "condition":
                targets.append(Target("unit", module, origin[0]))
            else:
                targets += self._imported_name(module, tuple(origin), chain[1:], trail)
        if targets:
            return targets
        targets = self._from_stars(module, chain, trail)
        if not targets and is_outside:
            targets = self._from_package(module, chain)
        return targets

    def _inner(self, module: Module, chain: tuple[str, ...]) -> Target:
        """`Outer.Inner` is a class of its own."""
        classes = self.table(module).classes
        name, rest = chain[0], chain[1:]
        while name in classes and rest and rest[0] in classes[name].inner:
            name, rest = f"{name}.{rest[0]}", rest[1:]
        return Target("unit", module, name, rest)

    def _from_stars(
        self, module: Module, chain: tuple[str, ...], trail: frozenset[tuple[Module, str]]
    ) -> list[Target]:
        """What the last star import that has the name gives; one we cannot read may have it."""
        for dotted, level in reversed(self.table(module).stars):
            package = self._module_named(module, dotted, level)
            if package is None:
                if chain[0] not in BUILTINS:
                    return [Target("external", None, f"{dotted}.{chain[0]}", chain[1:])]
                continue
            targets = self._look_up(package, chain, trail | {(package, "*")})
            if targets:
                return targets
        return []

    def _from_package(self, module: Module, chain: tuple[str, ...]) -> list[Target]:
        """A submodule, or what the module's own `__getattr__` makes."""
        below = self.project.child(module, chain[0]) if chain[0] != "__init__" else None
        if below is not None:
            return self._in_module(below, chain[1:], frozenset())
        if "__getattr__" in self.table(module).bindings:
            return [Target("unit", module, "__getattr__")]
        return []

    def _imported_name(
        self,
        module: Module,
        origin: tuple[str, int, str],
        rest: tuple[str, ...],
        trail: frozenset[tuple[Module, str]],
    ) -> list[Target]:
        """What an import statement in a module binds, and what is then taken from it."""
        dotted, level, name = origin
        package = self._module_named(module, dotted, level)
        if package is None:
            where = ".".join(part for part in (dotted, name) if part)
            return [Target("external", None, where, rest)]
        return self._in_module(package, (name, *rest) if name else rest, trail)

    def _in_module(
        self, module: Module, chain: tuple[str, ...], trail: frozenset[tuple[Module, str]]
    ) -> list[Target]:
        """What a chain means when it is taken from a module."""
        if not chain or chain[0] in _OWN_ATTRIBUTES or chain[0] == EVERYTHING:
            if module.kind == "source" and self.project.table(module) is None:
                return [Target("unparsable", module, module.name)]
            if module.kind != "binary":
                return [Target("module", module, module.name)]
        if module.kind == "binary":
            return [Target("binary", module, module.name)]
        if module.kind == "source":
            found = self._look_up(module, chain, trail | {(module, "")})
            if found or (module, chain[0]) in trail:
                return found
        below = self.project.child(module, chain[0])
        if below is not None:
            return self._in_module(below, chain[1:], trail)
        dotted = f"{module.name}.{chain[0]}"
        if self.project.is_excluded(dotted):
            return [Target("external", None, dotted, chain[1:])]
        is_dunder = chain[0].startswith("__") and chain[0].endswith("__")
        return [] if is_dunder else [Target("missing", module, dotted)]

    def _module_named(self, module: Module, dotted: str, level: int) -> Module | None:
        if not level:
            return self.project.find(dotted)
        package = self.project.package_around(module, level)
        for name in dotted.split(".") if dotted else ():
            package = None if package is None else self.project.child(package, name)
        return package

    def _order(self, place: Place, below: tuple[Place, ...]) -> list[Base]:
        if place not in self._orders:
            own = Base(place, place[1])
            if place in below:
                return [own]
            bases = list(self._bases(place))
            rows = [self._tail_order(base, (*below, place)) for base in bases]
            self._orders[place] = [own, *_merged([*rows, bases])]
        return self._orders[place]

    def _tail_order(self, base: Base, below: tuple[Place, ...]) -> list[Base]:
        return [base] if base.place is None else list(self._order(base.place, below))

    def _bases(self, place: Place) -> Iterator[Base]:
        module, name = place
        symbols = self.table(module).classes[name]
        for dotted in symbols.bases:
            yield self._base(module, name, tuple(dotted.split("."))) if dotted else Base(None, "?")

    def _base(self, module: Module, name: str, chain: tuple[str, ...]) -> Base:
        classes = self.table(module).classes
        for around in _scopes_around(name):
            if f"{around}{chain[0]}" in classes:
                dotted = f"{around}{'.'.join(chain)}"
                return Base((module, dotted), dotted) if dotted in classes else Base(None, dotted)
        for target in self.resolve_name(module, chain):
            if target.kind == "unit" and target.module is not None and not target.rest:
                if target.name in self.table(target.module).classes:
                    return Base((target.module, target.name), target.name)
            elif target.kind == "external":
                return Base(None, ".".join((target.name, *target.rest)))
        return Base(None, ".".join(chain))

    def _imports_of(self, module: Module) -> Iterable[Module]:
        """What a module imports, with the packages on the way there."""
        if module not in self._imported:
            found: dict[Module, None] = {}
            for dotted, level, name in self.table(module).imports:
                package = self._module_named(module, dotted, level)
                if package is None:
                    continue
                found.update(dict.fromkeys(self._on_the_way(dotted, level)))
                found[package] = None
                below = self.project.child(package, name) if name else None
                if below is not None:
                    found[below] = None
            self._imported[module] = list(found)
        return self._imported[module]

    def _on_the_way(self, dotted: str, level: int) -> Iterator[Module]:
        parts = [] if level else dotted.split(".")
        for place in range(1, len(parts)):
            package = self.project.find(".".join(parts[:place]))
            if package is not None:
                yield package


_EMPTY = FileTable()


def _scopes_around(name: str) -> Iterator[str]:
    """The prefixes of the class and function scopes that a class stands in, innermost first."""
    while "." in name:
        name = name.rpartition(".")[0]
        yield f"{name}."


def _merged(rows: list[list[Base]]) -> Iterator[Base]:
    """The C3 merge; where it has no solution, the first that is left."""
    rows = [list(row) for row in rows]
    while any(rows):
        heads = [row[0] for row in rows if row]
        head = next((each for each in heads if not any(each in row[1:] for row in rows)), heads[0])
        yield head
        for row in rows:
            if head in row:
                row.remove(head)
