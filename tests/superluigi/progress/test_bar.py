"""The bar, drawn on a terminal of the test's own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import termios
from collections.abc import Iterator
from contextlib import redirect_stderr
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.progress import progress_for
from superluigi.progress.bar import BarProgress
from tests import flows

_FRAME = re.compile(r"\r\x1b\[2K")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]|\r")


class Terminal:
    """The other end of a terminal to which standard error goes."""

    def __init__(self) -> None:
        self._leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.stream = os.fdopen(follower, "w", buffering=1, encoding="utf-8")
        self._chunks: list[bytes] = []
        self._reader = Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        while True:
            try:
                chunk = os.read(self._leader, 65536)
            except OSError:  # Linux: the other end is closed
                return
            if not chunk:
                return
            self._chunks.append(chunk)

    def close(self) -> None:
        self.stream.close()
        self._reader.join()
        os.close(self._leader)

    def raw(self) -> str:
        """All that was written; the terminal is closed then."""
        self.close()
        return b"".join(self._chunks).decode()


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, project: Path) -> Iterator[Terminal]:
    Path("source.txt").write_text("hello")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "80")
    terminal = Terminal()
    yield terminal
    if not terminal.stream.closed:
        terminal.close()


def plain(text: str) -> str:
    return _CONTROL.sub("", text)


def test_a_terminal_gets_a_bar_that_counts_and_names_and_then_the_summary(
    terminal: Terminal,
) -> None:
    with redirect_stderr(terminal.stream):
        run_task(flows.Clean())
    raw = terminal.raw()
    text = plain(raw)
    assert f"0/2 Raw {flows.Raw().task_id[:8]}" in text
    assert f"1/2 Clean {flows.Clean().task_id[:8]}" in text
    assert "2/2" in text
    *_, table, last = text.strip().rsplit("\n", 1)
    assert "2/2" not in last  # the bar is taken away
    assert f"ran  Clean {flows.Clean().task_id[:8]}" in table
    assert last.startswith("ok: 2 ran, 1 up to date in ")
    assert raw.rindex("\x1b[2K") < raw.rindex("ok: 2 ran")


def test_no_bar_is_drawn_when_nothing_is_to_be_run(terminal: Terminal) -> None:
    run_task(flows.Raw(), progress=False)
    with redirect_stderr(terminal.stream):
        run_task(flows.Raw())
    text = plain(terminal.raw())
    assert "0/" not in text
    assert text.strip().startswith("ok: 2 up to date in")


def test_a_failure_is_told_above_the_bar_and_counted_in_it(terminal: Terminal) -> None:
    with redirect_stderr(terminal.stream), pytest.raises(BuildFailed):
        run_task(flows.AfterFailing())
    text = plain(terminal.raw())
    assert re.search(r"failed Failing [0-9a-f]{8}  ValueError: bad luck", text)
    assert "1 failed" in text
    assert text.count("ValueError: bad luck") == 3  # above the bar, in the table, in the traceback


def test_a_failure_that_is_tried_again_does_not_count(terminal: Terminal) -> None:
    Path("failures_left.txt").write_text("1")
    with redirect_stderr(terminal.stream):
        run_task(flows.Failing(), retries=1)
    text = plain(terminal.raw())
    assert "bad luck" in text
    assert "1 failed" not in text
    assert "2/2" in text
    assert "3/2" not in text


def event(name: str, number: int, **more: Any) -> dict[str, Any]:
    return {
        "event": name,
        "family": "Many",
        "task_hash": f"{number}".ljust(32, "0"),
        "params": {"text": "[red]\x1b[2J"},
        **more,
    }


@pytest.mark.parametrize("columns", [80, 160])
def test_the_bar_names_three_running_tasks_and_tells_the_time_left(
    terminal: Terminal, columns: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    with redirect_stderr(terminal.stream), BarProgress() as bar:
        bar.on_event({"event": "plan", "counts": {"run": 10_000_000, "maybe": 1, "skip": 5}})
        for number in range(5):
            bar.on_event(event("run_started", number))
        bar.on_event(event("run_suspended", 0))
        bar.on_event(event("run_succeeded", 1))
        bar.on_event({"event": "tick"})
    frames = [plain(frame).strip() for frame in _FRAME.split(terminal.raw()) if frame.strip()]
    assert any("0/10000001 Many 00000000" in frame for frame in frames)
    names = "Many 10000000, Many 20000000 and 2 more"
    assert any(names in frame for frame in frames) == (columns == 160)
    assert re.search(r"━ +1/10000001 Many .*  about \d+ s left$", frames[-1])
    assert max(map(len, frames)) <= columns


def test_hostile_texts_are_neither_markup_nor_commands_to_the_terminal(terminal: Terminal) -> None:
    with redirect_stderr(terminal.stream), BarProgress() as bar:
        bar.on_event({"event": "plan", "counts": {"run": 1}})
        failed = {"error_type": "E", "error": "[bold]\x1b[2J", "will_retry": False}
        bar.on_event(event("run_failed", 1, **failed))
    raw = terminal.raw()
    assert "\x1b[2J" not in raw
    assert "[red]" in raw
    assert "[bold]" in raw


def test_a_choice_of_progress_that_is_none_is_refused() -> None:
    with pytest.raises(TypeError, match="progress takes None, False or a function; 3 is none"):
        progress_for(3)
