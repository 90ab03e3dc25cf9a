"""Where text goes: results to stdout, everything else to stderr, nothing raw to a terminal."""

from __future__ import annotations

import json
import os
import sys
import textwrap
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from typing import Any

__all__ = [
    "emit",
    "emit_json",
    "emit_lines",
    "emit_table",
    "is_drawn",
    "narrating",
    "prepare_streams",
    "tell",
    "tell_block",
]


_HANGING = 8
"""Blanks before what a line that does not fit goes on with."""


def prepare_streams() -> None:
    """Let text that the encoding cannot hold be escaped instead of an error."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")


def emit(text: str, *, multiline: bool = False) -> None:
    """Write a result to stdout, harmless for a terminal; nothing when the reader has gone."""
    _write(_printable(text, multiline=multiline) + "\n")


def emit_lines(rows: Iterable[tuple[str, str]]) -> None:
    """Write lines, each with the style that it has on a terminal."""
    harmless = [(_printable(text), style) for text, style in rows]
    if not is_drawn():
        _write("".join(f"{text}\n" for text, _ in harmless))
        return
    from rich.console import Console
    from rich.text import Text

    console = Console(file=sys.stdout, highlight=False)
    for text, style in harmless:
        lines = textwrap.wrap(text, console.width, subsequent_indent=" " * _HANGING) or [""]
        for line in lines if len(text) > console.width else [text]:
            console.print(Text(line, style=style, no_wrap=True, overflow="ignore"))


def emit_json(document: Any) -> None:
    """Write one JSON document; it is ASCII, so no text in it moves a terminal."""
    _write(json.dumps(document, indent=2, ensure_ascii=True, default=str) + "\n")


def tell(text: str) -> None:
    """Write one line of narration to stderr."""
    _tell(_printable(text))


def tell_block(text: str) -> None:
    """Write several lines to stderr."""
    _tell(_printable(text, multiline=True))


def is_drawn() -> bool:
    """Whether stdout is a terminal that tables may be drawn on."""
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def emit_table(
    rows: Iterable[Sequence[str]],
    *,
    titles: Sequence[str],
    styles: dict[str, str] | None = None,
    notes: Sequence[str] | None = None,
) -> None:
    """Write rows: a drawn table on a terminal, elsewhere plain lines without titles.

    Args:
        titles: One for each column.
        styles: The style of a cell of the first column, by its text.
        notes: One for each row, perhaps empty: on a terminal they stand below the last column, which is
            then the only one that may be broken into lines; elsewhere they are one more column.
    """
    harmless = [[_printable(cell) for cell in row] for row in rows]
    if not harmless:
        return
    noted = None if notes is None else [_printable(note) for note in notes]
    if is_drawn():
        _draw(harmless, titles, styles or {}, noted)
        return
    if noted is not None:
        harmless = [[*row, note] for row, note in zip(harmless, noted, strict=True)]
    widths = [
        max((len(cell) for cell in column), default=0) for column in zip(*harmless, strict=True)
    ]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in harmless
    )
    _write("".join(f"{line}\n" for line in lines))


@contextmanager
def narrating() -> Iterator[None]:
    """Send to stderr what is printed to stdout while inside, also by child processes."""
    try:
        number = sys.stdout.fileno()
        error_number = sys.stderr.fileno()
    except (AttributeError, OSError, ValueError):
        with redirect_stdout(sys.stderr):  # a caller's own stream: nothing else can reach it
            yield
        return
    sys.stdout.flush()
    kept = os.dup(number)
    os.dup2(error_number, number)
    _buffer_by_line(True)
    try:
        yield
    finally:
        _flush()
        os.dup2(kept, number)
        os.close(kept)
        _buffer_by_line(False)


def _draw(
    rows: list[list[str]],
    titles: Sequence[str],
    styles: dict[str, str],
    notes: list[str] | None,
) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False)
    for title in titles:
        is_whole = notes is not None and title != titles[-1]
        table.add_column(title, overflow="fold", no_wrap=is_whole)
    for row, note in zip(rows, notes or [""] * len(rows), strict=True):
        first, *others = (Text(cell) for cell in row)
        first.stylize(styles.get(row[0], ""))
        if note:
            others[-1].append(f"\n{note}", style="dim")
        table.add_row(first, *others)
    Console(file=sys.stdout, highlight=False).print(table)


def _write(text: str) -> None:
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()


def _flush() -> None:
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _forget_stdout()


def _forget_stdout() -> None:
    """Let what follows, and the flush when Python ends, go nowhere."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


def _buffer_by_line(by_line: bool) -> None:
    # A task's prints shall stand between the lines about its run, not after them.
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(line_buffering=by_line or sys.stdout.isatty())


def _tell(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _printable(text: str, *, multiline: bool = False) -> str:
    from superluigi_catalog.text import printable

    return printable(text, multiline=multiline)
