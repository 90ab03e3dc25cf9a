"""`Dialog`: a box over the screen; the first focus is never on what changes anything."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen

from superluigi_tui.glyphs import UNICODE, Glyphs
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.pieces import STYLE_CLASSES

__all__ = ["Dialog"]

T = TypeVar("T")


class Dialog(ModalScreen["T | None"], Generic[T]):
    """A box in the middle; escape closes it and answers None."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "close", "close", show=False)]

    def __init__(self, title: str, hint: str = "esc close") -> None:
        super().__init__()
        self._box_title = title
        self._hint = hint

    def compose(self) -> ComposeResult:
        """Frame the contents."""
        with Vertical(classes="box") as box:
            yield from self.compose_box()
        glyphs: Glyphs = getattr(self.app, "glyphs", UNICODE)
        box.border_title = Content(glyphs.plain(one_line(self._box_title)))
        box.border_subtitle = Content(glyphs.plain(one_line(self._hint)))

    def compose_box(self) -> Iterable[Any]:
        """Give the contents."""
        return ()

    def action_close(self) -> None:
        """Close it."""
        self.dismiss(None)

    def on_click(self, event: events.Click) -> None:
        """A click beside the box closes it."""
        if event.widget is self:
            self.action_close()
