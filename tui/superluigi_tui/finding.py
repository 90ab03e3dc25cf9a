"""Looking for words in the text that a screen shows, as pagers do: `/`, then `n` and `N`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_tui.screens.prompt import Prompt
from superluigi_tui.widgets.line_view import TextPane

if TYPE_CHECKING:
    from superluigi_tui.screens.view import View

    _Base = View
else:
    _Base = object

__all__ = ["Finding"]


class Finding(_Base):
    """A screen whose text can be searched."""

    _sought = ""

    def found_in(self) -> TextPane | None:
        """The text that a search looks through; None: search all tasks instead."""
        return None

    def action_search(self) -> None:
        """Ask for words, and go to where they are."""
        pane = self.found_in()
        if pane is None:
            super().action_search()
            return

        def sought(text: str | None) -> None:
            self._sought = text or ""
            self.action_next_match(1)

        self.tui.push_screen(Prompt("Find", self._sought), sought)

    def action_filter_lines(self) -> None:
        """Ask for words, and show only the lines that hold them; without words all."""
        pane = self.found_in()
        if pane is None:
            self.notify("No text to filter here.", timeout=2)
            return

        def asked(text: str | None) -> None:
            if text is not None:
                pane.show_only(text.strip())

        self.tui.push_screen(Prompt("Only lines with", "", "nothing: all lines"), asked)

    def action_next_match(self, step: int) -> None:
        """Go to the next place where the words are, or to the one before."""
        pane = self.found_in()
        if pane is None or not self._sought:
            return
        if not pane.find(self._sought, step):
            self.notify(f"{self._sought!r} is not there.", timeout=2, markup=False)
