"""The files of the demo's builds: events, plan, logs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from superluigi_tui.demo.pipeline import DemoTask, run_id_of

__all__ = ["write_build_files"]


def write_build_files(
    builds: Path,
    build_id: str,
    at: datetime,
    tasks: Sequence[DemoTask],
    *,
    root: DemoTask,
    failed: DemoTask | None,
    traceback: str,
    is_running: bool,
) -> str:
    """Write what a build would have left.

    Returns:
        The folder's name.
    """
    name = f"{at:%Y%m%dT%H%M%SZ}-{build_id[:6]}"
    folder = builds / name
    (folder / "runs").mkdir(parents=True, exist_ok=True)
    script = _Script(build_id, at)
    label = f"{root.entry.family} {root.entry.task_hash[:8]}"
    script.add("build_started", roots=[label])
    script.add("plan", counts={"run": len(tasks)})
    for index, task in enumerate(tasks):
        log = f"runs/{task.entry.family}.log"
        fields = _fields(task) | {"run_id": run_id_of(build_id, task.entry.task_hash)}
        blocked = failed is not None and script.has_failed
        if blocked:
            script.add("task_blocked", **_fields(task), why="TrainModel failed or was not run")
            continue
        script.add("run_started", **fields, attempt=1, why="its output was not there", log=log)
        (folder / log).write_text(_log(task, at), encoding="utf-8")
        if is_running and index == len(tasks) - 1:
            script.add("run_progress", task_hash=task.entry.task_hash, percentage=40)
            break
        script.at += timedelta(seconds=task.seconds if task is not failed else 12)
        if task is failed:
            script.add(
                "run_failed",
                **fields,
                duration_s=12.0,
                error_type="ValueError",
                error="bad label 'n/a' in row 7",
                traceback=traceback,
                will_retry=False,
            )
        else:
            script.add("run_succeeded", **fields, duration_s=task.seconds)
    if not is_running:
        status = "failed" if failed is not None else "succeeded"
        script.add("build_finished", status=status, counts={})
    (folder / "events.jsonl").write_text(script.text, encoding="utf-8")
    (folder / "log").write_text("", encoding="utf-8")
    decisions = [
        _fields(task) | {"action": "run", "estimate_s": task.seconds, "is_root": task is root}
        for task in tasks
    ]
    plan = {"build_id": build_id, "counts": {"run": len(tasks)}, "decisions": decisions}
    (folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    return name


class _Script:
    """Events in the order in which they happen."""

    def __init__(self, build_id: str, at: datetime) -> None:
        self._build_id = build_id
        self.at = at
        self.text = ""
        self.has_failed = False

    def add(self, event: str, **what: Any) -> None:
        """Add an event at the present moment."""
        self.has_failed = self.has_failed or event == "run_failed"
        row = {
            "v": 1,
            "t": f"{self.at:%Y-%m-%dT%H:%M:%S.%fZ}",
            "build_id": self._build_id,
            "pid": 1,
        }
        self.text += json.dumps(row | {"event": event} | what) + "\n"


def _fields(task: DemoTask) -> dict[str, Any]:
    return {
        "task_hash": task.entry.task_hash,
        "family": task.entry.family,
        "params": dict(task.entry.params),
    }


def _log(task: DemoTask, at: datetime) -> str:
    family = task.entry.family
    return "".join(
        f"{at + timedelta(seconds=second):%Y-%m-%d %H:%M:%S} INFO flows: {family}: {words}\n"
        for second, words in enumerate(("reading its inputs", "963,904 rows", "writing"))
    )
