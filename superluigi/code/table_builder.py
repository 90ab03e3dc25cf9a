"""From the bytes of one file to its table."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence

from superluigi.code.canonical import FUNCTIONS
from superluigi.code.parsing import parse_source, source_lines
from superluigi.code.scopes import Origin, Scope, bound_names, chain_of, imported_names
from superluigi.code.statements import (
    Placed,
    called_chains,
    flattened,
    import_statements,
    is_overload,
)
from superluigi.code.symbols import ClassSymbols, Effect, FileTable, Reference, Unit
from superluigi.code.units import UnitMaker, encoded

__all__ = ["BODY", "SCRIPT", "build_table"]

BODY = "<body>"
"""The unit of everything that a class body holds besides methods and classes."""
SCRIPT = "<script>"
"""The unit of the statements that only act, and of what stands under `if __name__ == ...`."""


def build_table(source: bytes) -> FileTable:
    """The table of one file.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: This Python cannot parse it.
    """
    return _ModuleReader(parse_source(source), source_lines(source)).read()


class _ModuleReader:
    def __init__(self, tree: ast.Module, lines: Sequence[str]) -> None:
        self._placed = list(flattened(tree.body))
        self._scope = Scope("module")
        self._imports: dict[str, Origin] = {}
        self._maker = UnitMaker(lines, self._imports)
        self._table = FileTable(imports=_import_rows(tree))
        self._named: dict[str, list[Placed]] = {}
        self._acting: list[tuple[Placed, list[str]]] = []
        self._local: set[int] = set()

    def read(self) -> FileTable:
        for placed in self._placed:
            if isinstance(placed.statement, (ast.Import, ast.ImportFrom)):
                self._add_import(placed.statement, placed)
        for placed in self._placed:
            self._add(placed)
        for placed, names in self._acting:
            if not placed.is_script:
                self._add_effect(placed, names)
        for name, group in self._named.items():
            self._add_unit(name, group)
        self._add_script()
        return self._table

    def _add(self, placed: Placed) -> None:
        statement = placed.statement
        if isinstance(statement, ast.ClassDef):
            self._bind(statement.name)
            self._add_class(statement, self._scope, placed.guards)
            self._add_decorators(statement.name, statement.decorator_list)
        elif isinstance(statement, FUNCTIONS):
            if not is_overload(statement):
                self._bind(statement.name)
                self._named.setdefault(statement.name, []).append(placed)
                self._add_decorators(statement.name, statement.decorator_list)
        elif not isinstance(statement, (ast.Import, ast.ImportFrom)):
            self._add_other(placed)

    def _add_import(self, statement: ast.Import | ast.ImportFrom, placed: Placed) -> None:
        names = imported_names(statement)
        self._imports.update(names)
        for name, origin in names.items():
            self._table.bindings.setdefault(name, []).append(["import", *origin])
            if placed.guards:
                condition = f"<import:{name}>"
                self._table.bindings[name].append(["condition", condition])
                self._named.setdefault(condition, []).append(placed)
        if isinstance(statement, ast.ImportFrom) and statement.names[0].name == "*":
            self._table.stars.append([statement.module or "", statement.level])

    def _add_other(self, placed: Placed) -> None:
        statement = placed.statement
        if isinstance(statement, ast.AnnAssign) and statement.value is None:
            return
        scope = bound_names([statement])
        for name, origin in scope.imports.items():
            self._table.bindings.setdefault(name, []).append(["import", *origin])
        names = sorted(scope.names - set(scope.imports))
        for name in names:
            self._bind(name)
            self._named.setdefault(name, []).append(placed)
        self._acting.append((placed, names))

    def _bind(self, name: str) -> None:
        self._table.bindings.setdefault(name, []).append(["unit"])

    def _add_decorators(self, owner: str, decorators: Iterable[ast.expr]) -> None:
        calls = {Reference("name", chain) for chain in map(chain_of, decorators) if chain}
        if calls:
            self._table.effects.append(Effect(owner, [], encoded(calls)))

    def _add_effect(self, placed: Placed, names: list[str]) -> None:
        """Give a statement to what it changes in this module, else make it a unit of its own."""
        found = self._maker.findings(placed, self._scope)
        targets = found.mutates - {Reference("name", (name,)) for name in names}
        calls = {Reference("name", chain) for chain in called_chains(placed.statement)}
        if not targets and not calls:
            return
        changed = {each.chain[0] for each in targets if each.kind == "name"}
        owners = sorted(name for name in changed - set(names) if name in self._named)
        owners = owners or ([] if names else [_label(targets or calls)])
        for name in owners:
            self._named.setdefault(name, []).append(placed)
        effect = Effect([*owners, *names][0], encoded(targets), encoded(calls))
        self._table.effects.append(effect)

    def _add_unit(self, name: str, group: Sequence[Placed]) -> None:
        is_function = isinstance(group[0].statement, FUNCTIONS)
        kind = "statement" if name.startswith("<") else "function" if is_function else "variable"
        unit = self._maker.unit(kind, group, self._scope)
        self._put(name, unit.without_names(self._bound_only_by(group) - {name}))
        self._add_local_classes(name, group, self._scope)

    def _bound_only_by(self, group: Sequence[Placed]) -> set[str]:
        """The loop variable of a loop that fills a dictionary: its text is in the unit already."""
        loops = [placed for placed in group if not isinstance(placed.statement, FUNCTIONS)]
        names = {name for placed in loops for name in bound_names([placed.statement]).names}
        return {name for name in names if len(self._named.get(name, ())) == 1}

    def _add_script(self) -> None:
        group = [placed for placed, names in self._acting if placed.is_script or not names]
        if group:
            self._table.units[SCRIPT] = self._maker.unit("script", group, self._scope)

    def _add_local_classes(self, unit: str, group: Iterable[Placed], scope: Scope) -> None:
        """Classes inside functions have units too: a task may be one of them."""
        for placed in group:
            for node, around in self._maker.findings(placed, scope).local_classes:
                if id(node) not in self._local:
                    self._local.add(id(node))
                    self._add_class(node, around, (), enclosing=unit)

    def _add_class(
        self,
        node: ast.ClassDef,
        around: Scope,
        guards: tuple[ast.expr, ...],
        *,
        enclosing: str = "",
    ) -> None:
        name = around.qualified(node.name)
        body = _ClassBody(node, around)
        self._put(name, self._maker.header(node, guards, around))
        acts = bool(node.decorator_list or node.bases)
        if body.others:
            unit = self._maker.unit("body", body.others, body.scope, keep_field_annotations=acts)
            self._put(f"{name}.{BODY}", unit)
        for kind, members in (("attribute", body.attributes), ("method", body.methods)):
            for member, group in members.items():
                self._put(f"{name}.{member}", self._maker.unit(kind, group, body.scope))
                self._add_local_classes(enclosing or f"{name}.{member}", group, body.scope)
        for inner, inner_guards in body.inner:
            self._add_class(inner, body.scope, inner_guards, enclosing=enclosing)
        symbols = ClassSymbols(
            bases=[".".join(_base_chain(base)) for base in node.bases],
            methods=sorted(body.methods),
            attributes=sorted(set(body.attributes) - set(body.methods)),
            inner=sorted({inner.name for inner, _ in body.inner}),
            keywords=sorted(keyword.arg or "**" for keyword in node.keywords),
            enclosing=enclosing,
        )
        other = self._table.classes.get(name)
        self._table.classes[name] = symbols if other is None else other.merged(symbols)

    def _put(self, name: str, unit: Unit) -> None:
        """Two classes of one name, one for each branch of a condition, count together."""
        other = self._table.units.get(name)
        self._table.units[name] = unit if other is None else other.merged(unit)


class _ClassBody:
    """The statements of a class body, sorted by what they are."""

    def __init__(self, node: ast.ClassDef, around: Scope) -> None:
        self.methods: dict[str, list[Placed]] = {}
        self.attributes: dict[str, list[Placed]] = {}
        self.others: list[Placed] = []
        self.inner: list[tuple[ast.ClassDef, tuple[ast.expr, ...]]] = []
        self.scope = Scope("units", around, node.name)
        for placed in flattened(node.body):
            self._add(placed)
        self.scope.bind((*self.methods, *self.attributes, *(each.name for each, _ in self.inner)))

    def _add(self, placed: Placed) -> None:
        statement = placed.statement
        if isinstance(statement, FUNCTIONS):
            if not is_overload(statement):
                self.methods.setdefault(statement.name, []).append(placed)
        elif isinstance(statement, ast.ClassDef):
            self.inner.append((statement, placed.guards))
        elif isinstance(statement, (ast.Import, ast.ImportFrom)):
            names = imported_names(statement)
            self.scope.bind(names, names)
        else:
            self.others.append(placed)
            for name in sorted(bound_names([statement]).names):
                self.attributes.setdefault(name, []).append(placed)


def _import_rows(tree: ast.Module) -> list[list[object]]:
    rows: set[tuple[str, int, str]] = set()
    for node in import_statements(tree.body):
        if isinstance(node, ast.Import):
            rows.update((alias.name, 0, "") for alias in node.names)
        else:
            rows.update((node.module or "", node.level, alias.name) for alias in node.names)
    return [list(row) for row in sorted(rows)]


def _label(references: set[Reference]) -> str:
    """The name of a statement that binds nothing: what it changes, or what it calls."""
    return f"<{min('.'.join(reference.chain) for reference in references)}>"


def _base_chain(base: ast.expr) -> tuple[str, ...]:
    return chain_of(base.value if isinstance(base, ast.Subscript) else base) or ()
