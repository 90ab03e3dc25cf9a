"""Tracebacks as their reader wants them: from the user's first frame on."""

from __future__ import annotations

import traceback
from types import TracebackType

from superluigi.errors import SuperLuigiError

__all__ = ["MAX_TRACEBACK_CHARS", "end_in_users_code", "user_traceback"]

MAX_TRACEBACK_CHARS = 64_000


def user_traceback(error: BaseException, trace: TracebackType | None) -> str:
    """The traceback as text, beginning at the user's first frame."""
    start = trace
    while start is not None and _is_machinery(start):
        start = start.tb_next
    # Without one, Super Luigi itself has something to say: the message is enough.
    chained = not isinstance(error, SuperLuigiError)
    lines = traceback.format_exception(type(error), error, start, chain=chained)
    text = "".join(lines)
    return text if len(text) <= MAX_TRACEBACK_CHARS else "…\n" + text[-MAX_TRACEBACK_CHARS:]


def end_in_users_code(error: BaseException) -> None:
    """Let an error's traceback end in the user's last frame: what it says is about that line.

    A debugger that is opened on it then stops there, too.
    """
    last, step = None, error.__traceback__
    while step is not None:
        if not _is_machinery(step):
            last = step
        step = step.tb_next
    if last is not None:
        last.tb_next = None


def _is_machinery(trace: TracebackType) -> bool:
    module = str(trace.tb_frame.f_globals.get("__name__", ""))
    ours = module.partition(".")[0] in ("superluigi", "luigi", "contextlib")
    return ours and not module.startswith("superluigi.demo")  # whose tasks are as a user's
