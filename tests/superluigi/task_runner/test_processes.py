"""Other ways in and out: spawned workers, threads, interrupts, kills, Luigi's own entrances."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import luigi
import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi_catalog import Catalog
from tests import flows
from tests.flows import ran
from tests.signals import heeds_ctrl_c

ROOT = str(Path(flows.__file__).parent.parent)


def python(program: str, **options: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        timeout=60,
        **options,
    )


def test_spawned_workers_do_the_same() -> None:
    Path("spawned.py").write_text(
        "import multiprocessing\n"
        "from superluigi import run_task\n"
        "from tests import flows\n"
        "if __name__ == '__main__':\n"
        "    multiprocessing.set_start_method('spawn')\n"
        "    first = run_task(flows.Report(), num_workers=2, progress=False)\n"
        "    dynamic = run_task(flows.Dynamic(), num_workers=2, progress=False)\n"
        "    again = run_task(flows.Report(), num_workers=2, progress=False)\n"
        "    print(len(first.ran), len(dynamic.ran), len(again.ran))\n"
    )
    done = subprocess.run(
        [sys.executable, "spawned.py"],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        timeout=60,
        check=False,
    )
    assert done.stdout.split() == ["4", "4", "0"], done.stderr


def test_a_build_may_run_in_a_thread() -> None:
    results = []
    thread = threading.Thread(
        target=lambda: results.append(run_task(flows.Part(n=1), progress=False))
    )
    thread.start()
    thread.join()
    assert results[0].ok


def _started(program: str, marker: Path) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, "-c", program], env={**os.environ, "PYTHONPATH": ROOT}
    )
    deadline = time.monotonic() + 30
    while not marker.exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return process


SLOW = """
import time
from pathlib import Path
from superluigi import run_task
from tests import flows

def slow(self):
    Path(self.output().path).write_text("half")
    Path("started").touch()
    time.sleep(60)

if {slow}:
    flows.InPlace.run.__wrapped__.__code__ = slow.__code__
    flows.InPlace.run.__wrapped__.__globals__.update(globals())
run_task(flows.InPlace(), force={force}, progress=False)
"""


@pytest.mark.parametrize("had_a_result", [False, True])
def test_a_build_killed_while_writing_in_place_leaves_no_half_result(had_a_result: bool) -> None:
    if had_a_result:
        assert python(SLOW.format(slow=False, force=False)).returncode == 0
        ran()
    process = _started(SLOW.format(slow=True, force=True), Path("started"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert Path("inplace.txt").read_text() == "half"
    ran()
    result = run_task(flows.InPlace(), progress=False)
    assert Path("inplace.txt").read_text() == "1"
    assert ran() == ([] if had_a_result else ["InPlace"])
    assert result.ok
    assert list(Path().glob(".superluigi-*")) == []
    assert list(Path().glob("*.next")) == []


def test_a_killed_build_is_recorded_as_interrupted_by_the_next_one() -> None:
    process = _started(SLOW.format(slow=True, force=True), Path("started"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    run_task(flows.Part(n=1), progress=False)
    with Catalog() as catalog:
        assert [build.status for build in catalog.builds()] == ["succeeded", "interrupted"]
        (run,) = catalog.runs(flows.InPlace())
        assert run.status == "interrupted"


ORPHANED = """
import os
from pathlib import Path
from superluigi import run_task
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

class Slow(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("slow.txt")

    def run(self, output_path):
        Path(output_path).write_text("of the dead")
        Path("started").write_text(str(os.getpid()))
        Path("goes_on").read_text()

run_task(Slow(), num_workers=2, progress=False)
"""


def test_a_run_ends_with_its_build() -> None:
    for pipe in ("started", "goes_on"):
        os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-c", ORPHANED], env={**os.environ, "PYTHONPATH": ROOT}
    )
    child = int(Path("started").read_text())
    process.kill()
    process.wait()
    deadline = time.monotonic() + 10
    while Path(f"/proc/{child}").exists() and "zombie" not in _state_of(child):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert not Path("slow.txt").exists()


def _state_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return "zombie"


@pytest.mark.parametrize("code", [0, 3])
def test_a_worker_that_ends_without_a_word_has_failed(code: int) -> None:
    with pytest.raises(BuildFailed) as caught:
        run_task(flows.Exits(code=code), num_workers=2, progress=False)
    (failure,) = caught.value.failures
    assert failure.error_type == "ProcessDied"
    assert f"exit code {code}" in failure.error


INTERRUPTED = """
import sys
from pathlib import Path
from superluigi import run_task
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, Task
from tests.flows import note

class Before(Task):
    def output(self):
        return LocalFileTarget("before.txt")

    def run(self):
        note(self)
        Path("before.txt").write_text("half")
        Path("started").write_text("")
        Path("before.txt").write_text(Path("goes_on").read_text())

class After(AtomicTaskWithMetadata):
    def requires(self):
        return Before()

    def output(self):
        return LocalFileTarget("after.txt")

    def run(self, output_path):
        note(self)
        Path(output_path).touch()

def told(event):
    if event["event"] == "build_interrupting":
        Path("told").write_text("")

run_task(After(), num_workers=int(sys.argv[1]), progress=told)
"""


@pytest.fixture
def interrupted(num_workers: int) -> Iterator[subprocess.Popen[bytes]]:
    """A build in the middle of its first run, which goes on when `goes_on` is written; once interrupted."""
    for pipe in ("started", "told", "goes_on"):
        os.mkfifo(pipe)
    process = subprocess.Popen(
        [sys.executable, "-c", INTERRUPTED, str(num_workers)],
        env={**os.environ, "PYTHONPATH": ROOT},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        preexec_fn=heeds_ctrl_c,
    )
    Path("started").read_text()
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does: to every process of the build
    Path("told").read_text()
    yield process
    process.kill()
    process.wait()


@pytest.mark.parametrize("num_workers", [1, 2])
def test_ctrl_c_once_lets_what_runs_come_to_its_end(
    interrupted: subprocess.Popen[bytes],
) -> None:
    Path("goes_on").write_text("whole")
    assert interrupted.wait(20) != 0
    assert ran() == ["Before"]
    assert Path("before.txt").read_text() == "whole"
    assert Path("before.txt.metadata.json").exists()
    with Catalog() as catalog:
        (build,) = catalog.builds()
        assert (build.status, build.counts["ran"]) == ("interrupted", 1)


@pytest.mark.parametrize("num_workers", [1, 2])
def test_ctrl_c_twice_stops_what_runs(interrupted: subprocess.Popen[bytes]) -> None:
    os.killpg(interrupted.pid, signal.SIGINT)
    assert interrupted.wait(20) != 0
    assert not list(Path().glob(".superluigi-*"))
    with Catalog() as catalog:
        (build,) = catalog.builds()
        assert build.status == "interrupted"
        assert [run.status for run in catalog.runs()] == ["interrupted"]
        assert catalog.leases([run.task_hash for run in catalog.runs()]) == {}
    assert not Path("after.txt").exists()


def test_luigis_own_build_writes_sidecars_and_the_catalog_catches_up() -> None:
    assert luigi.build([flows.Report()], local_scheduler=True, log_level="ERROR")
    assert sorted(ran()) == ["Clean", "PlainCount", "Raw", "Report"]
    assert Path("report.txt.metadata.json").exists()
    result = run_task(flows.Report(), progress=False)
    assert ran() == []
    assert result.ok
    with Catalog() as catalog:
        assert [run.status for run in catalog.runs(flows.Raw())] == ["succeeded"]


def test_luigis_command_line_runs_our_tasks() -> None:
    done = subprocess.run(
        [
            str(Path(sys.executable).parent / "luigi"),
            *("--module", "tests.flows", "Clean", "--local-scheduler"),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": ROOT},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert ran() == ["Raw", "Clean"]
    assert Path("clean.metadata.json").exists()
