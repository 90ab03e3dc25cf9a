"""Asking the catalog without keeping the screen waiting: one thread, whose question can be dropped."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from superluigi_catalog import Catalog

__all__ = ["LANES", "Lane", "Lookups"]

LANES = ("list", "detail", "count", "poll")
"""One connection for each purpose: a long count must not hold up a key."""

_BUSY_TIMEOUT_S = 0.25

T = TypeVar("T")


class Lane:
    """A thread with a catalog of its own; a question whose asker was cancelled is interrupted."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._executor = ThreadPoolExecutor(max_workers=1, thread_name_prefix="catalog")
        self._catalog: Catalog | None = None
        self._lock = threading.Lock()
        self._job: object | None = None
        self._is_closed = False

    async def ask(self, question: Callable[[Catalog], T]) -> T:
        """Let the thread answer.

        Raises:
            CatalogError: the catalog cannot be read now.
        """
        if self._is_closed:
            raise asyncio.CancelledError
        job = object()
        future = self._executor.submit(self._answer, job, question)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            self._drop(job)
            raise

    def close(self) -> None:
        """End what is being asked, and the thread."""
        with self._lock:
            self._is_closed = True
            if self._catalog is not None:
                self._catalog.interrupt()
        self._executor.submit(self._close_catalog)
        self._executor.shutdown(wait=True, cancel_futures=False)

    def _answer(self, job: object, question: Callable[[Catalog], T]) -> T:
        with self._lock:
            if self._is_closed:
                raise asyncio.CancelledError
            self._job = job
        try:
            if self._catalog is None:
                self._catalog = Catalog(self.path, read_only=True, timeout_s=_BUSY_TIMEOUT_S)
            return question(self._catalog)
        finally:
            with self._lock:
                self._job = None

    def _drop(self, job: object) -> None:
        # Under the lock, the job cannot end and another one begin, which would be hit instead.
        with self._lock:
            if self._job is job and self._catalog is not None:
                self._catalog.interrupt()

    def _close_catalog(self) -> None:
        if self._catalog is not None:
            self._catalog.close()


class Lookups:
    """All lanes to one catalog."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lanes = {name: Lane(path) for name in LANES}

    def __getitem__(self, lane: str) -> Lane:
        return self._lanes[lane]

    def close(self) -> None:
        """End all threads."""
        for lane in self._lanes.values():
            lane.close()
