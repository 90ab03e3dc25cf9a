"""Bars of one line: where one is, the screens, the keys."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from superluigi_tui.glyphs import UNICODE, Glyphs
from superluigi_tui.texts import fit, one_line
from superluigi_tui.widgets.pieces import Line, Piece, strip_of, width_of

__all__ = ["Bar", "between"]


class Bar(Widget):
    """One line of pieces, some of which can be clicked."""

    ALLOW_SELECT = False

    class Pressed(Message):
        """A piece with an action was clicked."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(
        self,
        line: Callable[[int], Line] | None = None,
        *,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._line = line
        self._pieces: Sequence[Piece] = ()

    def show(self, pieces: Line) -> None:
        """Show other pieces."""
        self._pieces = pieces
        self.refresh()

    def line_for(self, width: int) -> Line:
        """Give the line for a width."""
        return self._line(width) if self._line is not None else self._pieces

    def render_line(self, y: int) -> Strip:
        """Draw it."""
        line = self.line_for(self.size.width) if y == 0 else ()
        glyphs: Glyphs = getattr(self.app, "glyphs", UNICODE)
        if glyphs.is_ascii:
            line = [piece._replace(text=glyphs.plain(piece.text)) for piece in line]
        return strip_of(
            line,
            self.size.width,
            self.rich_style,
            lambda name: self.screen.get_component_rich_style(f"line--{name}", partial=True),
        )

    def on_click(self, event: events.Click) -> None:
        """Start the action of the piece that was hit."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x = 0
        for piece in self.line_for(self.size.width):
            x += cell_len(one_line(piece.text))
            if offset.x < x:
                if piece.action:
                    self.post_message(self.Pressed(piece.action))
                return


def between(left: Line, right: Line, width: int) -> Line:
    """Put one line at the left and one at the right; the left one is cut where both do not fit."""
    room = width - width_of(right)
    if room < 8:
        return left
    kept: list[Piece] = []
    used = 0
    for piece in left:
        text = one_line(piece.text)
        size = cell_len(text)
        if used + size > room - 1:
            kept.append(piece._replace(text=fit(text, max(0, room - 1 - used))))
            used = room - 1
            break
        kept.append(piece._replace(text=text))
        used += size
    return [*kept, Piece(" " * (room - used)), *right]
