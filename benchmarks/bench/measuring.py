"""What one process costs: CPU seconds of it and its children, wall seconds, and the largest one's memory."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

__all__ = ["MEMORY_BYTES", "PATIENCE", "Usage", "measure"]

MEMORY_BYTES = 6 << 30
"""The address space that a process gets: what needs more would only make the machine swap."""

PATIENCE = 8
"""Wall seconds for each CPU second of the limit."""

_RSS_UNIT = 1 if sys.platform == "darwin" else 1024
_SAID_CHARACTERS = 200
_LAUNCHER = Path(__file__).with_name("launcher.py")


@dataclass(frozen=True)
class Usage:
    """One measured process."""

    cpu_s: float
    """User and system time, of its children too."""

    wall_s: float
    peak_mb: float
    """The resident memory of the largest of its processes."""

    ended: str
    """`ok`, `time` (over a limit, so it was killed), `failed`, or what a caller found in its results."""

    said: str = ""
    """The last line on stderr of a process that failed."""


def measure(
    command: Sequence[str],
    directory: Path,
    *,
    limit_s: float = 300,
    environment: Mapping[str, str] | None = None,
) -> Usage:
    """Run a command to its end, or for as long as it may take.

    Args:
        command: Its words.
        directory: Where it runs.
        limit_s: CPU seconds after which a process is killed; on a busy machine it may wait for them, but after
            `PATIENCE` times as many wall seconds it and its children are killed all the same.
        environment: Variables beside those of this process.

    Raises:
        OSError: the command cannot be started.
    """
    reading, report = os.pipe()
    with tempfile.TemporaryFile() as errors, open(reading) as told:  # noqa: PTH123
        started = time.perf_counter()
        limits = [str(math.ceil(limit_s)), str(MEMORY_BYTES)]
        process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(_LAUNCHER), str(report), *limits, *command],
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
            pass_fds=[report],
        )
        os.close(report)
        timer = threading.Timer(limit_s * PATIENCE, _kill, [process.pid])
        timer.start()
        try:
            numbers = told.read().split()
            process.wait()
        except BaseException:
            _kill(process.pid)
            raise
        finally:
            timer.cancel()
        if not numbers:
            if process.returncode > 0:
                raise OSError(_last_line(errors.fileno()))
            return Usage(0, time.perf_counter() - started, 0, "time")
        code, cpu_s, wall_s, peak = map(float, numbers)
        ended = "time" if code == -signal.SIGXCPU else "failed" if code else "ok"
        said = _last_line(errors.fileno()) if ended == "failed" else ""
        return Usage(cpu_s, wall_s, peak * _RSS_UNIT / 1e6, ended, said)


def _kill(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _last_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096)).decode(errors="replace")
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:_SAID_CHARACTERS] if lines else ""
