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
from collections.abc import Iterator, Mapping, Sized
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
    statements = set()
    for name, value in namespace.items():
        if name.isidentifier() and not _HISTORY.fullmatch(name):
            try:
                statements.add(_statement(module, name, value, namespace))
            except Exception:  # proxies raise whatever they like when they are looked at
                statements.add(f"{name} = {UNKNOWN_VALUE}()")
    return "\n\n".join(sorted(statements)) + "\n"


def _statement(module: str, name: str, value: object, namespace: Mapping[str, object]) -> str:
    if isinstance(value, types.ModuleType):
        return f"import {value.__name__} as {name}"
    if isinstance(value, (type, types.FunctionType)):
        if value.__module__ == module:
            return _definition(value) or f"{name} = {UNKNOWN_VALUE}()"
        if value.__qualname__.isidentifier():
            return f"from {value.__module__} import {value.__qualname__} as {name}"
    literal = _literal(value, [_LARGEST_LITERAL])
    if literal is not None:
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


def _literal(value: object, room: list[int]) -> str | None:
    """A value as source text that is the same in every process.

    Args:
        value: Anything.
        room: How many items and characters there may still be, counted down.

    Returns:
        None for what is no literal, or too large to be one.
    """
    room[0] -= len(value) if isinstance(value, Sized) else 1
    if room[0] < 0:
        return None
    if value is None or type(value) in (bool, int, float, complex, str, bytes):
        return repr(value)
    if isinstance(value, dict) and type(value) is dict:
        pairs = [(_literal(key, room), _literal(item, room)) for key, item in value.items()]
        texts = [f"{key}: {item}" for key, item in pairs if key is not None and item is not None]
        return f"{{{', '.join(texts)}}}" if len(texts) == len(value) else None
    if isinstance(value, (list, tuple, set, frozenset)):
        return _sequence(value, room) if type(value).__module__ == "builtins" else None
    return None


def _sequence(
    value: list[object] | tuple[object, ...] | set[object] | frozenset[object], room: list[int]
) -> str | None:
    items = [_literal(item, room) for item in value]
    texts = [item for item in items if item is not None]
    if len(texts) < len(items):
        return None
    if isinstance(value, (set, frozenset)):
        texts.sort()
    return f"{type(value).__name__}([{', '.join(texts)}])"
