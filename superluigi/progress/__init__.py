"""Showing a build while it runs: a bar on a terminal, lines elsewhere, a function, or nothing."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import TracebackType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from superluigi.task_runner.result import BuildResult

__all__ = ["CallbackProgress", "Progress", "progress_for"]


class Progress:
    """Hears every event of a build, in the build's own process; shows nothing."""

    def __enter__(self) -> Progress:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        pass

    def on_event(self, event: dict[str, Any]) -> None:
        """One event, as in `events.jsonl`, or `{"event": "tick"}` about once a second of silence."""

    def on_result(self, result: BuildResult) -> None:
        """The build has ended."""


class CallbackProgress(Progress):
    """Hands every event on."""

    def __init__(self, function: Callable[[dict[str, Any]], object]) -> None:
        self._function = function

    def on_event(self, event: dict[str, Any]) -> None:
        """Call the function."""
        if event["event"] != "tick":
            self._function(event)


def progress_for(choice: Any) -> Progress:
    """The progress that `run_task(progress=…)` asks for.

    Args:
        choice: None: a bar on a terminal, else lines. True: the same. False: nothing. A function: called
            with every event. A `Progress`: itself.

    Raises:
        TypeError: anything else.
    """
    if choice is False:
        return Progress()
    if isinstance(choice, Progress):
        return choice
    if callable(choice):
        return CallbackProgress(choice)
    if choice is not None and choice is not True:
        message = f"progress takes None, False or a function; {choice!r} is none of them."
        raise TypeError(message)
    if sys.stderr is not None and sys.stderr.isatty():
        from superluigi.progress.bar import BarProgress

        return BarProgress()
    from superluigi.progress.lines import LineProgress

    return LineProgress()
