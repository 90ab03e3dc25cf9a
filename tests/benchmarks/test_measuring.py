"""What a process costs, and what ends one that takes too long."""

import fcntl
import signal
import sys
from pathlib import Path

import pytest

from benchmarks.bench.measuring import measure

BUSY = "import time\nwhile time.process_time() < 0.3: pass"


def python(text: str) -> list[str]:
    return [sys.executable, "-c", text]


def test_the_time_of_children_counts(tmp_path: Path) -> None:
    child = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    usage = measure(python(child), tmp_path)
    assert usage.ended == "ok"
    assert usage.cpu_s >= 0.3


def test_memory_is_that_of_the_peak(tmp_path: Path) -> None:
    usage = measure(python("data = bytearray(100_000_000); del data"), tmp_path)
    assert 100 < usage.peak_mb < 200


def test_the_memory_of_the_measuring_process_does_not_count(tmp_path: Path) -> None:
    large = bytearray(200_000_000)
    assert measure(python("pass"), tmp_path).peak_mb < 100
    assert large


def test_a_command_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="no-such-tool"):
        measure(["no-such-tool"], tmp_path)


def test_a_failure_is_told_by_its_last_line(tmp_path: Path) -> None:
    usage = measure(python("raise ValueError('no such graph')"), tmp_path)
    assert (usage.ended, usage.said) == ("failed", "ValueError: no such graph")


def test_what_needs_more_than_its_cpu_seconds_is_stopped(tmp_path: Path) -> None:
    usage = measure(python("while True: pass"), tmp_path, limit_s=1)
    assert usage.ended == "time"


def test_what_waits_for_ever_is_killed_with_its_children(tmp_path: Path) -> None:
    held = tmp_path / "held"
    child = (
        "import fcntl, os, signal\n"
        "if not os.fork():\n"
        " file = open('held', 'w')\n"
        " fcntl.flock(file, fcntl.LOCK_EX)\n"
        " print('locked', file=file, flush=True)\n"
        " signal.pause()\n"
        "os.wait()"
    )
    usage = measure(python(child), tmp_path, limit_s=0.5)
    assert usage.ended == "time"
    assert held.read_text() == "locked\n"
    with held.open() as file:
        # As long as the child lives, this waits.
        fcntl.flock(file, fcntl.LOCK_EX)


def test_a_process_that_ends_by_a_signal_has_failed(tmp_path: Path) -> None:
    usage = measure(python(f"import os; os.kill(os.getpid(), {int(signal.SIGTERM)})"), tmp_path)
    assert usage.ended == "failed"
