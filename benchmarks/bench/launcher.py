"""Starts a command from a process that is itself small, and tells what the command used.

    python -I -S launcher.py REPORT CPU_S MEMORY_BYTES COMMAND...

A process begins with the peak memory of the one that started it, so the measuring one must not start it itself.
REPORT is a file descriptor, to which go: exit code, CPU seconds, wall seconds, peak memory in the kernel's unit.
"""

from __future__ import annotations

import os
import resource
import sys
import time


def main() -> None:
    """Run the command under limits."""
    report, cpu_s, memory_bytes = map(int, sys.argv[1:4])
    command = sys.argv[4:]
    os.set_inheritable(report, False)
    resource.setrlimit(resource.RLIMIT_CPU, (cpu_s, cpu_s + 5))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    started = time.perf_counter()
    pid = os.posix_spawnp(command[0], command, os.environ)
    _, status, used = os.wait4(pid, 0)
    wall_s = time.perf_counter() - started
    code = os.waitstatus_to_exitcode(status)
    told = f"{code} {used.ru_utime + used.ru_stime} {wall_s} {used.ru_maxrss}"
    os.write(report, told.encode())


if __name__ == "__main__":
    main()
