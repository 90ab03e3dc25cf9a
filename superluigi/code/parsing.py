"""Bytes to trees, without a word about what the user's source looks like."""

from __future__ import annotations

import ast
import io
import tokenize
import warnings

__all__ = ["parse_source", "source_lines"]

_FILE_NAME = "<superluigi.code>"


def parse_source(source: bytes | str) -> ast.Module:
    """The tree of a file.

    Raises:
        SyntaxError, ValueError, RecursionError, MemoryError: This Python cannot parse it.
    """
    _silence()
    return ast.parse(source, filename=_FILE_NAME)


def source_lines(source: bytes) -> list[str]:
    """The lines of a file as a person reads them, without their ends; damaged bytes replaced."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
    except SyntaxError:
        encoding = "utf-8"
    text = source.decode(encoding, "replace").replace("\r\n", "\n").replace("\r", "\n")
    # splitlines() would also split at form feeds, which the parser does not count as lines.
    return text.split("\n")


def _silence() -> None:
    """Drop the warnings of our own parsing, such as for an escape like `\\d`.

    A filter of our own, that names our own file name and stays: `warnings.catch_warnings` restores
    what it found, and with two threads restores the other's state.
    """
    if not _is_silent():
        warnings.filterwarnings("ignore", module=r"<superluigi\.code>\Z")


def _is_silent() -> bool:
    for action, _message, _category, module, _line in warnings.filters:
        if module is not None and getattr(module, "pattern", "") == r"<superluigi\.code>\Z":
            return action == "ignore"
        if action == "error":
            return False
    return False
