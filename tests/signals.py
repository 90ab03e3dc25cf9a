"""Processes that tests send signals to."""

from __future__ import annotations

import signal

__all__ = ["heeds_ctrl_c"]


def heeds_ctrl_c() -> None:
    """Let a child take Ctrl-C: a shell lets what it starts in the background ignore it, and children inherit that."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
