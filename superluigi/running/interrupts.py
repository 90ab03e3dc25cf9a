"""Ctrl-C in two steps: the first lets what runs come to its end, the second stops it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any

__all__ = ["Interrupts"]


class Interrupts:
    """While inside, Ctrl-C is taken in two steps; in another thread than the main one nothing changes.

    Args:
        on_first: Called at the first; the second raises KeyboardInterrupt wherever this process is.
    """

    def __init__(self, on_first: Callable[[], None]) -> None:
        self.were_asked = False
        """Whether there was a first."""
        self._on_first = on_first
        self._before: Any = None

    def __enter__(self) -> Interrupts:
        is_main = threading.current_thread() is threading.main_thread()
        # Whoever handles Ctrl-C in a way of their own, or ignores it, goes on doing so.
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            self._before = signal.signal(signal.SIGINT, self._handle)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        if self.were_asked:
            raise KeyboardInterrupt
        self.were_asked = True
        self._on_first()
