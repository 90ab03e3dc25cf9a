"""Which names a piece of source binds, and what a name means where it is read."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

__all__ = ["COMPREHENSIONS", "Origin", "Scope", "all_arguments", "bind", "bound_names", "chain_of"]

COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)

_LONGEST_CHAIN = 200
"""A bound: each call of a chain asks for the chain before it."""

_UNSEEN_FROM_INSIDE = frozenset({"class", "units"})

Origin = tuple[str, int, str]
"""Where an import leads: module as written, level (leading dots), imported name ("" for the module)."""

CALL = "()"
"""Stands in a chain for a call: `make().go` is `("make", "()", "go")`."""


class Scope:
    """The names of one function, comprehension or class body, inside those around it."""

    __slots__ = ("imports", "kind", "name", "names", "outward", "parent", "receiver")

    def __init__(self, kind: str, parent: Scope | None = None, name: str = "") -> None:
        self.kind = kind
        """`module`, `function`, `comprehension`, `class`, or `units`: a class whose members are parts."""
        self.parent = parent
        self.name = name
        self.names: set[str] = set()
        self.imports: dict[str, Origin] = {}
        self.outward: dict[str, bool] = {}
        """Names declared `global` (True) or `nonlocal` (False)."""
        self.receiver: str | None = None
        """The name that holds the instance or class: `self`, `cls`."""

    def bind(self, names: Iterable[str], imports: dict[str, Origin] | None = None) -> None:
        """Add names, less those that are declared to live further out."""
        self.names.update(name for name in names if name not in self.outward)
        self.imports.update(imports or {})

    def lookup(self, name: str) -> tuple[str, Origin | None]:
        """What a name read here means.

        Returns:
            One of `global`, `local`, `receiver`, `member` (of the class whose body this is), or
            `import` with where it leads.
        """
        scope: Scope | None = self
        while scope is not None:
            if scope.outward.get(name):
                return "global", None
            if scope is self or scope.kind not in _UNSEEN_FROM_INSIDE:
                meaning = scope._meaning(name)
                if meaning is not None:
                    return meaning
            scope = scope.parent
        return "global", None

    def _meaning(self, name: str) -> tuple[str, Origin | None] | None:
        if name == self.receiver:
            return "receiver", None
        if name in self.imports:
            return "import", self.imports[name]
        if name in self.names:
            return ("member" if self.kind == "units" else "local"), None
        return None

    def qualified(self, name: str) -> str:
        """The qualified name of a class or function that stands directly in this scope."""
        scope: Scope | None = self
        while scope is not None and scope.kind != "module":
            if scope.kind == "function":
                name = f"<locals>.{name}"
            if scope.name:
                name = f"{scope.name}.{name}"
            scope = scope.parent
        return name

    def is_inside(self, kind: str) -> bool:
        """Whether this scope, or one around it, is of a kind."""
        scope: Scope | None = self
        while scope is not None:
            if scope.kind == kind:
                return True
            scope = scope.parent
        return False


def chain_of(node: ast.AST) -> tuple[str, ...] | None:
    """The dotted chain of an expression: `a.b().c` is `("a", "b", "()", "c")`; else None."""
    backwards: list[str] = []
    while len(backwards) < _LONGEST_CHAIN:
        if isinstance(node, ast.Attribute):
            backwards.append(node.attr)
            node = node.value
        elif isinstance(node, ast.Call):
            backwards.append(CALL)
            node = node.func
        elif isinstance(node, ast.Name):
            backwards.append(node.id)
            return tuple(reversed(backwards))
        else:
            break
    return None


def all_arguments(arguments: ast.arguments) -> list[ast.arg]:
    """Every parameter of a function, in the order of the source."""
    extra = [each for each in (arguments.vararg, arguments.kwarg) if each is not None]
    return [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, *extra]


def bound_names(statements: Iterable[ast.AST]) -> Scope:
    """A free-standing scope with the names that statements bind, not entering scopes inside."""
    scope = Scope("module")
    bind(scope, statements)
    return scope


def bind(scope: Scope, statements: Iterable[ast.AST]) -> None:
    """Add to a scope what statements bind, not entering the scopes inside them."""
    names: set[str] = set()
    imports: dict[str, Origin] = {}
    todo = list(statements)
    while todo:
        node = todo.pop()
        if isinstance(node, ast.Name):
            if not isinstance(node.ctx, ast.Load):
                names.add(node.id)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, COMPREHENSIONS):
            names.update(_walrus_names(node))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            imports.update(imported_names(node))
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            scope.outward.update(dict.fromkeys(node.names, isinstance(node, ast.Global)))
        elif not isinstance(node, ast.Lambda):
            names.update(_names_of(node))
            todo.extend(ast.iter_child_nodes(node))
    scope.bind(names | set(imports), imports)


def imported_names(node: ast.Import | ast.ImportFrom) -> dict[str, Origin]:
    """The names that an import statement binds; a star binds none."""
    if isinstance(node, ast.ImportFrom):
        return {
            alias.asname or alias.name: (node.module or "", node.level, alias.name)
            for alias in node.names
            if alias.name != "*"
        }
    return {
        alias.asname or alias.name.split(".")[0]: (
            alias.name if alias.asname else alias.name.split(".")[0],
            0,
            "",
        )
        for alias in node.names
    }


def _names_of(node: ast.AST) -> Iterator[str]:
    """What a node without a scope of its own binds, besides by `Name`."""
    if isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)):
        if node.name:
            yield node.name
    elif isinstance(node, ast.MatchMapping) and node.rest:
        yield node.rest


def _walrus_names(comprehension: ast.AST) -> Iterator[str]:
    """`:=` inside a comprehension binds outside of it."""
    for node in ast.walk(comprehension):
        if isinstance(node, ast.NamedExpr):
            yield node.target.id
