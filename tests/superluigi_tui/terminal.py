"""A real terminal: tmux, with the program of `superluigi tui` in it."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

__all__ = ["Terminal", "needs_tmux", "terminal_in"]

PATIENCE_S = 30.0
needs_tmux = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


class Terminal:
    """One tmux server with one window."""

    def __init__(self, folder: Path, width: int, height: int) -> None:
        self._folder = folder
        self._starts = 0
        self._size = ("-x", str(width), "-y", str(height))

    def start(self, *arguments: str, **environment: str) -> None:
        """Run `superluigi tui` there; in a new server each time, as one that ends takes a while."""
        self._starts += 1
        words = [sys.executable, "-m", "superluigi", "tui", *arguments]
        line = f"unset COLUMNS LINES; {shlex.join(words)}; echo ended with $?; exec cat"
        variables = [
            part for key, value in environment.items() for part in ("-e", f"{key}={value}")
        ]
        self._tmux("new-session", "-d", *self._size, *variables, "-c", str(self._folder), line)

    def keys(self, *keys: str) -> None:
        """Press keys, as tmux names them."""
        self._tmux("send-keys", *keys)

    @property
    def text(self) -> str:
        """What is on the screen."""
        return self._tmux("capture-pane", "-p")

    def sees(self, *texts: str) -> str:
        """Wait until all these are on the screen."""
        eventually(lambda: all(text in self.text for text in texts), lambda: self.text)
        return self.text

    @property
    def pid(self) -> int:
        """Of the terminal UI itself, below the shell and the command line."""
        shell = int(self._tmux("display-message", "-p", "#{pane_pid}"))
        return children_of(children_of(shell)[0])[0]

    def close(self) -> None:
        """End it with all that runs in it."""
        subprocess.run(
            ["tmux", "-S", self._socket, "kill-server"], check=False, capture_output=True
        )

    @property
    def _socket(self) -> str:
        return str(self._folder / f"tmux-{self._starts}.socket")

    def _tmux(self, *words: str) -> str:
        command = ["tmux", "-S", self._socket, "-f", os.devnull, *words]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return done.stdout


@contextmanager
def terminal_in(folder: Path, *, width: int = 100, height: int = 30) -> Iterator[Terminal]:
    """A terminal whose working directory is `folder`."""
    terminal = Terminal(folder, width, height)
    try:
        yield terminal
    finally:
        terminal.close()


def children_of(pid: int) -> list[int]:
    """The processes that a process has started."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def eventually(condition: Callable[[], object], told: Callable[[], str]) -> None:
    """Look again and again until something is so."""
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, f"in vain:\n{told()}"
        time.sleep(0.05)
