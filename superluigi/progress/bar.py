"""Progress as a live bar on a terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
from rich.progress import Progress as RichProgress
from rich.text import Text

from superluigi.progress import Progress
from superluigi.progress.lines import error_text, event_label, interrupted_text, interrupting_text
from superluigi.s3.transfers import Meter, watching
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi.task_runner.result import BuildResult

__all__ = ["BarProgress"]

_MAX_NAMES = 3
_BAR_WIDTH = 24
_REDRAW_S = 0.2
_TRANSFERS_FROM_S = 1.0
"""What takes less is over before it is read."""
_ENDS = (
    *("run_succeeded", "run_unchanged", "run_shared", "run_failed", "run_suspended"),
    "run_interrupted",
)


class BarProgress(Progress):
    """Done of all, what runs now, what failed, the time left by history.

    It draws when the build tells something, from the build's own thread: a thread of its own would be one
    to fork around. Where the build's own process moves bytes to or from S3, that draws too.
    """

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._bar = RichProgress(
            BarColumn(bar_width=_BAR_WIDTH),
            MofNCompleteColumn(),
            TextColumn("{task.fields[what]}", markup=False),
            console=self._console,
            auto_refresh=False,
            transient=True,
        )
        self._row: Any = None
        self._running: dict[str, dict[str, Any]] = {}
        self._waiting: dict[str, dict[str, Any]] = {}
        self._failed = 0
        self._started = time.monotonic()
        self._meter = Meter(self._moved)
        self._watching = watching(self._meter)
        self._drawn = 0.0

    def __enter__(self) -> BarProgress:
        self._watching.__enter__()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._watching.__exit__(kind, error, trace)
        self._bar.stop()

    def on_event(self, event: dict[str, Any]) -> None:
        """Draw what changed."""
        kind = event["event"]
        if kind == "plan":
            work = event["counts"].get("run", 0) + event["counts"].get("maybe", 0)
            if work:
                self._row = self._bar.add_task("", total=work, what="")
                self._bar.start()
        elif kind == "run_started":
            self._waiting.pop(event["task_hash"], None)
            self._running[event["task_hash"]] = event
        elif kind == "run_waiting":
            self._waiting[event["task_hash"]] = event
        elif kind == "build_interrupting":
            self._console.print(Text(interrupting_text(event), style="yellow"))
        elif kind == "build_finished" and interrupted_text(event):
            self._bar.stop()
            self._console.print(Text(interrupted_text(event), style="yellow"))
        elif kind in _ENDS:
            self._ended(kind, event)
        if self._row is not None and kind != "build_finished":
            self._bar.update(self._row, what=self._what(), refresh=True)

    def on_result(self, result: BuildResult) -> None:
        """Take the bar away and print what ran and why."""
        self._bar.stop()
        self._console.print(result)

    def _ended(self, kind: str, event: dict[str, Any]) -> None:
        self._running.pop(event["task_hash"], None)
        self._waiting.pop(event["task_hash"], None)
        if not self._running:
            self._meter.reset()  # a transfer that failed never comes to its end
        if kind == "run_failed":
            self._failed += not event["will_retry"]
            text = f"failed {event_label(event)}  {error_text(event)}"
            self._console.print(Text(printable(text), style="red"))
        if kind not in ("run_suspended",) and not event.get("will_retry") and self._row is not None:
            self._bar.advance(self._row)

    def _what(self) -> str:
        names = [f"{e['family']} {e['task_hash'][:8]}" for e in self._running.values()]
        shown = ", ".join(names[:_MAX_NAMES]) + (
            f" and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
        )
        waiting = f"  waiting for {len(self._waiting)} of another build" if self._waiting else ""
        failed = f"  {self._failed} failed" if self._failed else ""
        tail = f"{self._transfers()}{waiting}{failed}{self._time_left()}"
        # What does not fit would push the bar and the numbers out.
        cut = Text(printable(shown))
        cut.truncate(max(self._room() - len(tail), 0), overflow="ellipsis")
        return cut.plain + tail

    def _moved(self) -> None:
        """From the threads of a transfer in this process."""
        now = time.monotonic()
        if self._row is not None and now - self._drawn > _REDRAW_S:
            self._drawn = now
            self._bar.update(self._row, what=self._what(), refresh=True)

    def _transfers(self) -> str:
        """The bytes on their way to or from S3, of all processes of the build."""
        found = self._meter.reading()
        if found is None or found.seconds < _TRANSFERS_FROM_S:
            return ""
        if found.seconds_left is None:
            if found.moved >= found.expected:
                self._meter.reset()
            return ""
        return (
            f"  {found.moved / 1e6:,.0f} of {found.expected / 1e6:,.0f} MB, "
            f"{found.bytes_per_s / 1e6:,.1f} MB/s, {found.seconds_left:,.0f} s"
        )

    def _room(self) -> int:
        """Cells beside the bar and the numbers."""
        total = max((int(row.total or 0) for row in self._bar.tasks), default=0)
        return self._console.width - _BAR_WIDTH - 2 * len(str(total)) - 3

    def _time_left(self) -> str:
        """From how long this build's tasks took so far."""
        row = next((r for r in self._bar.tasks if r.id == self._row), None)
        if row is None or not row.completed or not row.total:
            return ""
        elapsed = time.monotonic() - self._started
        left = elapsed / row.completed * (row.total - row.completed)
        return f"  about {left:.0f} s left" if left >= 1 else ""
