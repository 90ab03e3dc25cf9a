"""From end to end: a real project, a real terminal, real builds."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from superluigi_catalog import Catalog
from superluigi_tui.build_events import is_held
from tests.superluigi_tui.terminal import Terminal, eventually, needs_tmux, terminal_in

FLOWS = """
import os, signal, time

from superluigi.parameters import BoolParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


class Raw(ExternalTask):
    def output(self):
        return LocalFileTarget("raw.txt")


class Upper(AtomicTaskWithMetadata):
    def requires(self):
        return Raw()

    def output(self):
        return LocalFileTarget("upper.txt")

    def run(self, input_path, output_path):
        text = open(input_path).read()
        if "stubborn" in text:
            signal.signal(signal.SIGINT, signal.SIG_IGN)
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
        while "wait" in text and not os.path.exists("go"):
            time.sleep(0.02)
        if "bad" in text:
            raise ValueError("bad text")
        with open(output_path, "w") as file:
            file.write(text.upper())
"""

pytestmark = [needs_tmux, pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs /proc")]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose one task was made, and has become stale since."""
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    (tmp_path / "superluigi.toml").touch()
    (tmp_path / "flows.py").write_text(FLOWS)
    (tmp_path / "raw.txt").write_text("first")
    command = [sys.executable, "-m", "superluigi", "run", "--quiet", "flows.Upper"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    return tmp_path


@pytest.fixture
def terminal(project: Path) -> Iterator[Terminal]:
    with terminal_in(project) as terminal:
        yield terminal


def change(project: Path, text: str) -> None:
    (project / "raw.txt").write_text(text)


def start_a_build(terminal: Terminal) -> None:
    """Go to the task, look at the plan, run it."""
    terminal.start("tasks?q=Upper")
    terminal.sees("1 / 1 task")
    terminal.keys("r")
    terminal.sees("PLAN", "raw.txt changed since it was read", "Run 1 task ")
    terminal.keys("C-r")


def folders(project: Path) -> list[Path]:
    return sorted((project / ".superluigi" / "builds").iterdir())


def statuses(project: Path) -> list[str]:
    with Catalog(project / ".superluigi" / "catalog.db", read_only=True) as catalog:
        return [build.status for build in catalog.builds()]


def test_a_stale_task_is_made_again_with_its_plan_first(terminal: Terminal, project: Path) -> None:
    change(project, "second")
    start_a_build(terminal)
    terminal.sees("SUCCEEDED", "1/1", "100%")
    assert (project / "upper.txt").read_text() == "SECOND"
    eventually(lambda: not is_held(folders(project)[-1]), lambda: "the lock is still held")
    terminal.keys("q")
    terminal.sees("ended with 0")


def test_a_build_outlives_the_terminal_ui_and_is_found_again(
    terminal: Terminal, project: Path
) -> None:
    change(project, "wait for it")
    start_a_build(terminal)
    terminal.sees("RUNNING", "0/1")
    os.kill(terminal.pid, signal.SIGKILL)
    terminal.sees("ended with 137")
    assert is_held(folders(project)[-1])
    terminal.close()
    terminal.start("builds")
    terminal.sees("running")
    terminal.keys("Enter")
    terminal.sees("RUNNING", "0/1")
    (project / "go").touch()
    terminal.sees("SUCCEEDED", "1/1")
    assert (project / "upper.txt").read_text() == "WAIT FOR IT"


@pytest.mark.slow
def test_a_failure_leads_to_the_debugger_and_back_and_is_retried(
    terminal: Terminal, project: Path
) -> None:
    change(project, "bad")
    start_a_build(terminal)
    terminal.sees("FAILED", "ValueError: bad text   flows.py:29 in run")
    terminal.keys("x")
    terminal.sees("(Pdb)", 'raise ValueError("bad text")')
    terminal.keys("C-c")
    terminal.sees("KeyboardInterrupt")
    terminal.keys("p text", "Enter")
    terminal.sees("'bad'", "(Pdb)")
    terminal.keys("q", "Enter")
    terminal.sees("enter goes back to super luigi")
    terminal.keys("Enter")
    terminal.sees("FAILED", "flows.py:29")
    change(project, "good")
    terminal.keys("r")
    terminal.sees("PLAN", "Run 1 task ")
    terminal.keys("C-r")
    terminal.sees("SUCCEEDED")
    assert (project / "upper.txt").read_text() == "GOOD"


@pytest.mark.slow
def test_a_build_that_does_not_stop_is_stopped_harder_and_harder(
    terminal: Terminal, project: Path
) -> None:
    change(project, "wait, stubborn")
    start_a_build(terminal)
    terminal.sees("RUNNING", "0/1")
    pid = int((folders(project)[-1] / "pid").read_text())
    terminal.keys("c")
    terminal.sees("Stop", "keep it running")
    terminal.keys("3")
    terminal.sees("INTERRUPTED")
    eventually(lambda: not group_of(pid), lambda: str(group_of(pid)))
    assert not is_held(folders(project)[-1])
    assert (project / "upper.txt").read_text() == "FIRST"


@pytest.mark.slow
def test_an_interrupted_build_ends_at_once_and_says_so(terminal: Terminal, project: Path) -> None:
    change(project, "wait")
    start_a_build(terminal)
    terminal.sees("RUNNING", "0/1")
    terminal.keys("c")
    terminal.sees("keep it running")
    terminal.keys("Enter")  # the first choice changes nothing
    terminal.sees("RUNNING")
    terminal.keys("c", "3")
    terminal.sees("INTERRUPTED")
    eventually(lambda: statuses(project)[0] == "interrupted", lambda: str(statuses(project)))


@pytest.mark.slow
def test_quitting_asks_what_becomes_of_a_build(terminal: Terminal, project: Path) -> None:
    change(project, "wait")
    start_a_build(terminal)
    terminal.sees("RUNNING", "0/1")
    terminal.keys("q")
    terminal.sees("1 build started here", "stay here")
    terminal.keys("3")
    terminal.sees("ended with 0")
    eventually(lambda: statuses(project)[0] == "interrupted", lambda: str(statuses(project)))


def group_of(pgid: int) -> list[int]:
    """The processes of a group that have not ended."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[2]) == pgid and fields[0] not in "ZX":
            found.append(int(folder.name))
    return found
