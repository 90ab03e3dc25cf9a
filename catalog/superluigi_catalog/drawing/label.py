"""How a task is named in a drawing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.results import Task

__all__ = ["STATUS_COLOURS", "params_text", "task_name"]

STATUS_COLOURS = {
    "fresh": "#d8f0dc",
    "stale": "#fdeec8",
    "missing": "#eeeeee",
    "failed": "#f8d7d7",
    "running": "#d8e6f8",
    "unknown": "#ffffff",
}
"""A fill for each status, on which black text can be read."""

_SHOWN_DIGITS = 8
_MAX_CHARACTERS = 80


def task_name(task: Task) -> str:
    """Name a task by its family and the first digits of its hash; harmless for a terminal."""
    family = printable(task.family) if task.family else "?"
    return f"{family} {task.task_hash[:_SHOWN_DIGITS]}"


def params_text(task: Task) -> str:
    """Show a task's parameters on one line, cut where they are long; harmless for a terminal."""
    text = ", ".join(f"{name}={value}" for name, value in task.params.items())
    shown = text if len(text) <= _MAX_CHARACTERS else f"{text[: _MAX_CHARACTERS - 1]}…"
    return printable(shown)
