"""A lock between processes that only saves work: where it fails or takes too long, one goes on without.

`flock` does nothing on some network filesystems, and a forked child may keep it for its parent.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

__all__ = ["patient_lock"]

_PATIENCE_S = 300.0
_FIRST_PAUSE_S = 0.01
_LONGEST_PAUSE_S = 0.5


@contextlib.contextmanager
def patient_lock(path: Path, *, patience_s: float = _PATIENCE_S) -> Iterator[bool]:
    """Hold the lock if it can be had; yields whether somebody else had it first."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield False
        return
    try:
        yield _acquire(descriptor, patience_s)
    finally:
        os.close(descriptor)  # which also releases it


def _acquire(descriptor: int, patience_s: float) -> bool:
    import fcntl

    give_up, pause_s, waited = time.monotonic() + patience_s, _FIRST_PAUSE_S, False
    while time.monotonic() < give_up:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            waited = True
            time.sleep(pause_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        except OSError:
            break
        else:
            break
    return waited
