"""The statements of a module or class body, each with the conditions it stands under."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from superluigi.code.canonical import is_bare_constant, is_type_checking
from superluigi.code.scopes import chain_of

__all__ = ["Placed", "called_chains", "first_line", "flattened", "import_statements", "is_overload"]

_DROPPED = (ast.Pass, ast.Global)


@dataclass(frozen=True, eq=False)
class Placed:
    """A statement with the conditions it stands under."""

    statement: ast.stmt
    guards: tuple[ast.expr, ...] = ()
    is_script: bool = False
    """It stands under `if __name__ == ...`, and does not run when the module is imported."""


def flattened(statements: Iterable[ast.stmt]) -> Iterator[Placed]:
    """The statements of a body, those inside `if` and `try` one by one.

    Loops, `with` and `match` stay whole, and what only runs for a type checker is left out.
    """
    todo = _placed(statements, Placed(ast.Pass()))
    while todo:
        here = todo.pop()
        statement = here.statement
        if isinstance(statement, ast.If):
            todo += _branches(statement, here)
        elif isinstance(statement, ast.Try) or type(statement).__name__ == "TryStar":
            todo += _tried(statement, here)
        elif not is_bare_constant(statement) and not isinstance(statement, _DROPPED):
            yield here


def _placed(statements: Iterable[ast.stmt], around: Placed) -> list[Placed]:
    """Statements under the conditions of another, last first, as a stack wants them."""
    placed = [Placed(each, around.guards, around.is_script) for each in statements]
    return placed[::-1]


def _branches(statement: ast.If, here: Placed) -> list[Placed]:
    test = statement.test
    if is_type_checking(test):
        return _placed(statement.orelse, here)
    if _is_script_guard(test):
        script = Placed(statement, here.guards, is_script=True)
        return [*_placed(statement.orelse, here), *_placed(statement.body, script)]
    negated = ast.copy_location(ast.UnaryOp(ast.Not(), test), test)
    positive = Placed(statement, (*here.guards, test), here.is_script)
    negative = Placed(statement, (*here.guards, negated), here.is_script)
    return [*_placed(statement.orelse, negative), *_placed(statement.body, positive)]


def _tried(statement: ast.stmt, here: Placed) -> list[Placed]:
    handlers: list[ast.ExceptHandler] = getattr(statement, "handlers", [])
    bodies = [
        getattr(statement, "body", []),
        *(handler.body for handler in handlers),
        getattr(statement, "orelse", []),
        getattr(statement, "finalbody", []),
    ]
    return [placed for body in reversed(bodies) for placed in _placed(body, here)]


def _is_script_guard(test: ast.expr) -> bool:
    return (
        isinstance(test, ast.Compare)
        and isinstance(test.left, ast.Name)
        and test.left.id == "__name__"
    )


def import_statements(statements: Iterable[ast.stmt]) -> Iterator[ast.Import | ast.ImportFrom]:
    """Every import of a file, those inside functions and classes included."""
    todo: list[ast.AST] = list(statements)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
            continue
        if not isinstance(node, ast.If) or not is_type_checking(node.test):
            todo.extend(getattr(node, "body", ()))
        for field in ("orelse", "finalbody", "handlers", "cases"):
            todo.extend(getattr(node, field, ()))


def called_chains(statement: ast.stmt) -> set[tuple[str, ...]]:
    """What a statement calls, as dotted chains."""
    calls = (node for node in ast.walk(statement) if isinstance(node, ast.Call))
    return {chain for chain in (chain_of(call.func) for call in calls) if chain is not None}


def first_line(statement: ast.stmt) -> int:
    """The line a statement starts at, decorators included."""
    decorators: list[ast.expr] = getattr(statement, "decorator_list", [])
    return min([statement.lineno, *(decorator.lineno for decorator in decorators)])


def is_overload(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a definition is only a signature for type checkers."""
    return any(
        (chain_of(decorator) or ("",))[-1] == "overload" for decorator in function.decorator_list
    )
