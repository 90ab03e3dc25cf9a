"""Runs end with their build: a process whose build was killed must not go on writing.

On Linux the system sees to it. Elsewhere a thread looks, once a second, whether the build is still there.

Source: `man 2 PR_SET_PDEATHSIG`.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import threading
import time

__all__ = ["end_with_parent"]

_PR_SET_PDEATHSIG = 1
_LOOK_EVERY_S = 1.0


def end_with_parent() -> int:
    """Let this process end when the one that started it does.

    Returns:
        The id of the one that started it.
    """
    parent = os.getppid()
    if not (sys.platform == "linux" and _ask_the_system()):
        threading.Thread(target=_watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:  # it died while we were asking
        os._exit(1)
    return parent


def _ask_the_system() -> bool:
    with contextlib.suppress(OSError, AttributeError):
        library = ctypes.CDLL(None, use_errno=True)
        return bool(library.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0)
    return False


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(_LOOK_EVERY_S)
    os._exit(1)
