"""A canonical text of Python source trees, the same on every supported Python.

`ast.dump`, `ast.unparse` and bytecode differ between minor versions, so the text is our own:
fields in alphabetical order, absent ones left out, constants spelt by type, f-strings flattened.
What does not change behaviour is left out too: docstrings and other bare constants, `pass`,
imports (what a name resolves to is counted instead), `if TYPE_CHECKING:` bodies, annotations,
and the `description=` of parameters.

The walk keeps its own stack, so that a sum of a thousand terms needs no recursion.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

__all__ = [
    "FUNCTIONS",
    "canonical_text",
    "digest_of",
    "is_bare_constant",
    "is_type_checking",
    "reads_annotations",
]

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)

DIGEST_DIGITS = 32
"""Hex digits of every digest: the first 128 bits of a SHA-256."""

_SKIPPED_FIELDS = frozenset({"ctx", "kind", "type_comment", "type_ignores", "type_params"})
_DROPPED_STATEMENTS = frozenset({"Pass", "Import", "ImportFrom", "TypeAlias"})
_ANNOTATION_READERS = frozenset(
    {"register", "validate_call", "validate_arguments", "inject", "beartype", "typechecked"}
)

# Where annotations count: nowhere, as fields of a class body, as parameters of a function.
_NOWHERE, _FIELDS, _PARAMETERS = 0, 1, 2

_Pieces = Iterable[str | tuple[object, int]]


def digest_of(*texts: str) -> str:
    """A digest over several texts, each framed by its length, so that no two sequences collide.

    Returns:
        32 hex digits.
    """
    digest = hashlib.sha256()
    for text in texts:
        # surrogatepass: a literal such as "\ud800" is legal source but no legal UTF-8.
        data = text.encode("utf-8", "surrogatepass")
        digest.update(b"%d:" % len(data))
        digest.update(data)
    return digest.hexdigest()[:DIGEST_DIGITS]


def canonical_text(node: ast.AST, *, keep_field_annotations: bool = False) -> str:
    """The canonical text of one node and everything below it.

    Args:
        keep_field_annotations: The node stands in a class body whose annotations act at run time
            (a dataclass, a NamedTuple, a model).
    """
    written: list[str] = []
    todo: list[str | tuple[object, int]] = [(node, _FIELDS if keep_field_annotations else _NOWHERE)]
    while todo:
        piece = todo.pop()
        if isinstance(piece, str):
            written.append(piece)
        else:
            todo.extend(reversed(list(_pieces(*piece))))
    return "".join(written)


def is_bare_constant(statement: ast.AST) -> bool:
    """Whether a statement is a docstring, `...` or another constant that is thrown away."""
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def is_type_checking(test: ast.AST) -> bool:
    """Whether a condition is `TYPE_CHECKING`, which is false whenever the program runs."""
    name = test.attr if isinstance(test, ast.Attribute) else getattr(test, "id", "")
    return name == "TYPE_CHECKING"


def reads_annotations(function: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Whether a decorator makes the annotations of a function's parameters act at run time."""
    for decorator in function.decorator_list:
        target = decorator.func if isinstance(decorator, ast.Call) else decorator
        name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
        if name in _ANNOTATION_READERS:
            return True
    return False


def _pieces(value: object, annotations: int) -> _Pieces:
    """One level of a tree: texts, and the values below, each with what annotations mean there."""
    if isinstance(value, ast.AST):
        writer = _WRITERS.get(type(value).__name__)
        return writer(value, annotations) if writer else _node_pieces(value, annotations)
    if isinstance(value, list):
        return _list_pieces(value, annotations)
    if isinstance(value, str):
        return (f"{len(value)}'{value}",)
    return (f"#{int(value)}" if isinstance(value, int) else "N",)


def _list_pieces(values: list[object], annotations: int) -> _Pieces:
    yield "["
    for value in values:
        if not isinstance(value, ast.stmt) or not _is_dropped(value, annotations):
            yield (value, annotations)
            yield ","
    yield "]"


def _is_dropped(statement: ast.stmt, annotations: int) -> bool:
    if type(statement).__name__ in _DROPPED_STATEMENTS or is_bare_constant(statement):
        return True
    if isinstance(statement, ast.AnnAssign):
        return statement.value is None and annotations != _FIELDS
    if isinstance(statement, ast.If) and is_type_checking(statement.test):
        return all(_is_dropped(below, annotations) for below in statement.orelse)
    return False


def _node_pieces(node: ast.AST, annotations: int) -> _Pieces:
    return [f"{type(node).__name__}(", *_field_pieces(node, annotations, ()), ")"]


def _field_pieces(node: ast.AST, annotations: int, left_out: Iterable[str]) -> _Pieces:
    pieces: list[str | tuple[object, int]] = []
    for field in _counted(node._fields):
        value = getattr(node, field, None)
        if value is None or value == [] or field in left_out:
            continue
        if isinstance(value, str):
            pieces.append(f"{field}={len(value)}'{value};")
        elif not _is_empty_body(value, annotations):
            pieces += (f"{field}=", (value, annotations), ";")
    return pieces


@lru_cache(maxsize=256)
def _counted(fields: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(field for field in fields if field not in _SKIPPED_FIELDS))


def _is_empty_body(value: object, annotations: int) -> bool:
    return (
        isinstance(value, list)
        and isinstance(value[0], ast.stmt)
        and all(_is_dropped(statement, annotations) for statement in value)
    )


def _constant_pieces(node: ast.Constant, annotations: int) -> _Pieces:
    yield _constant_text(node.value)


def _constant_text(value: object) -> str:
    kind = type(value)
    if kind is str:
        return f"s:{len(str(value))}:{value}"
    if isinstance(value, int) and kind is int:
        return f"i:{value:x}"  # hexadecimal: decimal texts are limited to 4,300 digits
    if isinstance(value, float):
        return f"f:{value.hex()}"
    if isinstance(value, complex):
        return f"j:{value.real.hex()},{value.imag.hex()}"
    if isinstance(value, bytes):
        return f"b:{len(value)}:{value.hex()}"
    return f"c:{value!r}"  # None, True, False, ...


def _function_pieces(node: ast.FunctionDef | ast.AsyncFunctionDef, annotations: int) -> _Pieces:
    keeps = reads_annotations(node)
    yield f"{type(node).__name__}("
    yield from _field_pieces(
        node, _PARAMETERS if keeps else _NOWHERE, () if keeps else ("returns",)
    )
    yield ")"


def _class_pieces(node: ast.ClassDef, annotations: int) -> _Pieces:
    acts = bool(node.decorator_list or node.bases)
    yield "ClassDef("
    yield from _field_pieces(node, _FIELDS if acts else _NOWHERE, ())
    yield ")"


def _arg_pieces(node: ast.AST, annotations: int) -> _Pieces:
    yield "arg("
    yield from _field_pieces(
        node, annotations, () if annotations == _PARAMETERS else ("annotation",)
    )
    yield ")"


def _assign_pieces(node: ast.AnnAssign, annotations: int) -> _Pieces:
    """`x: int = 1` as `x = 1`, except where the annotation acts."""
    yield "Assign(targets=["
    yield (node.target, annotations)
    yield ",];"
    if node.value is not None:
        yield "value="
        yield (node.value, annotations)
        yield ";"
    if annotations == _FIELDS:
        yield "annotation="
        yield (node.annotation, annotations)
        yield ";"
    yield ")"


def _if_pieces(node: ast.If, annotations: int) -> _Pieces:
    if is_type_checking(node.test):
        return [(node.orelse, annotations)]
    return _node_pieces(node, annotations)


def _call_pieces(node: ast.Call, annotations: int) -> _Pieces:
    if not _makes_parameter(node):
        return _node_pieces(node, annotations)
    keywords = [keyword for keyword in node.keywords if keyword.arg != "description"]
    pieces = ["Call(", *_field_pieces(node, annotations, ("keywords",))]
    if keywords:
        pieces += ["keywords=", (keywords, annotations), ";"]
    return [*pieces, ")"]


def _makes_parameter(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    return str(name).endswith("Parameter")


def _joined_pieces(node: ast.AST, annotations: int) -> _Pieces:
    values = _flattened(node)
    if all(isinstance(value, str) for value in values):
        yield _constant_text("".join(str(value) for value in values))
        return
    yield f"{type(node).__name__}("
    for value in values:
        yield _constant_text(value) if isinstance(value, str) else (value, annotations)
        yield ","
    yield ")"


def _flattened(joined: ast.AST) -> list[str | ast.AST]:
    """The values of an f-string with neighbouring constants merged: minors split them differently."""
    merged: list[str | ast.AST] = []
    for value in getattr(joined, "values", ()):
        for part in _flattened(value) if isinstance(value, ast.JoinedStr) else [_literal(value)]:
            if isinstance(part, str) and merged and isinstance(merged[-1], str):
                merged[-1] += part
            elif part != "":
                merged.append(part)
    return merged


def _literal(value: ast.AST) -> str | ast.AST:
    if isinstance(value, ast.Constant) and isinstance(value.value, str):
        return value.value
    return value


def _formatted_pieces(node: ast.AST, annotations: int) -> _Pieces:
    # `str` of an Interpolation (3.14) is source text, and would count parentheses.
    left_out = ["str"]
    spec = getattr(node, "format_spec", None)
    if spec is not None and not _flattened(spec):
        left_out.append("format_spec")
    yield f"{type(node).__name__}("
    yield from _field_pieces(node, annotations, left_out)
    yield ")"


_WRITERS: dict[str, Callable[[Any, int], _Pieces]] = {
    "AnnAssign": _assign_pieces,
    "AsyncFunctionDef": _function_pieces,
    "Call": _call_pieces,
    "ClassDef": _class_pieces,
    "Constant": _constant_pieces,
    "FormattedValue": _formatted_pieces,
    "FunctionDef": _function_pieces,
    "If": _if_pieces,
    "Interpolation": _formatted_pieces,
    "JoinedStr": _joined_pieces,
    "TemplateStr": _joined_pieces,
    "arg": _arg_pieces,
}
