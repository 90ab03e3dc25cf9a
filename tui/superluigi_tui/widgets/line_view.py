"""`LineView`: any number of lines, drawn as they come into sight; `TextPane` holds some of its own."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import ClassVar

from rich.style import Style
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from superluigi_tui.glyphs import UNICODE, Glyphs
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.pieces import Line, Piece, strip_of, width_of, wrapped

__all__ = ["LineView", "TextPane"]


class LineView(ScrollView, can_focus=True):
    """Lines that are asked for one at a time; in a panel with a title."""

    ALLOW_SELECT = False
    is_wide = False
    """Whether lines may be longer than the widget, and scroll sideways."""

    def line(self, index: int, width: int) -> Line:
        """Give one line."""
        raise NotImplementedError

    @property
    def glyphs(self) -> Glyphs:
        """The signs that the user has chosen."""
        found = getattr(self.app, "glyphs", UNICODE)
        assert isinstance(found, Glyphs)
        return found

    def now(self) -> float:
        """The present, as the app has it."""
        return float(getattr(self.app, "now", time.time)())

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Name the panel; any text is harmless here."""
        self.border_title = Content(self.glyphs.plain(one_line(title)))
        self.border_subtitle = Content(self.glyphs.plain(one_line(subtitle)))

    def style_of(self, name: str) -> Style:
        """The style of a name of `STYLES`."""
        return self.screen.get_component_rich_style(f"line--{name}", partial=True)

    def set_line_count(self, count: int, width: int = 0) -> None:
        """Say how many lines there are, and how wide the widest is."""
        self.virtual_size = Size(width if self.is_wide else 0, count)
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """Draw a line of what is in sight."""
        scroll_x, scroll_y = self.scroll_offset
        return self.drawn(self.line(scroll_y + y, self.inner_width), skip=int(scroll_x))

    @property
    def inner_width(self) -> int:
        """Cells of a line: without the scrollbar."""
        return self.scrollable_content_region.width

    def drawn(self, line: Line, *, skip: int = 0, highlight: str = "") -> Strip:
        """Draw a line."""
        base = self.rich_style
        if highlight:
            base += self.style_of(highlight)
        more = "" if self.is_wide else self.glyphs.more
        if self.glyphs.is_ascii:
            line = [piece._replace(text=self.glyphs.plain(piece.text)) for piece in line]
        return strip_of(line, self.inner_width, base, self.style_of, skip=skip, more=more)


_SCROLLING: list[BindingType] = [
    Binding("j,down", "scroll_down", show=False),
    Binding("k,up", "scroll_up", show=False),
    Binding("g,home", "scroll_home", show=False),
    Binding("G,end", "scroll_end", show=False),
    Binding("ctrl+d,pagedown", "page_down", show=False),
    Binding("ctrl+u,pageup", "page_up", show=False),
]


class TextPane(LineView):
    """Some lines of text, without a cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        *_SCROLLING,
        Binding("h,left", "scroll_left", show=False),
        Binding("l,right", "scroll_right", show=False),
    ]
    is_wide = True

    def __init__(
        self, lines: Sequence[Line] = (), *, id: str | None = None, title: str = ""
    ) -> None:
        super().__init__(id=id)
        self.lines: list[Line] = list(lines)
        self._title = title
        self._given = self.lines
        self._wraps = False
        self._only = ""
        self._match = -1

    def on_mount(self) -> None:
        """Show what it was made with."""
        super().on_mount()
        if self._title:
            self.set_title(self._title)
        self.set_lines(self.lines)

    def set_lines(self, lines: Sequence[Line]) -> None:
        """Show other lines."""
        self._given = list(lines)
        self._lay_out()

    def _lay_out(self) -> None:
        """Take those lines that are wanted, whole or broken."""
        self._match = -1
        wanted = self._given
        if self._only:
            wanted = [line for line in wanted if self._only in _text_of(line).lower()]
        if self._wraps:
            wanted = [part for line in wanted for part in wrapped(line, self.inner_width)]
        self.lines = wanted
        widest = max((width_of(line) for line in self.lines[:2_000]), default=0)
        self.set_line_count(len(self.lines), widest)

    def set_text(self, text: str, style: str = "") -> None:
        """Show text of several lines."""
        self.set_lines([[Piece(line.expandtabs(4), style)] for line in text.split("\n")])

    def line(self, index: int, width: int) -> Line:
        """Give one line."""
        if not 0 <= index < len(self.lines):
            return ()
        if index == self._match:
            return [piece._replace(style="match") for piece in self.lines[index]]
        return self.lines[index]

    def toggle_wrap(self) -> None:
        """Break long lines, or leave them whole."""
        self._wraps = not self._wraps
        self._lay_out()

    def show_only(self, words: str) -> None:
        """Show only lines that hold some words, in either case; those that come as well."""
        self._only = words.lower()
        self._lay_out()

    def find(self, words: str, step: int) -> bool:
        """Go to the next line that holds some words, in either case; from the end on from the beginning.

        Returns:
            Whether there is any.
        """
        count = len(self.lines)
        start = self._match if self._match >= 0 else self.scroll_offset.y - step
        for away in range(1, count + 1):
            index = (start + away * step) % count
            if words.lower() in _text_of(self.lines[index]).lower():
                self._match = index
                self.scroll_to(y=max(0, index - self.size.height // 3), animate=False, force=True)
                self.refresh()
                return True
        return False


def _text_of(line: Line) -> str:
    return "".join(piece.text for piece in line)
