"""Child processes of the command line: in a session of their own, with files instead of pipes.

A pipe would tie a build to this process: full, it stops the build; closed, it ends it. Files let the
build go on whatever happens here.
"""

from __future__ import annotations

import json
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from superluigi_catalog.owner import is_alive, this_owner

__all__ = [
    "Child",
    "CommandFailed",
    "build_of_child",
    "pid_of_owner",
    "signal_build",
    "start_child",
]


class CommandFailed(RuntimeError):
    """A command did not answer; the message is what it said on stderr."""


@dataclass
class Child:
    """A running command."""

    process: subprocess.Popen[bytes]
    output: Path
    """What it prints to stdout."""
    errors: Path
    """What it prints to stderr."""
    started: float
    folder: Path | None = None
    """Of the build that it carries out, once that has begun."""

    @property
    def code(self) -> int | None:
        """Its exit code; None while it runs. Asking also lets an ended one go."""
        return self.process.poll()

    def said(self) -> str:
        """What it printed to stderr so far."""
        try:
            return self.errors.read_text(encoding="utf-8", errors="backslashreplace")
        except OSError:
            return ""

    def end(self) -> None:
        """Kill it with all that it has started; only for what changes nothing, as a plan."""
        if self.code is None:
            _signal_group(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def forget(self) -> None:
        """Remove its files."""
        self.output.unlink(missing_ok=True)
        self.errors.unlink(missing_ok=True)


def start_child(
    words: Sequence[str],
    *,
    folder: Path,
    cwd: Path,
    environment: Mapping[str, str],
    python: str = sys.executable,
) -> Child:
    """Start `python -m superluigi …`.

    Args:
        folder: Where its output goes; made private.
        environment: All of it.

    Raises:
        OSError: it cannot be started.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    name = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"
    output, errors = folder / f"{name}.out", folder / f"{name}.err"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND
    out, err = os.open(output, flags, 0o600), os.open(errors, flags, 0o600)
    try:
        process = subprocess.Popen(
            [python, "-m", "superluigi", *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            cwd=cwd,
            env={**environment, "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
        )
    finally:
        os.close(out)
        os.close(err)
    return Child(process, output, errors, time.time())


def build_of_child(builds: Path, child: Child) -> str | None:
    """Find the build that a child carries out, and keep its folder.

    Returns:
        The build's id; None while it has not begun.
    """
    try:
        folders = sorted(builds.iterdir(), reverse=True)[:50]
    except OSError:
        return None
    for folder in folders:
        try:
            pid = (folder / "pid").read_text(encoding="ascii").strip()
            if pid != str(child.process.pid) or folder.stat().st_mtime < child.started - 1:
                continue
            first = (folder / "events.jsonl").read_bytes().partition(b"\n")
        except (OSError, UnicodeDecodeError):
            continue
        if first[1]:
            child.folder = folder
            return str(json.loads(first[0])["build_id"])
    return None


def pid_of_owner(owner: str) -> int | None:
    """The process of a build that runs on this machine; None where it has ended, or is elsewhere."""
    parts, own = owner.split("|"), this_owner().split("|")
    if len(parts) != 4 or parts[:2] != own[:2] or not is_alive(owner):
        return None
    return int(parts[2])


def signal_build(pid: int, number: signal.Signals) -> None:
    """Signal a build: SIGUSR1 the process alone, everything else also what it has started.

    A build that leads no group of its own, as one in a script, is signalled alone: others are in its group.
    """
    try:
        leads = os.getpgid(pid) == pid
        if number is not signal.SIGUSR1 and leads:
            _signal_group(pid, number)
        else:
            os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int, number: signal.Signals) -> None:
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        return
