"""Copying: through the terminal, which works over ssh and in tmux, and through a local tool where there is one."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING

from superluigi_tui.screens.choice import Choice
from superluigi_tui.texts import one_line

if TYPE_CHECKING:
    from textual.app import App

    from superluigi_tui.lookups import Lookups

    _Base = App[int]
else:
    _Base = object

__all__ = ["Clipboard"]

_TOOLS = (("wl-copy",), ("xclip", "-selection", "clipboard"), ("pbcopy",))
_SHOWN = 60


class Clipboard(_Base):
    """The part of the app that copies."""

    def copy(self, text: str, what: str) -> None:
        """Copy text, and say what.

        Args:
            what: As in "the task hash".
        """
        # Names of files need not be text that can be encoded.
        text = text.encode("utf-8", "backslashreplace").decode("utf-8")
        self.copy_to_clipboard(text)
        for command in _TOOLS:
            if shutil.which(command[0]) and _has_display(command[0], self.environment):
                subprocess.Popen(
                    command,
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL,
                ).communicate(text.encode(), timeout=2)
                break
        shown = one_line(text)
        shown = shown if len(shown) <= _SHOWN else shown[:_SHOWN] + "…"
        self.notify(f"Copied {what}: {shown}", timeout=3, markup=False)

    environment: dict[str, str]
    lookups: Lookups

    if TYPE_CHECKING:

        def in_background(
            self, work: Callable[[], Coroutine[None, None, None]], *, group: str = ""
        ) -> None:
            """See `SuperLuigiApp`."""

    def copy_of_task(self, task_hash: str) -> None:
        """Offer what can be copied of a task."""
        self.in_background(partial(self._offer, task_hash), group="copy")

    async def _offer(self, task_hash: str) -> None:
        from superluigi_tui.task_pages import command_of, python_of

        task, targets = await self.lookups["detail"].ask(
            lambda catalog: (catalog.task(task_hash), catalog.targets(task_hash))
        )
        texts = {
            "the task hash": task.task_hash,
            "the parameters": json.dumps(dict(task.params), ensure_ascii=False),
            "the task in Python": python_of(task),
            "the command": command_of(task),
        }
        texts |= {
            f"path {number}" if number else "the path": target.uri
            for number, target in enumerate(targets[:4])
        }
        choices = {what: f"{what}: {one_line(text)[:200]}" for what, text in texts.items()}

        def chosen(what: str | None) -> None:
            if what is not None:
                self.copy(texts[what], what)

        self.push_screen(Choice("Copy", choices), chosen)


def _has_display(tool: str, environment: dict[str, str]) -> bool:
    wanted = {"wl-copy": "WAYLAND_DISPLAY", "xclip": "DISPLAY"}.get(tool)
    return wanted is None or bool(environment.get(wanted))
