"""The files of a build: its plan, events, logs and lock, for whoever wants to follow it.

Below `.superluigi/builds/<UTC time>-<6 hex>/`: `plan.json` (what will happen), `events.jsonl` (one JSON
object a line, as it happens), `log` (Luigi's and our own log), `runs/<run_id>.log` (what a run printed),
`pid`, and `lock`, held for as long as the build lives.

An event has `v` (1), `t` (UTC), `build_id`, `pid`, `event` and what belongs to it. The events are
`build_started`, `plan`, `run_started`, `run_progress`, `run_succeeded`, `run_unchanged`, `run_failed`,
`run_suspended`, `run_interrupted`, `run_waiting`, `run_shared`, `task_blocked`, `build_interrupting` and `build_finished`.
"""

from __future__ import annotations

import json
import logging
import os
import secrets
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from superluigi.execution.order import utc_now

__all__ = ["BuildFiles", "event_line"]

EVENT_VERSION = 1
_MAX_TEXT_CHARS = 8_000
"""A line stays below 16 kB, so that one write of it is whole; the full text is in the log."""

_LOGGERS = ("luigi-interface", "luigi", "superluigi")


class BuildFiles:
    """The directory of one build; files are made when there is something to write."""

    def __init__(self, builds: Path, build_id: str) -> None:
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        self.path = builds / f"{stamp}-{secrets.token_hex(3)}"
        self.path.mkdir(parents=True, mode=0o700)
        self._build_id = build_id
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        self._events = os.open(self.path / "events.jsonl", flags, 0o666)
        self._lock = _held_lock(self.path / "lock")
        (self.path / "pid").write_text(f"{os.getpid()}\n", encoding="ascii")
        self._handler = logging.FileHandler(self.path / "log", encoding="utf-8", delay=True)
        self._handler.setFormatter(
            logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
        )
        for name in _LOGGERS:
            logging.getLogger(name).addHandler(self._handler)

    @property
    def name(self) -> str:
        """The directory's name below `builds/`."""
        return self.path.name

    def run_log(self, run_id: str) -> str:
        """Where a run's log is, relative to the directory."""
        return f"runs/{run_id}.log"

    def write_plan(self, decisions: Iterable[dict[str, Any]], **others: Any) -> None:
        """Keep the plan."""
        with (self.path / "plan.json").open("w", encoding="utf-8") as file:
            # Row by row: of 100,000 tasks the whole text would need as much memory as the build itself.
            file.write(json.dumps(others)[:-1] + ', "decisions": [')
            for index, row in enumerate(decisions):
                file.write((", " if index else "") + json.dumps(row))
            file.write("]}")

    def write(self, event: str, **what: Any) -> dict[str, Any]:
        """Append one event; also from a forked child: lines do not interleave."""
        row = _event(self._build_id, event, what)
        os.write(self._events, _line(row))
        return row

    def close(self) -> None:
        """Let the lock go."""
        for name in _LOGGERS:
            logging.getLogger(name).removeHandler(self._handler)
        self._handler.close()
        os.close(self._events)
        if self._lock is not None:
            os.close(self._lock)


def event_line(build_id: str, event: str, **what: Any) -> bytes:
    """One event as a line of `events.jsonl`."""
    return _line(_event(build_id, event, what))


def _event(build_id: str, event: str, what: dict[str, Any]) -> dict[str, Any]:
    return {
        "v": EVENT_VERSION,
        "t": utc_now(),
        "build_id": build_id,
        "pid": os.getpid(),
        "event": event,
        **{key: _cut(value) for key, value in what.items()},
    }


def _line(row: dict[str, Any]) -> bytes:
    return (json.dumps(row) + "\n").encode("ascii")


def _cut(value: Any) -> Any:
    if isinstance(value, str) and len(value) > _MAX_TEXT_CHARS:
        return "…" + value[-_MAX_TEXT_CHARS:]
    return value


def _held_lock(path: Path) -> int | None:
    """A lock that goes when the process and its children do; none on Windows."""
    if sys.platform == "win32":
        return None
    import fcntl

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor
