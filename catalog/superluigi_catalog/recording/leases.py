"""Leases: at most one build runs a task at a time; the others wait for it, or take over from a dead one."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

from superluigi_catalog.reading.leases import leases_of
from superluigi_catalog.recording.identify import run_id, task_id
from superluigi_catalog.records import Claim, Lease
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable, utc_now

__all__ = ["beat", "claim", "give_back", "grant"]


def claim(
    session: Session,
    task_hash: str,
    *,
    expected: Mapping[str, str | None],
    is_gone: Callable[[Lease], bool],
) -> Claim:
    """Say whether a run of a task may begin; what a dead owner held is taken from it."""
    task = task_id(session, task_hash)
    if session.row("SELECT 1 FROM leases WHERE task_id = ?", (task,)) is not None:
        lease = leases_of(session, [task_hash])[task_hash]
        if not is_gone(lease):
            return Claim(holder=lease)
        session.execute("DELETE FROM leases WHERE task_id = ?", (task,))
        session.execute(
            """
            UPDATE runs SET status = 'interrupted', ended_at = ?, error = 'Its process ended without a word.'
            WHERE uuid = ? AND status = 'running'
            """,
            (utc_now(), lease.run_id),
        )
    return Claim(has_newer=any(_is_newer(session, uri, run) for uri, run in expected.items()))


def grant(session: Session, task_hash: str, run: str, owner: str) -> None:
    """Give the lease of a task to a run that begins."""
    task = task_id(session, task_hash)
    now = time.time_ns()
    session.execute(
        "INSERT OR REPLACE INTO leases(task_id, run_id, owner, acquired_ns, beat_ns) VALUES (?, ?, ?, ?, ?)",
        (task, run_id(session, run, task), storable(owner), now, now),
    )


def give_back(session: Session, task: int, run: int) -> None:
    """End the lease of a run that has ended; one that was taken from it stays where it is."""
    session.execute("DELETE FROM leases WHERE task_id = ? AND run_id = ?", (task, run))


def beat(session: Session, owner: str) -> None:
    """Say that the owner of leases is at work."""
    session.execute(
        "UPDATE leases SET beat_ns = ? WHERE owner = ?", (time.time_ns(), storable(owner))
    )


def _is_newer(session: Session, uri: str, expected: str | None) -> bool:
    row = session.row(
        "SELECT r.uuid FROM targets g JOIN runs r ON r.id = g.run_id WHERE g.uri = ?",
        (storable(uri),),
    )
    return row is not None and row[0] != expected and row[0] > (expected or "")
