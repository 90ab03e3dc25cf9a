"""Keeps connections out of forked children, and forks out of other threads' statements.

Measured with SQLite 3.40 and 3.53 in WAL mode:
- A child that works through an inherited connection loses commits.
- So does a child that opens a connection of its own while it has merely inherited an idle one: SQLite
  keeps the locks of a file per process in memory, the child believes that it holds the shared lock
  which in truth the parent holds, and when the parent closes, the log goes with it (700 of 1,000
  acknowledged commits were gone).
- A child forked while another thread was inside SQLite inherits its mutexes locked, and hangs.

Therefore a fork waits until no other thread is inside a transaction, and closes this process's idle
connections first; each is opened again when it is next needed. What cannot be closed (a fork in the
middle of a transaction) stays behind in the child, unused and never closed.

Source: https://www.sqlite.org/howtocorrupt.html#_carrying_an_open_database_connection_across_a_fork_
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from types import TracebackType
from typing import Protocol

__all__ = ["ForkAware", "fork_gate", "keep_forever"]

MAX_WAIT_S = 10.0
"""How long a fork waits for the transactions of other threads; one of them may be waiting for us."""


class ForkAware(Protocol):
    """What holds connections."""

    def before_fork(self) -> None:
        """Close what is idle; no other thread is using anything."""

    def after_fork_in_child(self) -> None:
        """Give up what was inherited, without closing it."""


class ForkGate:
    """Threads are inside while they use SQLite; a fork waits until all others are outside."""

    def __init__(self) -> None:
        self._members: weakref.WeakSet[ForkAware] = weakref.WeakSet()
        self._reset()

    def _reset(self) -> None:
        self._condition = threading.Condition()
        self._inside: dict[int, int] = {}
        self._forking: int | None = None

    def register(self, member: ForkAware) -> None:
        """Tell `member` of every fork from now on, as long as it lives."""
        with self._condition:
            self._members.add(member)

    def __enter__(self) -> None:
        thread = threading.get_ident()
        with self._condition:
            depth = self._inside.get(thread, 0)
            # Whoever is inside already must be let further in: the fork waits for it to come out.
            while not depth and self._forking not in (None, thread):
                self._condition.wait()
            self._inside[thread] = depth + 1

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        thread = threading.get_ident()
        with self._condition:
            depth = self._inside.get(thread, 0) - 1
            if depth > 0:
                self._inside[thread] = depth
            else:
                self._inside.pop(thread, None)
            if self._forking is not None:
                self._condition.notify_all()

    def before(self) -> None:
        """Called in the forking thread; holds the lock until the fork is over."""
        self._condition.acquire()
        thread = threading.get_ident()
        self._forking = thread
        deadline = time.monotonic() + MAX_WAIT_S
        while self._inside.keys() - {thread}:
            remaining = deadline - time.monotonic()
            if remaining <= 0 or not self._condition.wait(remaining):
                break
        for member in list(self._members):
            member.before_fork()

    def after_in_parent(self) -> None:
        """Let the other threads in again."""
        self._forking = None
        self._condition.notify_all()
        self._condition.release()

    def after_in_child(self) -> None:
        """Only the forking thread exists here; the locks of the others do not open any more."""
        depth = self._inside.get(threading.get_ident(), 0)
        self._reset()
        if depth:
            self._inside[threading.get_ident()] = depth
        for member in list(self._members):
            member.after_fork_in_child()


def keep_forever(thing: object) -> None:
    """Never let `thing` be deallocated: deallocating an inherited connection would close it."""
    import ctypes

    ctypes.pythonapi.Py_IncRef(ctypes.py_object(thing))


fork_gate = ForkGate()
os.register_at_fork(
    before=fork_gate.before,
    after_in_parent=fork_gate.after_in_parent,
    after_in_child=fork_gate.after_in_child,
)
