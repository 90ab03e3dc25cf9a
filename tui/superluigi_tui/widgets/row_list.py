"""`RowList`: rows in columns with a cursor; the base of every list, also of one of a million rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip
from textual.widget import Widget

from superluigi_tui.widgets.line_view import LineView
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece, laid_out

__all__ = ["Row", "RowList"]


@dataclass(frozen=True)
class Row:
    """One row of a list."""

    key: str
    """Keeps the cursor on the same thing when the list changes."""
    cells: Sequence[Cell] = ()
    pieces: Line | None = None
    """Drawn instead of the cells."""
    value: Any = field(default=None, compare=False)
    """What the screen wants to find here again."""


class RowList(LineView):
    """A list with a cursor.

    Rows are asked for by `row_at`; here they are those of `set_rows`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,down", "move(1)", show=False),
        Binding("k,up", "move(-1)", show=False),
        Binding("g,home", "move_to(0)", show=False),
        Binding("G,end", "move_to(-1)", show=False),
        Binding("pagedown", "move_page(2)", show=False),
        Binding("pageup", "move_page(-2)", show=False),
        Binding("ctrl+d", "move_page(1)", show=False),
        Binding("ctrl+u", "move_page(-1)", show=False),
    ]

    # A moved cursor redraws two lines, not the widget.
    cursor = reactive(0, repaint=False)

    @dataclass
    class Highlighted(Message):
        """The cursor is on another row."""

        rows: RowList
        index: int

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    @dataclass
    class Opened(Message):
        """A row was clicked while the cursor was on it."""

        rows: RowList
        index: int

        @property
        def control(self) -> RowList:
            """The list."""
            return self.rows

    def __init__(
        self,
        columns: Sequence[Column] = (Column("", 0),),
        *,
        id: str | None = None,
        title: str = "",
        has_titles: bool = False,
        empty: str = "",
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.empty = empty
        self.beside: Widget | None = None
        """What else shows where the cursor is; drawn together with it: messages come too late for that."""
        self.marked: dict[str, None] = {}
        """Keys, in the order in which they were marked."""
        self._rows: list[Row] = []
        self._titles = (title, "")
        self._has_titles = has_titles

    # -- what there is -------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def row_at(self, index: int) -> Row | None:
        """Give a row; None where it is not known yet."""
        return self._rows[index] if 0 <= index < len(self._rows) else None

    @property
    def current(self) -> Row | None:
        """The row that the cursor is on."""
        return self.row_at(self.cursor) if self.count else None

    def set_rows(self, rows: Sequence[Row]) -> None:
        """Show other rows; the cursor stays on the same key where that is still there."""
        before = self.current
        self._rows = list(rows)
        keys = {row.key: index for index, row in enumerate(self._rows)}
        wanted = keys.get(before.key, self.cursor) if before else self.cursor
        self.count_changed()
        self.cursor = max(0, min(wanted, self.count - 1))

    def count_changed(self) -> None:
        """Follow a new number of rows."""
        self.virtual_size = Size(0, self.count + self._top)
        self.refresh()

    # -- drawing -------------------------------------------------------------------------------

    @property
    def _top(self) -> int:
        return 1 if self._has_titles else 0

    def on_mount(self) -> None:
        """Show the title."""
        super().on_mount()
        if self._titles[0]:
            self.set_title(*self._titles)

    def render_line(self, y: int) -> Strip:
        """Draw a line of what is in sight; titles stay at the top."""
        if y < self._top:
            titles = [Cell(column.title, "dim") for column in self.columns]
            return self.drawn([Piece("  "), *self._laid_out(titles)])
        index = self.scroll_offset.y + y - self._top
        if not self.count and y == self._top:
            return self.drawn([Piece(self.empty, "dim")])
        if not 0 <= index < self.count:
            return self.drawn(())
        highlight = ""
        if index == self.cursor:
            highlight = "cursor" if self.has_focus else "resting"
        return self.drawn(self.line(index, self.inner_width), highlight=highlight)

    def line(self, index: int, width: int) -> Line:
        """Give one row's line, with the cursor's sign before it."""
        row = self.row_at(index)
        if row is None:
            return [Piece(f"  {self.glyphs.more}", "dim")]
        sign = self.glyphs.cursor if index == self.cursor else " "
        mark = Piece(self.glyphs.mark, "accent") if row.key in self.marked else Piece(" ")
        body = row.pieces if row.pieces is not None else self._laid_out(row.cells)
        return [Piece(sign, "accent"), mark, *body]

    def _laid_out(self, cells: Sequence[Cell]) -> Line:
        return laid_out(self.columns, cells, self.inner_width - 2, self.glyphs.more)

    # -- the cursor ----------------------------------------------------------------------------

    def watch_cursor(self, before: int, after: int) -> None:
        """Redraw the two rows, bring the new one into sight, tell the screen."""
        if not self.is_mounted:
            return
        for index in (before, after):
            y = index + self._top - self.scroll_offset.y
            if 0 <= y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        self._show_cursor()
        if self.beside is not None:
            self.beside.refresh()
        self.post_message(self.Highlighted(self, after))

    def _show_cursor(self) -> None:
        height = max(1, self.size.height - self._top)
        top = self.scroll_offset.y
        if self.cursor < top:
            self.scroll_to(y=self.cursor, animate=False, force=True)
        elif self.cursor >= top + height:
            self.scroll_to(y=self.cursor - height + 1, animate=False, force=True)

    def action_move(self, step: int) -> None:
        """Move the cursor by some rows."""
        self.cursor = max(0, min(self.cursor + step, self.count - 1))

    def toggle_mark(self) -> None:
        """Mark the row under the cursor, or not, and go on to the next."""
        row = self.current
        if row is None or row.value is None:
            return
        if self.marked.pop(row.key, row) is row:
            self.marked[row.key] = None
        self.action_move(1)
        self._tell_marks()

    def clear_marks(self) -> bool:
        """Mark nothing any more.

        Returns:
            Whether anything was marked.
        """
        had_any = bool(self.marked)
        self.marked.clear()
        if had_any:
            self._tell_marks()
        return had_any

    def set_title(self, title: str, subtitle: str = "") -> None:
        """Name the panel, and say how many rows are marked."""
        self._titles = (title, subtitle)
        marked = f"{len(self.marked):,} marked  esc clears  " if self.marked else ""
        super().set_title(title, marked + subtitle)

    def _tell_marks(self) -> None:
        self.set_title(*self._titles)
        self.refresh()

    def action_move_to(self, index: int) -> None:
        """Move the cursor to a row; -1: the last."""
        self.cursor = max(0, self.count - 1 if index < 0 else min(index, self.count - 1))

    def action_move_page(self, halves: int) -> None:
        """Move the cursor by half pages."""
        self.action_move(halves * max(1, (self.size.height - self._top) // 2))

    def on_click(self, event: events.Click) -> None:
        """Move the cursor there; a click on the current row opens it."""
        offset = event.get_content_offset(self)
        if offset is None or offset.y < self._top:
            return
        index = self.scroll_offset.y + offset.y - self._top
        if not 0 <= index < self.count:
            return
        if index == self.cursor and (event.chain > 1 or self.has_focus):
            self.post_message(self.Opened(self, index))
        self.cursor = index

    def on_resize(self) -> None:
        """Keep the cursor in sight."""
        self._show_cursor()
