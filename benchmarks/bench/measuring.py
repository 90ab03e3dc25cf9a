"""What one process costs: CPU seconds of it and its children, wall seconds, and the largest one's memory."""

from __future__ import annotations

import contextlib
import math
import os
import resource
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
    """
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
        _limit(process.pid, math.ceil(limit_s))
        over = threading.Event()
        timer = threading.Timer(limit_s * PATIENCE, _kill, (process.pid, over))
        timer.start()
        try:
            _, status, used = os.wait4(process.pid, 0)
        except BaseException:
            _kill(process.pid, over)
            raise
        finally:
            timer.cancel()
        wall_s = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
        late = over.is_set() or process.returncode == -signal.SIGXCPU
        ended = "time" if late else "failed" if process.returncode else "ok"
        return Usage(
            used.ru_utime + used.ru_stime,
            wall_s,
            used.ru_maxrss * _RSS_UNIT / 1e6,
            ended,
            _last_line(errors.fileno()) if ended == "failed" else "",
        )


def _kill(group: int, over: threading.Event) -> None:
    over.set()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)


def _limit(pid: int, cpu_s: int) -> None:
    # After the start rather than in the child, where Python would have to fork instead of vfork.
    if hasattr(resource, "prlimit"):
        with contextlib.suppress(ProcessLookupError):
            resource.prlimit(pid, resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
            resource.prlimit(pid, resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))


def _last_line(descriptor: int) -> str:
    size = os.fstat(descriptor).st_size
    tail = os.pread(descriptor, 4096, max(0, size - 4096)).decode(errors="replace")
    lines = [line.strip() for line in tail.splitlines() if line.strip()]
    return lines[-1][:_SAID_CHARACTERS] if lines else ""
