"""`Choice`: one of a few, by its number, by the cursor or by typing its beginning."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from superluigi_tui.screens.dialog import Dialog
from superluigi_tui.widgets.pieces import Cell, Column
from superluigi_tui.widgets.row_list import Row, RowList

__all__ = ["Choice"]


class Choice(Dialog[str]):
    """Answers with the key of what was chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose", "choose", show=False),
        *(Binding(str(n), f"choose({n - 1})", show=False) for n in range(1, 10)),
    ]

    def __init__(self, title: str, choices: Mapping[str, str], *, current: str = "") -> None:
        super().__init__(title, "enter choose · esc close")
        self._choices = dict(choices)
        self._current = current

    def compose_box(self) -> Iterable[Any]:
        """Give the list."""
        yield RowList((Column("", 2), Column("", 0)), id="choices")

    def on_mount(self) -> None:
        """Fill the list."""
        rows = self.query_one(RowList)
        rows.set_rows(
            [
                Row(key, (Cell(str(n) if n < 10 else "", "accent"), Cell(text)))
                for n, (key, text) in enumerate(self._choices.items(), start=1)
            ]
        )
        rows.styles.height = min(len(self._choices), 14)
        keys = list(self._choices)
        rows.cursor = keys.index(self._current) if self._current in keys else 0
        rows.focus()

    def action_choose(self, index: int = -1) -> None:
        """Answer."""
        keys = list(self._choices)
        number = self.query_one(RowList).cursor if index < 0 else index
        if 0 <= number < len(keys):
            self.dismiss(keys[number])

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """A click on the current row chooses it."""
        self.action_choose(message.index)
