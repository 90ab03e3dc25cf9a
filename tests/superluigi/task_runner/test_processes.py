"""Other ways in and out: spawned workers, threads, interrupts, kills, Luigi's own entrances."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import luigi
import pytest

from superluigi import run_task
from superluigi_catalog import Catalog
from tests import flows
from tests.flows import ran

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


def test_ctrl_c_leaves_everything_consistent() -> None:
    process = _started(SLOW.format(slow=True, force=True), Path("started"))
    process.send_signal(signal.SIGINT)
    assert process.wait(20) != 0
    assert not list(Path().glob(".superluigi-*"))
    with Catalog() as catalog:
        assert [build.status for build in catalog.builds()] == ["interrupted"]
    ran()
    run_task(flows.InPlace(), progress=False)
    assert ran() == ["InPlace"]
    assert Path("inplace.txt").read_text() == "1"


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
