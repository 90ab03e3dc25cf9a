"""Progress as plain lines, for logs and pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from superluigi.progress import Progress
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi.task_runner.result import BuildResult

__all__ = [
    "LineProgress",
    "error_text",
    "event_label",
    "interrupted_text",
    "interrupting_text",
]


class LineProgress(Progress):
    """One line on stderr per task that starts or fails, then the summary."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Write a line for what a reader of a log wants to know."""
        text = line_of(event)
        if text:
            _line(text)

    def on_result(self, result: BuildResult) -> None:
        """Write what ran and why."""
        for line in str(result).splitlines():
            _line(line)


def line_of(event: dict[str, Any]) -> str:
    """What a reader of a log wants to know of an event; empty for what is not worth a line."""
    kind = event["event"]
    if kind == "run_started":
        again = f" (attempt {event['attempt']})" if event["attempt"] > 1 else ""
        return f"run    {event_label(event)}{again}"
    if kind == "run_failed":
        return f"failed {event_label(event)}  {error_text(event)}"
    if kind == "run_waiting":
        return f"waits  {event_label(event)}  build {event['build']} is running it"
    if kind == "build_interrupting":
        return interrupting_text(event)
    return interrupted_text(event) if kind == "build_finished" else ""


def interrupted_text(event: dict[str, Any]) -> str:
    """What an interrupted build leaves to do; empty for one that came to its end."""
    if event["status"] != "interrupted":
        return ""
    ran, left = event["counts"].get("ran", 0), event["left"]
    return (
        f"Interrupted: {ran} ran, {left} left. Run it again to go on; with --resume (resume=True) what was "
        "forced and is done is not forced again."
    )


def interrupting_text(event: dict[str, Any]) -> str:
    """What the first Ctrl-C does."""
    running = event["running"]
    if not running:
        return "Interrupted: nothing more is started."
    tasks = "a running task" if running == 1 else f"{running} running tasks"
    return f"Interrupted: waiting for {tasks} to end. Press Ctrl-C again to stop now."


def error_text(event: dict[str, Any]) -> str:
    """What a run raised, on one line."""
    return f"{event['error_type']}: {event['error']}" if event["error"] else event["error_type"]


def event_label(event: dict[str, Any]) -> str:
    """Family, short hash and parameters of an event's task."""
    params = ", ".join(f"{name}={value}" for name, value in event["params"].items())
    return f"{event['family']} {event['task_hash'][:8]}" + (f" ({params})" if params else "")


def _line(text: str) -> None:
    sys.stderr.write(printable(text) + "\n")
    sys.stderr.flush()
