"""Which process runs which task, when there is more than one worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import luigi
import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.parameters import IntParameter, Parameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata
from tests import flows

pytestmark = pytest.mark.usefixtures("project")

_KEPT: list[Any] = []


def leave_thread() -> None:
    threading.Thread(target=threading.Event().wait, daemon=True).start()


def grow() -> None:
    _KEPT.append(bytearray(os.urandom(1 << 20)) * 100)


def leave_child() -> None:
    import multiprocessing

    process = multiprocessing.Process(target=time.sleep, args=(30,), daemon=True)
    process.start()
    _KEPT.append(process)


def take_long() -> None:
    time.sleep(1.1)


LEAVES: dict[str, Callable[[], object]] = {
    "nothing": lambda: None,
    "variable": lambda: os.environ.update(LEFT_BY_A_TASK="1"),
    "thread": leave_thread,
    "memory": grow,
    "child": leave_child,
    "time": take_long,
    "exit": lambda: os._exit(3),
    "silence": lambda: os._exit(0),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "error": lambda: 1 / 0,
}


class PoolLink(AtomicTaskWithMetadata):
    """One of a chain: only one of them runs at a time."""

    i = IntParameter()
    leaves = Parameter(default="nothing")

    def requires(self) -> Any:
        return PoolLink(i=self.i - 1, leaves=self.leaves) if self.i else None

    def output(self) -> LocalFileTarget:
        return LocalFileTarget(f"{self.leaves}_{self.i}.txt")

    def run(self, output_path: str) -> None:
        Path(output_path).write_text(str(os.getpid()))
        LEAVES[self.leaves]()


class PoolYields(AtomicTaskWithMetadata):
    """Asks while running for what was made since its process began, and for what nobody knew before."""

    i = IntParameter()

    def requires(self) -> Any:
        return PoolYields(i=self.i - 1) if self.i else PoolLink(i=2)

    def output(self) -> LocalFileTarget:
        return LocalFileTarget(f"yields_{self.i}.txt")

    def run(self, output_path: str) -> Iterator[Any]:
        (link,) = yield [PoolLink(i=2)]
        own = yield flows.Part(n=100 + self.i)
        Path(output_path).write_text(Path(link.path).read_text() + Path(own.path).read_text())


def pids(leaves: str = "nothing", count: int = 3) -> list[int]:
    run_task(PoolLink(i=count - 1, leaves=leaves), num_workers=2, progress=False)
    return [int(Path(f"{leaves}_{i}.txt").read_text()) for i in range(count)]


def test_short_tasks_share_a_process_that_is_not_the_builds() -> None:
    found = pids(count=5)
    assert len(set(found)) == 1
    assert os.getpid() not in found


@pytest.mark.parametrize("leaves", ["variable", "thread", "memory", "child", "time"])
def test_a_process_in_which_a_task_left_something_runs_no_other(leaves: str) -> None:
    found = pids(leaves)
    assert len(set(found)) == 3
    assert "LEFT_BY_A_TASK" not in os.environ


@pytest.mark.parametrize("leaves", ["exit", "silence", "kill", "error"])
def test_a_process_that_ends_in_the_middle_of_a_run_takes_no_other_task_along(leaves: str) -> None:
    run_task(PoolLink(i=0), num_workers=2, progress=False)
    with pytest.raises(BuildFailed) as caught:
        run_task(
            [PoolLink(i=0, leaves=leaves), PoolLink(i=4)],
            num_workers=2,
            progress=False,
        )
    result = caught.value.result
    assert [decision.params["leaves"] for decision in result.failed] == [leaves]
    assert len(result.ran) == 4
    assert not Path(f"{leaves}_0.txt").exists()


def test_each_task_may_have_a_process_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    luigi.configuration.get_config().set("worker", "force_multiprocessing", "true")
    try:
        assert len(set(pids())) == 3
    finally:
        luigi.configuration.get_config().remove_option("worker", "force_multiprocessing")


def test_a_process_hears_what_was_made_since_it_began() -> None:
    result = run_task(PoolYields(i=3), num_workers=2, progress=False)
    assert len(result.ran) == 3 + 4 + 4
    assert {Path(f"yields_{i}.txt").stat().st_size > 0 for i in range(4)} == {True}
    assert not run_task(PoolYields(i=3), num_workers=2, progress=False).ran


def test_no_process_is_left_behind() -> None:
    for pid in {*pids(count=2), *pids("variable")}:
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_spawned_processes_run_further_tasks_too() -> None:
    Path("spawned_pool.py").write_text(
        "import multiprocessing\n"
        "from tests.superluigi.running.test_pool import pids\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    print(len(set(pids(count=4))))\n"
    )
    root = str(Path(flows.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "spawned_pool.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": root},
        timeout=120,
        check=False,
    )
    assert done.stdout.split() == ["1"], done.stderr
