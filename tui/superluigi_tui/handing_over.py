"""Giving this terminal to another program for a while: the editor, the debugger."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from superluigi_tui.rerun_request import request_for, task_words
from superluigi_tui.texts import one_line

if TYPE_CHECKING:
    from textual.app import App

    from superluigi_tui.lookups import Lookups

    _Base = App[int]
else:
    _Base = object

__all__ = ["HandingOver"]


class HandingOver(_Base):
    """The part of the app that steps aside."""

    lookups: Lookups
    environment: dict[str, str]
    python: str

    if TYPE_CHECKING:

        def in_background(
            self, work: Callable[[], Coroutine[None, None, None]], *, group: str = ""
        ) -> None:
            """See `SuperLuigiApp`."""

    def debug_task(self, task_hash: str) -> None:
        """Run a task here, with a debugger where it raises."""
        self.in_background(partial(self._debug, task_hash), group="rerun")

    async def _debug(self, task_hash: str) -> None:
        request = await self.lookups["detail"].ask(lambda c: request_for(c, [task_hash]))
        words = [self.python, "-m", "superluigi", "run", "--pdb", *task_words(request.tasks[0])]
        self.hand_over(words, request.cwd, waits=True)

    def edit(self, file: Path, line: int) -> None:
        """Open a file in the user's editor."""
        editor = self.environment.get("VISUAL") or self.environment.get("EDITOR") or "vi"
        words = shlex.split(editor)
        if Path(words[0]).name in ("code", "codium", "cursor"):
            words += ["-g", f"{file}:{line}"]
        else:
            words += [f"+{line}", str(file)]
        self.hand_over(words, Path.cwd(), waits=False)

    def hand_over(self, words: list[str], cwd: Path, *, waits: bool) -> None:
        """Give the terminal to a program until it ends.

        Args:
            waits: Let the user read what it printed before the screen comes back.
        """
        from textual.app import SuspendNotSupported

        try:
            with self.suspend():
                # A handler, not SIG_IGN, which the program would inherit: ctrl+c is meant for it.
                before = signal.signal(signal.SIGINT, lambda *_: None)
                try:
                    subprocess.call(words, cwd=cwd, env=self.environment)
                    if waits:
                        os.write(1, b"\nenter goes back to super luigi ")
                        _wait_for_enter()
                finally:
                    signal.signal(signal.SIGINT, before)
        except SuspendNotSupported:
            self.notify("This needs a terminal.", severity="warning", timeout=3)
        except OSError as error:
            self.notify(one_line(error), severity="error", timeout=5, markup=False)
        self.refresh()


def _wait_for_enter() -> None:
    try:
        os.read(0, 1024)
    except OSError:
        return
