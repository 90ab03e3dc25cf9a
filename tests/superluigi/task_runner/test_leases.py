"""Two builds at once over the same tasks: each task runs once, and nobody waits for the dead."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, Task, TaskWithMetadata, WrapperTask
from superluigi_catalog import Catalog
from tests import flows
from tests.flows import note, ran

ROOT = str(Path(flows.__file__).parent.parent)


class Held(AtomicTaskWithMetadata):
    """In the other build it says that it runs, and waits to be let go on."""

    def output(self):
        return LocalFileTarget("held.txt")

    def run(self, output_path):
        note(self)
        word = "again"
        if os.environ.get("OTHER_BUILD"):
            Path("runs").write_text("x")
            word = Path("goes_on").read_text()
        if word == "fail":
            message = "told to fail"
            raise ValueError(message)
        Path(output_path).write_text(word)


class ReadsHeld(AtomicTaskWithMetadata):
    def requires(self):
        return Held()

    def output(self):
        return LocalFileTarget("reads_held.txt")

    def run(self, input_path, output_path):
        note(self)
        Path(output_path).write_text(Path(input_path).read_text())


class Aside(AtomicTaskWithMetadata):
    """Has nothing to do with what is held."""

    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"aside{self.n}.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).touch()


class HeldWithoutOutput(TaskWithMetadata):
    def run(self):
        note(self)
        if os.environ.get("OTHER_BUILD"):
            Path("runs").write_text("x")
            Path("goes_on").read_text()


class HeldInPlace(Task):
    """Has written half of its target when it waits."""

    def output(self):
        return LocalFileTarget("held_in_place.txt")

    def run(self):
        note(self)
        with Path("held_in_place.txt").open("w") as file:
            file.write("half ")
            file.flush()
            if os.environ.get("OTHER_BUILD"):
                Path("runs").write_text("x")
                file.write(Path("goes_on").read_text())


class ReadsHeldInPlace(AtomicTaskWithMetadata):
    def requires(self):
        return HeldInPlace()

    def output(self):
        return LocalFileTarget("reads_held_in_place.txt")

    def run(self, input_path, output_path):
        note(self)
        Path(output_path).write_text(Path(input_path).read_text())


class Everything(WrapperTask):
    def requires(self):
        return [ReadsHeld(), Aside(n=1), Aside(n=2)]


@pytest.fixture(autouse=True)
def _pipes(_project: None) -> None:
    os.mkfifo("runs")
    os.mkfifo("goes_on")


@contextmanager
def other_build(task: str, options: str = "") -> Iterator[subprocess.Popen[bytes]]:
    """Another process in the middle of a run of `task`."""
    program = (
        "from superluigi import run_task\n"
        "from tests.superluigi.task_runner.test_leases import *\n"
        f"run_task({task}, progress=False, {options})\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": ROOT, "OTHER_BUILD": "1"},
        stderr=subprocess.DEVNULL,
    )
    try:
        assert Path("runs").read_text() == "x"
        yield process
    finally:
        process.kill()
        process.wait()


class Waiting:
    """A build in a thread; it can be waited for until it waits."""

    def __init__(self, task: Any, **options: Any) -> None:
        self.waits = threading.Event()
        self.events: list[dict[str, Any]] = []
        self.result: Any = None
        self._thread = threading.Thread(target=self._run, args=(task, options))
        self._thread.start()

    def _run(self, task: Any, options: dict[str, Any]) -> None:
        try:
            self.result = run_task(task, progress=self._on_event, **options)
        except BuildFailed as failed:
            self.result = failed.result

    def _on_event(self, event: dict[str, Any]) -> None:
        self.events.append(event)
        if event["event"] == "run_waiting":
            self.waits.set()

    def ended(self) -> Any:
        self._thread.join(30)
        assert not self._thread.is_alive()
        return self.result


def families(decisions: Any) -> list[str]:
    return sorted(decision.family for decision in decisions)


def go_on(word: str) -> None:
    Path("goes_on").write_text(word)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_what_another_build_runs_is_waited_for_and_shared(num_workers: int) -> None:
    with other_build("Held()") as other:
        waiting = Waiting(Everything(), num_workers=num_workers)
        assert waiting.waits.wait(30)
        go_on("theirs")
        result = waiting.ended()
        assert other.wait(30) == 0
    assert families(result.shared) == ["Held"]
    assert families(result.ran) == ["Aside", "Aside", "ReadsHeld"]
    assert sorted(ran()) == ["Aside", "Aside", "Held", "ReadsHeld"]
    assert Path("reads_held.txt").read_text() == "theirs"
    assert result.counts()["shared"] == 1
    (event,) = [e for e in waiting.events if e["event"] == "run_waiting"]
    with Catalog() as catalog:
        assert event["build"] in {build.build_id for build in catalog.builds()}
        assert catalog.leases([Held().task_id]) == {}
        (run,) = catalog.runs("held.txt")
        assert run.status == "succeeded"
        assert {"shared": 1} in [{"shared": b.counts.get("shared")} for b in catalog.builds()]


def test_the_rest_goes_on_while_one_task_is_waited_for() -> None:
    with other_build("Held()"):
        waiting = Waiting(Everything())
        assert waiting.waits.wait(30)
        while len(ran_so_far()) < 3:
            assert waiting.result is None
        go_on("theirs")
        assert families(waiting.ended().shared) == ["Held"]


def ran_so_far() -> list[str]:
    return Path("ran.log").read_text().split()


@pytest.mark.parametrize("options", ["", "num_workers=2"])
def test_a_dead_build_is_not_waited_for(options: str) -> None:
    with other_build("[Held(), Aside(n=1), Aside(n=2)]", options) as other:
        waiting = Waiting(Held())
        assert waiting.waits.wait(30)
        other.send_signal(signal.SIGKILL)
        other.wait()
        result = waiting.ended()
    assert families(result.ran) == ["Held"]
    assert Path("held.txt").read_text() == "again"
    with Catalog() as catalog:
        statuses = [run.status for run in catalog.runs(Held().task_id)]
        assert statuses == ["succeeded", "interrupted"]


def test_what_another_build_failed_to_make_is_run() -> None:
    with other_build("Held()"):
        waiting = Waiting(Held())
        assert waiting.waits.wait(30)
        go_on("fail")
        result = waiting.ended()
    assert families(result.ran) == ["Held"]
    assert Path("held.txt").read_text() == "again"


def test_a_forced_build_does_not_share_what_began_before_it_was_planned() -> None:
    with other_build("Held()"):
        waiting = Waiting(Held(), force=True)
        assert waiting.waits.wait(30)
        go_on("theirs")
        result = waiting.ended()
    assert families(result.ran) == ["Held"]
    assert ran() == ["Held", "Held"]
    assert Path("held.txt").read_text() == "again"


def test_a_forced_build_shares_what_began_after_it_was_planned() -> None:
    run_task(Held(), progress=False)
    ran()

    def meanwhile(event: dict[str, Any]) -> None:
        if event["event"] == "plan":
            program = (
                "from superluigi import run_task\n"
                "from tests.superluigi.task_runner.test_leases import Held\n"
                "run_task(Held(), force=True, progress=False)\n"
            )
            subprocess.run(
                [sys.executable, "-c", program],
                env={**os.environ, "PYTHONPATH": ROOT},
                check=True,
                timeout=60,
            )

    result = run_task(Held(), force=True, progress=meanwhile)
    assert families(result.shared) == ["Held"]
    assert ran() == ["Held"]


def test_a_task_without_output_is_shared_while_it_runs() -> None:
    with other_build("HeldWithoutOutput()"):
        waiting = Waiting(HeldWithoutOutput())
        assert waiting.waits.wait(30)
        go_on("")
        result = waiting.ended()
    assert families(result.shared) == ["HeldWithoutOutput"]
    assert ran() == ["HeldWithoutOutput"]


@pytest.mark.parametrize("is_remade", [False, True])
def test_what_another_build_has_half_written_is_no_result(is_remade: bool) -> None:
    if is_remade:
        run_task(ReadsHeldInPlace(), progress=False)
        ran()
    with other_build("HeldInPlace()", "force=True"):
        waiting = Waiting(ReadsHeldInPlace())
        assert waiting.waits.wait(30)
        go_on("and whole")
        result = waiting.ended()
    assert families(result.shared) == ["HeldInPlace"]
    assert ran() == ["HeldInPlace", "ReadsHeldInPlace"]
    assert Path("reads_held_in_place.txt").read_text() == "half and whole"


def test_a_build_inside_a_run_does_not_wait_for_that_run() -> None:
    class Nests(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("nests.txt")

        def run(self, output_path):
            note(self)
            if len(ran_so_far()) == 1:
                run_task(self, progress=False)
            Path(output_path).touch()

    assert run_task(Nests(), progress=False).ok
    assert ran() == ["Nests", "Nests"]
