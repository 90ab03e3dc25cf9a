"""Text with styles, made harmless: the one way in which anything from the catalog gets onto the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from superluigi_tui.texts import fit, one_line

__all__ = [
    "STYLES",
    "STYLE_CLASSES",
    "Cell",
    "Column",
    "Line",
    "Piece",
    "laid_out",
    "strip_of",
    "width_of",
    "wrapped",
]

STYLES = (
    "fresh",
    "stale",
    "failed",
    "missing",
    "running",
    "unknown",
    "dim",
    "bold",
    "accent",
    "title",
    "added",
    "removed",
    "cursor",
    "resting",
    "match",
)
"""What a piece can look like; states have the style of their name."""

STYLE_CLASSES = frozenset(f"line--{name}" for name in STYLES)
"""Component classes of screens, not of widgets: each widget that had them would be styled sixteen times over."""


class Piece(NamedTuple):
    """Some text of a line."""

    text: str
    style: str = ""
    action: str = ""
    """The id of an action that a click on it starts."""


Line = Sequence[Piece]


class Column(NamedTuple):
    """A column of a table."""

    title: str
    width: int
    """In cells; 0: what is left, shared among such columns."""
    right: bool = False
    min_screen: int = 0
    """Left out where the table is narrower."""


class Cell(NamedTuple):
    """What stands in a column."""

    text: str
    style: str = ""


def laid_out(columns: Sequence[Column], cells: Sequence[Cell], width: int, more: str) -> Line:
    """Bring cells into columns, with a blank between them."""
    shown = [
        (column, cell)
        for column, cell in zip(columns, cells, strict=False)
        if width >= column.min_screen
    ]
    fixed = sum(column.width for column, _ in shown) + max(0, len(shown) - 1)
    flexible = sum(1 for column, _ in shown if not column.width)
    share = max(0, width - fixed) // flexible if flexible else 0
    pieces: list[Piece] = []
    for column, cell in shown:
        if pieces:
            pieces.append(Piece(" "))
        text = fit(one_line(cell.text), column.width or share, right=column.right, more=more)
        pieces.append(Piece(text, cell.style))
    return pieces


def width_of(line: Iterable[Piece]) -> int:
    """How many cells a line takes."""
    return sum(cell_len(one_line(piece.text)) for piece in line)


def strip_of(
    line: Iterable[Piece],
    width: int,
    base: Style,
    style_of: Callable[[str], Style],
    *,
    skip: int = 0,
    more: str = "",
) -> Strip:
    """Render a line to exactly `width` cells.

    Args:
        base: The background, and the style of plain text.
        style_of: The style of a name of `STYLES`.
        skip: Cells left out at the beginning: scrolled away.
        more: What stands at the end of a line that is cut.
    """
    segments: list[Segment] = []
    length = 0
    for piece in line:
        text = one_line(piece.text)
        if not text:
            continue
        style = base + style_of(piece.style) if piece.style else base
        segments.append(Segment(text, style))
        length += cell_len(text)
        if length > skip + width:
            break
    strip = Strip(segments, length)
    if skip:
        strip = strip.crop(skip)
        length = max(0, length - skip)
    if length > width and more:
        kept = strip.crop(0, width - cell_len(more))
        strip = Strip([*kept, Segment(more, base)])
    return strip.adjust_cell_length(width, base).crop(0, width)


def _end_of_word(text: str, end: int) -> int:
    """Where to break: behind the last blank, where that leaves no short line."""
    blank = text.rfind(" ", 0, end + 1) + 1
    return blank if end // 2 < blank <= end else end


def wrapped(line: Line, width: int) -> Iterable[Line]:
    """Break a line into pieces of at most `width` cells, between words where there are any."""
    part: list[Piece] = []
    room = max(width, 2)
    for piece in line:
        text = one_line(piece.text)
        while cell_len(text) > room:
            # A character of two cells that does not fit any more is padded with a blank.
            kept = set_cell_size(text, room).rstrip() if room > 1 else ""
            kept = text[: _end_of_word(text, len(kept))]
            part.append(piece._replace(text=kept))
            yield part
            part, room, text = [], max(width, 2), text[len(kept) :]
        part.append(piece._replace(text=text))
        room -= cell_len(text)
    yield part
