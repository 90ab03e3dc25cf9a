"""Progress as plain lines, for logs and pipes."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from superluigi.progress import Progress
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi.task_runner.result import BuildResult

__all__ = ["LineProgress", "error_text", "event_label"]


class LineProgress(Progress):
    """One line on stderr per task that starts or fails, then the summary."""

    def on_event(self, event: dict[str, Any]) -> None:
        """Write a line for what a reader of a log wants to know."""
        kind = event["event"]
        if kind == "run_started":
            again = f" (attempt {event['attempt']})" if event["attempt"] > 1 else ""
            _line(f"run    {event_label(event)}{again}")
        elif kind == "run_failed":
            _line(f"failed {event_label(event)}  {error_text(event)}")

    def on_result(self, result: BuildResult) -> None:
        """Write what ran and why."""
        for line in str(result).splitlines():
            _line(line)


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
