"""SIGTERM as Ctrl-C: what a scheduler or a container sends ends a build as a person would."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["terminated_as_interrupted"]


@contextmanager
def terminated_as_interrupted() -> Iterator[None]:
    """While inside, the first SIGTERM raises KeyboardInterrupt; a second one ends the process.

    Workers that are forked inside are ended by it as ever: that is how the build ends them.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    own_pid = os.getpid()
    before = signal.getsignal(signal.SIGTERM)

    def interrupt(number: int, frame: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        if os.getpid() == own_pid:
            raise KeyboardInterrupt
        os.kill(os.getpid(), number)

    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
