"""The same request for many objects, in threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

__all__ = ["in_threads"]

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


def in_threads(
    work: Callable[[_Item], _Result], items: Sequence[_Item], *, threads: int
) -> list[_Result]:
    """The results in the order of `items`; the first error ends it, and what has not begun never does.

    The threads live only as long as the call, so that no pool is there to be inherited by a fork, and work
    in the caller's context: its project is theirs.
    """
    if len(items) < 2:
        return [work(item) for item in items]
    pool = ThreadPoolExecutor(min(threads, len(items)), thread_name_prefix="superluigi-s3")
    try:
        futures = [pool.submit(copy_context().run, work, item) for item in items]
        return [future.result() for future in futures]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
