"""The source of a class without a file: a notebook's cells, or a shell.

IPython and newer Python shells leave the text of what they ran in `linecache`, under the file name
of its code objects. From that, and from the names as they are bound now, comes one text that stands
for the module: the definitions that are alive, imports, and values that can be spelt as literals.
"""

from __future__ import annotations

import ast
import linecache
import re
import types
from collections.abc import Iterator, Mapping
from typing import Any

from superluigi.code.parsing import parse_source
from superluigi.code.statements import first_line

__all__ = ["UNKNOWN_VALUE", "notebook_source"]

UNKNOWN_VALUE = "__notebook_value__"
"""Called in place of a value that is no literal; being called, it is listed as not followed."""

_HISTORY = re.compile(r"_+|_i+|_i?\d+|_[dio]h|In|Out|exit|quit|get_ipython|__\w+__")
_LARGEST_LITERAL = 100_000
_DEEPEST_WRAPPING = 20


def notebook_source(module: str, namespace: Mapping[str, object]) -> str:
    """One text that stands for a module without a file.

    Args:
        module: The module's name, mostly `__main__`.
        namespace: What its names are bound to now.
    """
    statements = {
        _statement(module, name, value, namespace)
        for name, value in namespace.items()
        if name.isidentifier() and not _HISTORY.fullmatch(name)
    }
    return "\n\n".join(sorted(statements)) + "\n"


def _statement(module: str, name: str, value: object, namespace: Mapping[str, object]) -> str:
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__} as {name}"
    if isinstance(value, (type, types.FunctionType)):
        if value.__module__ == module:
            return _definition(value) or f"{name} = {UNKNOWN_VALUE}()"
        if value.__qualname__.isidentifier():
            return f"from {value.__module__} import {value.__qualname__} as {name}"
    literal = _literal(value)
    if literal is not None and len(literal) <= _LARGEST_LITERAL:
        return f"{name} = {literal}"
    made_by = type(value).__qualname__
    argument = made_by if namespace.get(made_by) is type(value) else repr(made_by)
    return f"{name} = {UNKNOWN_VALUE}({argument})"


def _definition(value: type | types.FunctionType) -> str | None:
    """The statement of a cell that defines a class or function."""
    for code in _codes(value):
        text = "".join(linecache.getlines(code.co_filename))
        for statement in _statements(text):
            last = statement.end_lineno or statement.lineno
            if first_line(statement) <= code.co_firstlineno <= last:
                return "\n".join(text.split("\n")[first_line(statement) - 1 : last])
    return _definition_by_name(value) if isinstance(value, type) else None


def _definition_by_name(cls: type) -> str | None:
    """The newest cell with a class of this name, for a class without a function of its own."""
    for name in reversed(list(linecache.cache)):
        if "input" not in name and "ipykernel" not in name:
            continue
        text = "".join(linecache.getlines(name))
        for statement in reversed(_statements(text)):
            if isinstance(statement, ast.ClassDef) and statement.name == cls.__qualname__:
                lines = text.split("\n")
                return "\n".join(lines[first_line(statement) - 1 : statement.end_lineno])
    return None


def _codes(value: type | types.FunctionType) -> Iterator[types.CodeType]:
    """The code objects of a function, or of a class's own functions."""
    for member in list(vars(value).values()) if isinstance(value, type) else [value]:
        function: Any = member.fget if isinstance(member, property) else member
        if isinstance(function, (classmethod, staticmethod)):
            function = function.__func__
        for _ in range(_DEEPEST_WRAPPING):
            function = getattr(function, "__wrapped__", function)
        if isinstance(function, types.FunctionType):
            yield function.__code__


def _statements(text: str) -> list[ast.stmt]:
    try:
        return parse_source(text).body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []


def _literal(value: object) -> str | None:
    """A value as source text that is the same in every process; None for what is no literal."""
    if value is None or isinstance(value, (bool, int, float, complex, str, bytes)):
        return repr(value) if type(value).__module__ == "builtins" else None
    if type(value) is dict:
        pairs = [(_literal(key), _literal(item)) for key, item in value.items()]
        texts = [f"{key}: {item}" for key, item in pairs if key is not None and item is not None]
        return f"{{{', '.join(texts)}}}" if len(texts) == len(value) else None
    if type(value) in (list, tuple, set, frozenset) and isinstance(
        value, (list, tuple, set, frozenset)
    ):
        items = [_literal(item) for item in value]
        texts = [item for item in items if item is not None]
        if len(texts) < len(items):
            return None
        if isinstance(value, (set, frozenset)):
            texts.sort()
        return f"{type(value).__name__}([{', '.join(texts)}])"
    return None
