"""Everything that one task class reaches: a fixpoint over units.

Errs on the side of too much: an edit that cannot matter may count, one that can must.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from superluigi.code.class_kinds import has_unread_hooks
from superluigi.code.closure import Survey
from superluigi.code.findings import EVERYTHING
from superluigi.code.linker import Base, Place, Target
from superluigi.code.project_code import Module
from superluigi.code.scopes import CALL
from superluigi.code.symbols import Reference, Unit, decode_reference
from superluigi.code.table_builder import BODY, SCRIPT
from superluigi.code.vocabulary import (
    BY_NAME_ONLY,
    COMMON_METHODS,
    DISPLAY_METHODS,
    ENTRY_POINTS,
    REQUIRED_FILES,
    SCHEDULING,
)

__all__ = ["Reached", "reach"]


@dataclass
class Reached:
    """What a class reaches."""

    units: dict[Place, Unit] = field(default_factory=dict)
    edges: set[tuple[Place, str, Place | str]] = field(default_factory=set)
    """Which unit uses which local name, and the unit or dotted name that it leads to."""
    families: set[str] = field(default_factory=set)
    """Other tasks that count by their name."""
    files: set[str] = field(default_factory=set)
    """Absolute paths of files of code that are no Python, or that cannot be parsed."""
    not_followed: set[tuple[Place, str, int, str]] = field(default_factory=set)
    """User, kind, line and text."""


def reach(survey: Survey, order: Sequence[Base], extra: Iterable[Place] = ()) -> Reached:
    """Everything that a class reaches.

    Args:
        survey: What this pass knows.
        order: The method resolution order of the class, with at least one project class.
        extra: Units that belong to it besides.
    """
    walk = _Reach(survey, order)
    for place in extra:
        walk.take(place)
    return walk.follow()


class _Reach:
    def __init__(self, survey: Survey, order: Sequence[Base]) -> None:
        self._survey = survey
        self._linker = survey.linker
        self._order = order
        self._subject = [base.place for base in order if base.place is not None]
        self._closure = survey.closure(module for module, _ in self._subject)
        self._reached = Reached()
        self._whole: set[Place] = set()
        self._with_subclasses: set[Place] = set()
        self._other_tasks: set[Place] = set()
        self._attributes: set[str] = set()
        self._todo: list[Place] = []

    def follow(self) -> Reached:
        self._start()
        size = -1
        while size != len(self._reached.units):
            size = len(self._reached.units)
            self._drain()
            self._closure = self._survey.closure(
                {module for module, _ in (*self._subject, *self._reached.units)}
            )
            self._follow_effects()
            self._follow_attributes()
        self._drop_attributes_of_whole_classes()
        return self._reached

    def take(self, place: Place) -> None:
        """Count a unit and everything that it refers to."""
        unit = self._linker.table(place[0]).units.get(place[1])
        if unit is not None and place not in self._reached.units:
            self._reached.units[place] = unit
            self._todo.append(place)

    def _start(self) -> None:
        """The headers of the class and its bases, what Luigi calls, and every dunder method."""
        everything = has_unread_hooks(self._order)
        for module, name in self._subject:
            self.take((module, name))
            symbols = self._linker.table(module).classes[name]
            if symbols.enclosing:
                self.take((module, symbols.enclosing))
            for method in symbols.methods:
                if _is_dunder(method) and method not in DISPLAY_METHODS:
                    self.take((module, f"{name}.{method}"))
            for member in (*symbols.methods, *symbols.attributes) if everything else ():
                if member not in SCHEDULING:
                    self.take((module, f"{name}.{member}"))
        for member in ENTRY_POINTS:
            self._take_member(self._order, member)

    def _drain(self) -> None:
        while self._todo:
            place = self._todo.pop()
            unit = self._reached.units[place]
            for text in unit.references:
                self._follow(place, unit, decode_reference(text))
            for kind, line, text in unit.dynamic:
                self._reached.not_followed.add((place, kind, line, text))
            for name in unit.files:
                self._follow_file(place, unit, name)

    def _follow(self, place: Place, unit: Unit, reference: Reference) -> None:
        kind, chain, _origin = reference
        if kind in ("name", "import"):
            self._follow_name(place, reference)
        elif kind == "attribute":
            self._attributes.add(chain[0])
        elif kind == "module":
            self._hit(place, "globals", Target("module", place[0], place[0].name))
        else:
            self._follow_own(place, kind, chain[0])

    def _follow_name(self, place: Place, reference: Reference) -> None:
        chain = reference.chain
        targets = self._linker.resolve(place[0], reference)
        for target in targets:
            self._hit(place, chain[0], target)
        if CALL in chain and (not targets or any(each.kind == "external" for each in targets)):
            self._note_attributes(chain[chain.index(CALL) :])

    def _follow_own(self, place: Place, kind: str, name: str) -> None:
        """`self.x`, `super().x`, or a name of the class body."""
        own = (place[0], place[1].rpartition(".")[0])
        if self._linker.class_at(own) is None:
            return
        order = self._order if own in self._subject else self._linker.order(own)
        if kind == "member":
            self._take_member([Base(own, own[1])], name)
        elif kind == "super":
            places = [base.place for base in order]
            self._take_member(order[places.index(own) + 1 :], name)
        else:
            self._take_member(order, name)

    def _take_member(self, order: Sequence[Base], name: str) -> None:
        """An attribute of a class, where its method resolution order finds it first."""
        places = [base.place for base in order if base.place is not None]
        for module, owner in places:
            symbols = self._linker.table(module).classes[owner]
            if name == EVERYTHING:
                for member in (*symbols.methods, *symbols.attributes):
                    self.take((module, f"{owner}.{member}"))
            elif symbols.defines(name):
                self.take((module, f"{owner}.{name}"))
                return
            elif name in symbols.inner:
                self._take_class((module, f"{owner}.{name}"))
                return
        for place in places:
            for hook in ("__getattr__", "__getattribute__"):
                self.take((place[0], f"{place[1]}.{hook}"))

    def _hit(self, user: Place, label: str, target: Target) -> None:
        module = target.module
        if module is None:
            self._reached.edges.add((user, label, f"external:{target.name}"))
        elif target.kind == "unit":
            self._hit_unit(user, label, (module, target.name), target.rest)
        elif target.kind == "module":
            for name in self._linker.table(module).units:
                if "." not in name and not name.startswith("<"):
                    self._hit_unit(user, label, (module, name), ())
        else:
            kind = "unresolved" if target.kind == "missing" else target.kind
            line = self._reached.units[user].line
            self._reached.not_followed.add((user, kind, line, target.name))
            if target.kind == "unparsable":
                self._reached.files.add(module.path)

    def _hit_unit(self, user: Place, label: str, place: Place, rest: Sequence[str]) -> None:
        self._reached.edges.add((user, label, place))
        members = [name for name in rest[:2] if name != CALL]
        if self._linker.class_at(place) is None:
            self.take(place)
            self._note_attributes(rest)
        elif place in self._subject:
            is_own = bool(rest) and rest[0] == CALL
            order = self._order if is_own else self._linker.order(place)
            for name in members:
                self._take_member(order, name)
        elif self._survey.is_task(place):
            self._name_task(place)
            for name in members:
                if name not in BY_NAME_ONLY:
                    self._take_member(self._linker.order(place), name)
        else:
            if "__subclasses__" in rest:
                self._with_subclasses.add(place)
                self._whole.discard(place)
            self._take_class(place)
            self._note_attributes(rest)

    def _name_task(self, place: Place) -> None:
        """Another task counts by its name."""
        self._other_tasks.add(place)
        self._reached.families.add(place[1])

    def _take_class(self, place: Place) -> None:
        """A class that is no task counts whole, with its bases."""
        symbols = self._linker.class_at(place)
        if symbols is None or place in self._whole or place in self._subject:
            return
        if self._survey.is_task(place):
            self._name_task(place)
            return
        self._whole.add(place)
        module, name = place
        for unit in ("", f".{BODY}", *(f".{method}" for method in symbols.methods)):
            self.take((module, f"{name}{unit}"))
        for inner in symbols.inner:
            self._take_class((module, f"{name}.{inner}"))
        for base in self._linker.order(place)[1:]:
            if base.place is not None:
                self._take_class(base.place)
        registers = "__init_subclass__" in symbols.methods or "metaclass" in symbols.keywords
        if registers or place in self._with_subclasses:
            for below in self._closure.below(place):
                self._take_class(below)

    def _follow_file(self, place: Place, unit: Unit, name: str) -> None:
        """A string that names a file of code."""
        path = self._linker.project.file_near(place[0], name)
        if path is None:
            if name.endswith(REQUIRED_FILES):
                self._reached.not_followed.add((place, "file", unit.line, name))
        elif path.endswith(".py"):
            module = self._linker.project.at(path)
            if module is not None:
                self._hit(place, name, Target("module", module, module.name))
                self.take((module, SCRIPT))
        else:
            self._reached.files.add(path)

    def _follow_effects(self) -> None:
        """Statements elsewhere that act on what is reached."""
        effects = self._closure.effects
        for place in list(self._reached.units):
            owners = set(effects.acting_on(place))
            if place not in self._subject:
                owners.update(effects.called_on(place))
            for owner in owners:
                if self._linker.class_at(owner) is None:
                    self.take(owner)
                else:
                    self._take_class(owner)

    def _note_attributes(self, names: Iterable[str]) -> None:
        self._attributes.update(name for name in names if name not in (CALL, EVERYTHING))

    def _follow_attributes(self) -> None:
        """Attributes of objects that are not known: whose they may be."""
        known = {name.rpartition(".")[2] for _, name in self._reached.units if "." in name}
        results = list(self._results_of_other_tasks())
        for name in sorted(self._attributes):
            self._take_defined(self._order, name)
            for place in results:
                self._take_defined(self._linker.order(place), name)
            if name in COMMON_METHODS or _is_dunder(name):
                continue
            if name not in BY_NAME_ONLY:
                for place in self._other_tasks:
                    self._take_defined(self._linker.order(place), name)
            if name not in known:
                for module, owner in self._closure.with_method(name):
                    self.take((module, f"{owner}.{name}"))

    def _take_defined(self, order: Sequence[Base], name: str) -> None:
        for base in order:
            if base.place is not None:
                symbols = self._linker.class_at(base.place)
                if symbols is not None and symbols.defines(name):
                    self.take((base.place[0], f"{base.place[1]}.{name}"))
                    return

    def _results_of_other_tasks(self) -> Iterable[Place]:
        """The project's own target classes that upstream tasks hand over in `output()`."""
        for task in self._other_tasks:
            for base in self._linker.order(task):
                if base.place is None:
                    continue
                module, owner = base.place
                unit = self._linker.table(module).units.get(f"{owner}.output")
                for text in () if unit is None else unit.references:
                    yield from self._classes_named(module, decode_reference(text))

    def _classes_named(self, module: Module, reference: Reference) -> Iterable[Place]:
        if reference.kind in ("name", "import"):
            for target in self._linker.resolve(module, reference):
                if target.kind == "unit" and target.module is not None:
                    place = (target.module, target.name)
                    if self._linker.class_at(place) and not self._survey.is_task(place):
                        yield place

    def _drop_attributes_of_whole_classes(self) -> None:
        """Their text is in the body already: an edit is to change one part, not two."""
        dropped = {
            place
            for place, unit in self._reached.units.items()
            if unit.kind == "attribute" and (place[0], place[1].rpartition(".")[0]) in self._whole
        }
        reached = self._reached
        for place in dropped:
            del reached.units[place]
        reached.edges = {edge for edge in reached.edges if edge[0] not in dropped}
        reached.not_followed = {each for each in reached.not_followed if each[0] not in dropped}


def _is_dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")
