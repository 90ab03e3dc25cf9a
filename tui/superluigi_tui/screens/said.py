"""`Said`: what a command printed, in a box."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.binding import Binding, BindingType

from superluigi_tui.screens.dialog import Dialog
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Piece

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["Said"]

_MAX_LINES = 400


class Said(Dialog[None]):
    """Text to read."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "copy", show=False),
        Binding("q,enter", "close", show=False),
    ]

    def __init__(self, title: str, text: str) -> None:
        super().__init__(title, "y copy · esc close")
        self._text = text.strip()

    def compose_box(self) -> Iterable[Any]:
        """Give the text."""
        lines = self._text.splitlines()[-_MAX_LINES:]
        yield TextPane([[Piece(line.expandtabs(4))] for line in lines], id="said")

    def on_mount(self) -> None:
        """Show the end, wrapped, where errors say what they are."""
        pane = self.query_one(TextPane)
        pane.styles.height = 14
        pane.focus()
        self.call_after_refresh(self._to_end)

    def _to_end(self) -> None:
        pane = self.query_one(TextPane)
        pane.toggle_wrap()
        pane.scroll_end(animate=False)

    def action_copy(self) -> None:
        """Copy all of it."""
        cast("SuperLuigiApp", self.app).copy(self._text, "the text")
