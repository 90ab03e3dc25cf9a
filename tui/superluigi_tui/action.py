"""`Action`: something that a key does; and keys as people write them."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Action", "shown_key"]

_KEY_NAMES = {
    "slash": "/",
    "colon": ":",
    "question_mark": "?",
    "left_square_bracket": "[",
    "right_square_bracket": "]",
    "escape": "esc",
    "plus": "+",
    "minus": "-",
    "full_stop": ".",
    "greater_than_sign": ">",
    "less_than_sign": "<",
    "ampersand": "&",
}


@dataclass(frozen=True)
class Action:
    """Something that a key does."""

    id: str
    """Also its name in `[keymap]`; the screen's method is `action_<id>`, with underscores."""
    key: str
    """As Textual names it; several with commas."""
    text: str
    """What the footer says."""
    help: str
    group: str
    """A heading of the help."""
    screens: tuple[str, ...] = ()
    """Where it is; empty: everywhere."""
    method: str = ""
    """The action's name where it is not the id."""
    changes: bool = False
    """Whether it starts or stops something: not there with `--read-only`."""

    @property
    def action(self) -> str:
        """What Textual runs."""
        return self.method or self.id.replace("-", "_")


def shown_key(key: str) -> str:
    """Write a key as people do: the first of several."""
    first = key.partition(",")[0]
    return _KEY_NAMES.get(first, first)
