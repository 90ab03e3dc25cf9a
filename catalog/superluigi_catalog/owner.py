"""Who is running something, as text that another process can check.

An owner is `host|boot|pid|start`: the host's name, its boot id with the number space of its process
ids, the process id, and when that process started. A process id alone says little: it is used again
after the process ended, and counts anew in every container.

Source: `man 5 proc_pid_stat`, field 22; `man 7 pid_namespaces`.
"""

from __future__ import annotations

import os
import socket
from functools import lru_cache
from pathlib import Path

__all__ = ["is_alive", "standing_of", "this_owner"]

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_SPACE = Path("/proc/self/ns/pid")
_DEAD_STATES = frozenset({"Z", "X", "x"})


def this_owner() -> str:
    """Name the calling process, also right after a fork.

    Returns:
        `host|boot|pid|start`; boot and start are empty where the system has no `/proc`.
    """
    return _owner_of(os.getpid())


def is_alive(owner: str) -> bool:
    """Whether the process behind an owner may still be at work.

    Args:
        owner: What `this_owner` said in that process.

    Returns:
        False only when it is certainly gone; True for what cannot be checked from here.
    """
    return standing_of(owner) is not False


def standing_of(owner: str) -> bool | None:
    """What can be said of the process behind an owner from here.

    Args:
        owner: What `this_owner` said in that process.

    Returns:
        True: it is at work. False: it is certainly gone: the host was restarted since, no process has
        that id, or one that started at another time has it. None: that cannot be checked from here:
        another host, another container, text that is no owner.
    """
    parts = owner.split("|")
    if len(parts) != 4 or not parts[2].isdecimal() or parts[0] != _host():
        return None
    boot, space = _split_boot(parts[1])
    own_boot, own_space = _split_boot(_boot())
    if boot and own_boot and boot != own_boot:
        return False
    if space != own_space:
        return None
    return _is_running(int(parts[2]), parts[3])


@lru_cache(maxsize=1)
def _owner_of(pid: int) -> str:
    return "|".join((_host(), _boot(), str(pid), _start_of(pid) or ""))


def _is_running(pid: int, start: str) -> bool:
    if not _exists(pid):
        return False
    started = _start_of(pid)
    if started is None:
        # Where there is a /proc, a process without a readable entry has just ended.
        return not _BOOT_ID.exists()
    return not start or started == start


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True


def _start_of(pid: int) -> str | None:
    """When a living process started, in clock ticks since the boot; None when unknown or dead."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the program's name in brackets, and may hold blanks and brackets itself.
    fields = stat.rpartition(")")[2].split()
    if len(fields) < 20 or fields[0] in _DEAD_STATES:
        return None
    return fields[19]


@lru_cache(maxsize=1)
def _host() -> str:
    return socket.gethostname().replace("|", "_")


@lru_cache(maxsize=1)
def _boot() -> str:
    try:
        boot = _BOOT_ID.read_text(encoding="ascii").strip()
        space = _PID_SPACE.readlink()
    except OSError:
        return ""
    return f"{boot}/{space}"


def _split_boot(text: str) -> tuple[str, str]:
    boot, _, space = text.partition("/")
    return boot, space
