"""What one source file defines and refers to: a plain table, a pure function of the file's bytes.

Everything in it is a JSON type or becomes one, so that tables can be cached.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any, NamedTuple

from superluigi.code.canonical import digest_of
from superluigi.code.scopes import Origin

__all__ = ["ClassSymbols", "Effect", "FileTable", "Reference", "Unit", "decode_reference"]


class Reference(NamedTuple):
    """One use of a name.

    Kinds: `name` (a module-level name and what is taken from it), `import` (the same through an
    import inside a function), `self` and `super` (an attribute of the task), `member` (a name of
    the class body it stands in), `attribute` (of an object that is not known), `module` (all of
    the module, through `globals()`).
    """

    kind: str
    chain: tuple[str, ...] = ()
    """Names and `()` for calls; `*` at the end stands for every attribute."""
    origin: Origin | None = None

    def encode(self) -> str:
        """The reference as one string, which loads from JSON faster than a list of lists."""
        origin = "" if self.origin is None else "{}:{}:{}".format(*self.origin)
        return f"{self.kind} {'.'.join(self.chain)} {origin}"


@lru_cache(maxsize=65536)
def decode_reference(text: str) -> Reference:
    """The reference that `Reference.encode` wrote."""
    kind, dotted, origin = text.split(" ")
    chain = tuple(dotted.split(".")) if dotted else ()
    if not origin:
        return Reference(kind, chain)
    module, level, name = origin.split(":")
    return Reference(kind, chain, (module, int(level), name))


@dataclass(frozen=True, slots=True)
class Unit:
    """One thing that counts as a whole: a function, a class header, an attribute, a name."""

    kind: str
    """`function`, `method`, `class` (its header), `body`, `attribute`, `variable`, `statement` or `script`."""
    line: int
    spans: list[list[int]]
    """First and last line of each statement that belongs to it."""
    digest: str
    """Over its canonical text alone."""
    references: list[str]
    mutates: list[str]
    """References to what it changes."""
    files: list[str]
    """Names of files of code."""
    dynamic: list[list[Any]]
    """Kind, line and text of what cannot be followed."""

    def without_names(self, names: set[str]) -> Unit:
        """The unit without its references to some module-level names."""
        if not names:
            return self
        kept = [
            text
            for text in self.references
            if not (text.startswith("name ") and decode_reference(text).chain[0] in names)
        ]
        return replace(self, references=kept)

    def merged(self, other: Unit) -> Unit:
        """Both units as one."""
        return Unit(
            self.kind,
            min(self.line, other.line),
            sorted([*self.spans, *other.spans]),
            digest_of(self.digest, other.digest),
            _union(self.references, other.references),
            _union(self.mutates, other.mutates),
            _union(self.files, other.files),
            sorted([*self.dynamic, *other.dynamic]),
        )


@dataclass(frozen=True, slots=True)
class ClassSymbols:
    """The shape of one class; what stands in it are units named `Class.name`."""

    bases: list[str]
    """A dotted chain each, as `a.b.()`; empty for an expression of another form."""
    methods: list[str]
    attributes: list[str]
    inner: list[str]
    keywords: list[str]
    """Of the class statement, such as `metaclass`."""
    enclosing: str
    """The unit of the function it stands in, or empty."""

    def merged(self, other: ClassSymbols) -> ClassSymbols:
        """Both classes as one."""
        methods = _union(self.methods, other.methods)
        return ClassSymbols(
            list(dict.fromkeys([*self.bases, *other.bases])),
            methods,
            sorted({*self.attributes, *other.attributes} - set(methods)),
            _union(self.inner, other.inner),
            _union(self.keywords, other.keywords),
            self.enclosing,
        )

    def defines(self, name: str) -> bool:
        """Whether the class body itself binds an attribute or method."""
        return name in self.methods or name in self.attributes


@dataclass(frozen=True, slots=True)
class Effect:
    """A statement or decorator that acts on something else while the module is imported."""

    owner: str
    """The unit it belongs to."""
    targets: list[str]
    """References to what it changes itself."""
    calls: list[str]
    """References to what it calls."""


@dataclass(frozen=True, slots=True)
class FileTable:
    """All of one file."""

    units: dict[str, Unit] = field(default_factory=dict)
    bindings: dict[str, list[list[Any]]] = field(default_factory=dict)
    """Module-level name → a row for each statement that binds it: `["unit"]`, `["import", module,
    level, name]`, or `["condition", unit]`, the unit of what decides whether an import happens."""
    stars: list[list[Any]] = field(default_factory=list)
    """Module and level of each star import, in order."""
    classes: dict[str, ClassSymbols] = field(default_factory=dict)
    effects: list[Effect] = field(default_factory=list)
    imports: list[list[Any]] = field(default_factory=list)
    """Module, level and name of every import, those inside functions included."""

    def to_json(self) -> list[Any]:
        """The table as JSON types."""
        return [
            {name: _row(unit) for name, unit in self.units.items()},
            self.bindings,
            self.stars,
            {name: _row(symbols) for name, symbols in self.classes.items()},
            [_row(effect) for effect in self.effects],
            self.imports,
        ]

    @classmethod
    def from_json(cls, rows: Any) -> FileTable:
        """The table that `to_json` wrote.

        Raises:
            TypeError, ValueError: The rows are no table.
        """
        units, bindings, stars, classes, effects, imports = rows
        return cls(
            {name: Unit(*row) for name, row in units.items()},
            bindings,
            stars,
            {name: ClassSymbols(*row) for name, row in classes.items()},
            [Effect(*row) for row in effects],
            imports,
        )


def _union(one: list[str], other: list[str]) -> list[str]:
    return sorted({*one, *other})


def _row(record: Unit | ClassSymbols | Effect) -> list[Any]:
    return [getattr(record, name) for name in record.__slots__]
