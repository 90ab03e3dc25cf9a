"""What is shown where there is no catalog to read: why, and what to do."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import Screen

from superluigi_catalog import (
    CatalogLocked,
    CatalogMissing,
    CatalogTooNew,
    CatalogTooOld,
    NotACatalog,
)
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import STYLE_CLASSES, Line, Piece

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["Problem"]

_TITLES: dict[type[Exception], str] = {
    CatalogMissing: "No catalog here",
    CatalogTooNew: "The catalog is too new",
    CatalogTooOld: "The catalog is of an older form",
    NotACatalog: "Not a catalog",
    CatalogLocked: "The catalog is locked",
}
_WIDTH = 64
_ADVICE = "superluigi run MODULE.Task"


class Problem(Screen[None]):
    """Stands in for every screen until a catalog can be read."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {*STYLE_CLASSES}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "open_other", show=False),
        Binding("d", "demo", show=False),
        Binding("y", "copy_command", show=False),
        Binding("R", "retry", show=False),
        Binding("q,escape,ctrl+q", "app.exit", show=False),
    ]

    def __init__(self, error: Exception, path: Path) -> None:
        super().__init__()
        self._error = error
        self._path = path

    @property
    def _tui(self) -> SuperLuigiApp:
        return cast("SuperLuigiApp", self.app)

    def compose(self) -> ComposeResult:
        """Draw the box."""
        yield Bar(lambda width: [Piece(" super luigi", "title")], id="header")
        with Vertical(classes="box") as box:
            yield TextPane(list(self._lines()), id="problem")
        box.border_title = Content(_TITLES.get(type(self._error), "The catalog cannot be read"))
        yield Bar(self._keys, id="keys")

    def _lines(self) -> Iterable[Line]:
        if isinstance(self._error, CatalogMissing):
            home = os.environ.get("SUPERLUIGI_HOME")
            yield [Piece("Looked for   ", "dim"), Piece(str(self._path))]
            yield [Piece(f"             $SUPERLUIGI_HOME ({home or 'not set'})", "dim")]
            yield []
            yield [Piece("A catalog is made the first time a Super Luigi task runs:")]
            yield [Piece(f"   {_ADVICE}", "accent"), Piece("        y copies this", "dim")]
            yield [Piece("To read the sidecars of outputs that already exist:")]
            yield [Piece("   superluigi rebuild PATH", "accent")]
            return
        for line in textwrap.wrap(one_line(self._error), _WIDTH, break_on_hyphens=False):
            yield [Piece(line)]

    def _keys(self, width: int) -> Line:
        pairs = {
            "open-other": "o open another",
            "demo": "d demo data",
            "copy": "y copy",
            "retry": "R try again",
            "quit": "q quit",
        }
        return [Piece("  "), *(Piece(f"{text}   ", "accent", name) for name, text in pairs.items())]

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Do what was clicked."""
        calls = {
            "open-other": self.action_open_other,
            "demo": self.action_demo,
            "copy": self.action_copy_command,
            "retry": self.action_retry,
            "quit": self.app.exit,
        }
        calls[message.action]()

    def action_open_other(self) -> None:
        """Ask for another file."""
        self._tui.action_open_catalog()

    def action_demo(self) -> None:
        """Open the demo catalog."""
        self._tui.open_demo()

    def action_copy_command(self) -> None:
        """Copy the command that makes a catalog."""
        self._tui.copy(_ADVICE, "the command")

    def action_retry(self) -> None:
        """Look again."""
        self._tui.reopening(partial(self._tui.reopen, self._path))
