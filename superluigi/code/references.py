"""What a piece of source refers to, changes, and does that its text does not tell.

The order of visiting does not matter to the result, so the walk is a list of (node, scope) to do:
no recursion, however deep the source nests.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from typing import Any

from superluigi.code.calls import read_call
from superluigi.code.canonical import (
    is_bare_constant,
    is_type_checking,
    reads_annotations,
)
from superluigi.code.findings import Findings
from superluigi.code.scopes import (
    CALL,
    Scope,
    all_arguments,
    bind,
    bound_names,
    chain_of,
)

__all__ = ["ReferenceWalk"]

_Visitor = Callable[["ReferenceWalk", Any, Scope], None]


class ReferenceWalk:
    """Walks over statements and collects into findings.

    Args:
        findings: Where to collect.
        keep_field_annotations: The annotations of a class body act at run time.
    """

    def __init__(self, findings: Findings, *, keep_field_annotations: bool = False) -> None:
        self._findings = findings
        self._keep_field_annotations = keep_field_annotations
        self._todo: list[tuple[ast.AST, Scope]] = []

    def walk(self, nodes: Iterable[ast.AST], scope: Scope) -> None:
        """Visit nodes that stand in a scope."""
        self._push(nodes, scope)
        while self._todo:
            node, inside = self._todo.pop()
            visitor = _VISITORS.get(type(node).__name__)
            if visitor is None:
                self._push(ast.iter_child_nodes(node), inside)
            else:
                visitor(self, node, inside)

    def _push(self, nodes: Iterable[ast.AST | None], scope: Scope) -> None:
        self._todo.extend((node, scope) for node in nodes if node is not None)

    def _visit_nothing(self, node: ast.AST, scope: Scope) -> None:
        """Imports bind names; what they bind is counted where it is used."""

    def _visit_name(self, node: ast.Name, scope: Scope) -> None:
        if isinstance(node.ctx, ast.Load):
            self._refer((node.id,), node, scope)
        elif scope.lookup(node.id)[0] in ("global", "import"):
            self._findings.change((node.id,), scope)
            self._findings.refer((node.id,), scope)

    def _visit_chain(self, node: ast.Attribute | ast.Call, scope: Scope) -> None:
        """A spine of attributes and calls, read from its end to its root."""
        backwards: list[str] = []
        spine: ast.AST = node
        while isinstance(spine, (ast.Attribute, ast.Call)):
            if isinstance(spine, ast.Attribute):
                backwards.append(spine.attr)
                spine = spine.value
                continue
            read_call(spine, scope, self._findings)
            self._push(spine.args, scope)
            self._push((keyword.value for keyword in spine.keywords), scope)
            instance = _argument_of_type(spine)
            if instance is None:
                backwards.append(CALL)
                spine = spine.func
            else:
                spine = instance
        names = tuple(reversed(backwards))
        if not isinstance(spine, ast.Name):
            self._findings.attributes(names)
            self._push([spine], scope)
            return
        self._refer((spine.id, *names), node, scope)
        if isinstance(node, ast.Attribute) and not isinstance(node.ctx, ast.Load):
            self._findings.change((spine.id, *names), scope)

    def _refer(self, chain: tuple[str, ...], node: ast.AST, scope: Scope) -> None:
        if chain[0] == "super" and scope.lookup("super")[0] == "global":
            if len(chain) > 2:
                self._findings.refer_to_base(chain[2:])
            return
        self._findings.refer(chain, scope)
        if not scope.is_inside("function"):
            dotted = self._findings.dotted(chain, scope)
            if dotted == "os.environ" or dotted.startswith(("os.environ.", "os.getenv")):
                self._findings.note("environment", node)

    def _visit_subscript(self, node: ast.Subscript, scope: Scope) -> None:
        chain = chain_of(node.value)
        if chain is not None and not isinstance(node.ctx, ast.Load):
            self._findings.change(chain, scope)
        self._push((node.value, node.slice), scope)

    def _visit_constant(self, node: ast.Constant, scope: Scope) -> None:
        if isinstance(node.value, str):
            self._findings.file(node.value)

    def _visit_operation(self, node: ast.BinOp, scope: Scope) -> None:
        """`HERE / "sql" / "query.sql"` names one file, not two."""
        names: list[str] = []
        left: ast.AST = node
        while isinstance(left, ast.BinOp) and isinstance(left.op, ast.Div):
            right = left.right
            if not isinstance(right, ast.Constant) or not isinstance(right.value, str):
                break
            names.insert(0, right.value)
            left = left.left
        if names:
            self._findings.file("/".join(names))
            self._push([left], scope)
        else:
            self._push((node.left, node.right), scope)

    def _visit_function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> None:
        self._push(node.decorator_list, scope)
        self._push_defaults(node.args, scope)
        if reads_annotations(node):
            self._push((each.annotation for each in all_arguments(node.args)), scope)
        inner = Scope("function", scope, node.name)
        inner.receiver = _receiver(node, scope)
        bind(inner, node.body)
        inner.bind(each.arg for each in all_arguments(node.args))
        self._push((each for each in node.body if not is_bare_constant(each)), inner)

    def _visit_lambda(self, node: ast.Lambda, scope: Scope) -> None:
        self._push_defaults(node.args, scope)
        inner = Scope("function", scope, "<lambda>")
        bind(inner, [node.body])
        inner.bind(each.arg for each in all_arguments(node.args))
        self._push([node.body], inner)

    def _push_defaults(self, arguments: ast.arguments, scope: Scope) -> None:
        self._push(arguments.defaults, scope)
        self._push(arguments.kw_defaults, scope)

    def _visit_comprehension(
        self, node: ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp, scope: Scope
    ) -> None:
        inner = Scope("comprehension", scope)
        inner.bind(bound_names(each.target for each in node.generators).names)
        for place, generator in enumerate(node.generators):
            self._push([generator.iter], inner if place else scope)
            self._push(generator.ifs, inner)
        elements = (node.key, node.value) if isinstance(node, ast.DictComp) else (node.elt,)
        self._push(elements, inner)

    def _visit_class(self, node: ast.ClassDef, scope: Scope) -> None:
        """A class inside a function: all of it belongs to the function, and it may be a task."""
        self._findings.local_classes.append((node, scope))
        self._push((*node.decorator_list, *node.bases), scope)
        self._push((keyword.value for keyword in node.keywords), scope)
        inner = Scope("class", scope, node.name)
        bind(inner, node.body)
        self._push((each for each in node.body if not is_bare_constant(each)), inner)

    def _visit_annotated(self, node: ast.AnnAssign, scope: Scope) -> None:
        self._push((node.target, node.value), scope)
        if self._keep_field_annotations:
            self._push([node.annotation], scope)

    def _visit_if(self, node: ast.If, scope: Scope) -> None:
        if not is_type_checking(node.test):
            self._push([node.test, *node.body], scope)
        self._push(node.orelse, scope)


def _argument_of_type(call: ast.Call) -> ast.AST | None:
    """`self` in `type(self)`."""
    if isinstance(call.func, ast.Name) and call.func.id == "type" and len(call.args) == 1:
        return call.args[0] if isinstance(call.args[0], ast.Name) else None
    return None


def _receiver(function: ast.FunctionDef | ast.AsyncFunctionDef, scope: Scope) -> str | None:
    """The parameter that holds the task: a method's first, or `self` of a function inside one."""
    positional = [*function.args.posonlyargs, *function.args.args]
    if not positional:
        return None
    decorators = [chain_of(each) or ("",) for each in function.decorator_list]
    if any(chain[-1] == "staticmethod" for chain in decorators):
        return None
    name = positional[0].arg
    if scope.kind == "units" or (
        name == "self" and scope.kind == "function" and scope.is_inside("units")
    ):
        return name
    return None


_VISITORS: dict[str, _Visitor] = {
    "AnnAssign": ReferenceWalk._visit_annotated,
    "AsyncFunctionDef": ReferenceWalk._visit_function,
    "Attribute": ReferenceWalk._visit_chain,
    "BinOp": ReferenceWalk._visit_operation,
    "Call": ReferenceWalk._visit_chain,
    "ClassDef": ReferenceWalk._visit_class,
    "Constant": ReferenceWalk._visit_constant,
    "DictComp": ReferenceWalk._visit_comprehension,
    "FunctionDef": ReferenceWalk._visit_function,
    "GeneratorExp": ReferenceWalk._visit_comprehension,
    "If": ReferenceWalk._visit_if,
    "Import": ReferenceWalk._visit_nothing,
    "ImportFrom": ReferenceWalk._visit_nothing,
    "Lambda": ReferenceWalk._visit_lambda,
    "ListComp": ReferenceWalk._visit_comprehension,
    "Name": ReferenceWalk._visit_name,
    "SetComp": ReferenceWalk._visit_comprehension,
    "Subscript": ReferenceWalk._visit_subscript,
    "TypeAlias": ReferenceWalk._visit_nothing,
}
