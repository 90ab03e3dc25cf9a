"""The code of a run beside the code that stands in the files now; nothing is imported for it."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from superluigi_tui.widgets.pieces import Line, Piece

__all__ = ["source_lines"]

_MAX_FILE_BYTES = 2_000_000


def source_lines(code: Mapping[str, Any], sources: Mapping[str, str], root: Path) -> Iterable[Line]:
    """Show every part of the code of a run, with what has changed in it since.

    Args:
        code: What the run's record has: parts, not_followed.
        sources: The recorded texts, by fingerprint.
        root: The project's directory; files are relative to it.
    """
    parts = code.get("parts") or ()
    for part in parts:
        name, file, number = (str(part.get(key, "")) for key in ("name", "file", "line"))
        then = sources.get(str(part.get("fingerprint")), "")
        now = _source_now(root, file, name)
        word, style = _compared(then, now)
        yield [Piece(f"{file}:{number}", "accent"), Piece(f"  {name}  "), Piece(word, style)]
        yield from _difference(then, now) if style == "stale" else _plain(then)
        yield []
    for missing in code.get("not_followed") or ():
        yield [Piece(f"not followed: {missing}", "dim")]
    if not parts:
        yield [Piece("No code is recorded.", "dim")]


def _compared(then: str, now: str | None) -> tuple[str, str]:
    if now is None:
        return "not found in the file now", "missing"
    if not then:
        return "its text is not recorded", "dim"
    return (
        ("as it ran", "fresh") if _stripped(then) == _stripped(now) else ("changed since", "stale")
    )


def _difference(then: str, now: str | None) -> Iterable[Line]:
    before, after = _stripped(then), _stripped(now or "")
    for line in list(difflib.unified_diff(before, after, lineterm="", n=3))[2:]:
        yield [Piece(line, {"+": "added", "-": "removed", "@": "dim"}.get(line[:1], ""))]


def _plain(text: str) -> Iterable[Line]:
    for line in text.splitlines():
        yield [Piece(f"  {line.expandtabs(4)}")]


def _stripped(text: str) -> list[str]:
    import textwrap

    return [line.rstrip() for line in textwrap.dedent(text).strip("\n").splitlines()]


def _source_now(root: Path, file: str, name: str) -> str | None:
    """Find a function or class in its file by its name; None where it is not there."""
    path = (root / file).resolve()
    if not path.is_relative_to(root.resolve()):
        return None
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return None
        text = path.read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, ValueError, SyntaxError, RecursionError):
        return None
    steps = name.split(".")
    for first in range(len(steps)):
        found = _node(tree, steps[first:])
        if found is not None:
            return _segment(text, found)
    return None


def _node(tree: ast.AST, steps: list[str]) -> ast.AST | None:
    node: ast.AST | None = tree
    for step in steps:
        named = [
            each
            for each in ast.iter_child_nodes(node or tree)
            if isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
            and each.name == step
        ]
        if not named:
            return None
        node = named[-1]
    return node


def _segment(text: str, node: ast.AST) -> str:
    decorators = getattr(node, "decorator_list", ())
    first = min([node.lineno, *(each.lineno for each in decorators)])  # type: ignore[attr-defined]
    return "\n".join(text.splitlines()[first - 1 : node.end_lineno])  # type: ignore[attr-defined]
