"""`Prompt`: one line of text."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from textual.widgets import Input

from superluigi_tui.screens.dialog import Dialog

__all__ = ["Prompt"]


class Prompt(Dialog[str]):
    """Answers with what was typed; None when it was closed."""

    def __init__(self, title: str, value: str = "", placeholder: str = "") -> None:
        super().__init__(title, "enter ok · esc close")
        self._value = value
        self._placeholder = placeholder

    def compose_box(self) -> Iterable[Any]:
        """Give the field."""
        yield Input(self._value, placeholder=self._placeholder, compact=True, id="prompt")

    def on_mount(self) -> None:
        """Begin in the field."""
        self.query_one(Input).focus()

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Answer."""
        self.dismiss(message.value)
