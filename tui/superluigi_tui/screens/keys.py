"""The keys of a screen, from the registry of actions; typing filters them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, cast

from textual.widgets import Input

from superluigi_tui.actions import actions_of
from superluigi_tui.screens.dialog import Dialog
from superluigi_tui.texts import fit
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Line, Piece

if TYPE_CHECKING:
    from superluigi_tui.app import SuperLuigiApp

__all__ = ["KeysHelp"]

_MOVING = (
    ("j k ↓ ↑", "next, previous"),
    ("g G", "top, bottom"),
    ("ctrl+d ctrl+u", "half a page down, up"),
    ("h l ← →", "sideways in text"),
)
_KEY_WIDTH = 14


class KeysHelp(Dialog[None]):
    """Help for one screen."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"Keys: {name or 'here'}  (type to filter)",
            "esc close · keys can be changed in ~/.config/superluigi/tui.toml",
        )
        self._name_of_screen = name

    def compose_box(self) -> Iterable[Any]:
        """Give the field and the list."""
        yield Input(placeholder="filter", compact=True, id="filter")
        yield TextPane(id="help")

    def on_mount(self) -> None:
        """Show all."""
        self._show("")
        self.query_one(Input).focus()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Show what fits."""
        self._show(message.value)

    def _show(self, text: str) -> None:
        self.query_one(TextPane).set_lines(list(self._lines(text.lower())))

    def _lines(self, wanted: str) -> Iterable[Line]:
        app = cast("SuperLuigiApp", self.app)
        groups: dict[str, list[tuple[str, str]]] = {"Move": list(_MOVING)}
        for action in actions_of(self._name_of_screen):
            if not (action.changes and app.read_only):
                groups.setdefault(action.group, []).append((app.key_of(action), action.help))
        for group, rows in groups.items():
            fitting = [row for row in rows if wanted in f"{row[0]} {row[1]} {group}".lower()]
            if fitting:
                yield [Piece(group.upper(), "dim")]
            for key, text in fitting:
                yield [Piece(f"  {fit(key, _KEY_WIDTH)}", "accent"), Piece(text)]
