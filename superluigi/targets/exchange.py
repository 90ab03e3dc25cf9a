"""Swapping two folders in one step, where the platform can."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import functools
import os
import sys
from collections.abc import Callable

__all__ = ["exchange"]


def exchange(one: str, other: str) -> bool:
    """Swap two paths in one step; False where kernel or filesystem cannot."""
    swap = _exchange_function()
    if swap is None:
        return False
    if swap(os.fsencode(one), os.fsencode(other)) == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.EINVAL, errno.ENOSYS, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), one, None, other)


@functools.cache
def _exchange_function() -> Callable[[bytes, bytes], int] | None:
    libc = ctypes.CDLL(None, use_errno=True) if sys.platform != "win32" else None
    with contextlib.suppress(AttributeError):
        if sys.platform == "linux" and libc is not None:
            at_cwd, exchange = -100, 2
            renameat2 = libc.renameat2
            return lambda one, other: renameat2(at_cwd, one, at_cwd, other, exchange)
        if sys.platform == "darwin" and libc is not None:
            renamex_np = libc.renamex_np
            return lambda one, other: renamex_np(one, other, 2)
    return None
