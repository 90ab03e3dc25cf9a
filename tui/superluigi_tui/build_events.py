"""What the event file of a build tells: which tasks wait, run, ended how."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["BuildProgress", "EventFile", "TaskProgress", "is_held"]

_MAX_READ = 4 << 20


@dataclass
class TaskProgress:
    """One task of a build, as far as it is known."""

    task_hash: str
    family: str
    params: Mapping[str, Any] = field(default_factory=dict)
    status: str = "waiting"
    """`waiting`, `maybe`, `running`, `succeeded`, `unchanged`, `failed`, `blocked`."""
    why: str = ""
    run_id: str = ""
    started_at: str = ""
    duration_s: float | None = None
    estimate_s: float | None = None
    percentage: float | None = None
    log: str = ""
    error_type: str = ""
    error: str = ""
    traceback: str = ""


@dataclass
class BuildProgress:
    """A build, folded from its plan and its events."""

    tasks: dict[str, TaskProgress] = field(default_factory=dict)
    """By task hash, in the order of the plan."""
    status: str = "running"
    pid: int = 0
    started_at: str = ""
    ended_at: str = ""
    error: str = ""

    def take_plan(self, document: Mapping[str, Any]) -> None:
        """Begin with what the plan holds."""
        for decision in document.get("decisions") or ():
            task = self._task(decision)
            task.estimate_s = decision.get("estimate_s")
            action = decision.get("action")
            if task.status == "waiting" and action in ("maybe", "blocked"):
                task.status = action
            reasons: Sequence[Mapping[str, Any]] = decision.get("reasons") or ({},)
            task.why = task.why or str(reasons[0].get("text", ""))

    def take(self, event: Mapping[str, Any]) -> None:
        """Follow one event; what is not known is ignored."""
        name = event.get("event")
        self.started_at = self.started_at or str(event.get("t", ""))
        if name == "build_started":
            self.pid = int(event.get("pid") or 0)
        elif name == "build_finished":
            self.status = str(event.get("status") or "failed")
            self.ended_at = str(event.get("t", ""))
            self.error = str(event.get("error") or "")
        elif event.get("task_hash"):
            self._take_of_task(str(name), event)

    def _take_of_task(self, name: str, event: Mapping[str, Any]) -> None:
        task = self._task(event)
        if name == "run_progress":
            task.percentage = event.get("percentage")
        elif name == "run_started":
            task.status, task.started_at = "running", str(event.get("t", ""))
            task.error_type = task.error = task.traceback = ""
            task.percentage = None
        elif name == "run_failed":
            task.status = "running" if event.get("will_retry") else "failed"
        else:
            task.status = _STATUS_AFTER.get(name, task.status)
        for key in ("run_id", "log", "why", "duration_s", "error_type", "error", "traceback"):
            if event.get(key) is not None:
                setattr(task, key, event[key])

    def _task(self, row: Mapping[str, Any]) -> TaskProgress:
        task_hash = str(row.get("task_hash"))
        if task_hash not in self.tasks:
            params = row.get("params")
            self.tasks[task_hash] = TaskProgress(
                task_hash, str(row.get("family") or "?"), params if isinstance(params, dict) else {}
            )
        return self.tasks[task_hash]

    def with_status(self, *statuses: str) -> list[TaskProgress]:
        """The tasks in some states."""
        return [task for task in self.tasks.values() if task.status in statuses]

    @property
    def done(self) -> int:
        """How many tasks have come to an end."""
        return len(self.with_status("succeeded", "unchanged", "failed", "blocked"))

    def remaining_s(self) -> float | None:
        """How long what waits and runs takes by the estimates; None where nothing is known."""
        pending = self.with_status("waiting", "maybe", "running")
        known = [task.estimate_s for task in pending if task.estimate_s is not None]
        return sum(known) if known else None


_STATUS_AFTER = {
    "run_succeeded": "succeeded",
    "run_unchanged": "unchanged",
    "run_suspended": "waiting",
    "task_blocked": "blocked",
}


class EventFile:
    """The files of one build, read on from where the last look ended."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.progress = BuildProgress()
        self.revision = 0
        """Grows with everything that is taken in."""
        self._offset = 0
        self._has_plan = False

    def read_on(self) -> None:
        """Take in what is new."""
        self.revision += self._read_plan()
        for event in self._new_events():
            self.progress.take(event)
            self.revision += 1

    def _read_plan(self) -> bool:
        if self._has_plan:
            return False
        try:
            document = json.loads((self.folder / "plan.json").read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        self._has_plan = True
        if isinstance(document, dict):
            self.progress.take_plan(document)
        return True

    def _new_events(self) -> Iterable[Mapping[str, Any]]:
        try:
            with (self.folder / "events.jsonl").open("rb") as file:
                file.seek(self._offset)
                data = file.read(_MAX_READ)
        except OSError:
            return
        whole = data.rpartition(b"\n")[0]
        if not whole:
            return
        self._offset += len(whole) + 1
        for line in whole.split(b"\n"):
            try:
                event = json.loads(line)
            except ValueError:
                continue
            if isinstance(event, dict):
                yield event


def is_held(folder: Path) -> bool | None:
    """Whether a build's processes still hold its lock; None where there is no way to tell."""
    try:
        import fcntl
    except ImportError:
        return None
    try:
        with (folder / "lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return None
    return False
