"""Runs and builds whose process ended without a word."""

from __future__ import annotations

from collections.abc import Callable

from superluigi_catalog.results import Interrupted
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import utc_now

__all__ = ["mark_interrupted"]


def mark_interrupted(session: Session, alive: Callable[[str], bool]) -> Interrupted:
    """Give what is `running` under a dead owner the status `interrupted`."""
    runs = session.rows("SELECT id, uuid, owner FROM runs WHERE status = 'running'")
    builds = session.rows("SELECT id, uuid, owner FROM builds WHERE status = 'running'")
    is_alive = {owner: alive(owner) for owner in {owner for *_, owner in (*runs, *builds)}}
    dead_runs = [(number, uuid) for number, uuid, owner in runs if not is_alive[owner]]
    dead_builds = [(number, uuid) for number, uuid, owner in builds if not is_alive[owner]]
    now = utc_now()
    session.executemany(
        """
        UPDATE runs SET status = 'interrupted', ended_at = ?, error = 'Its process ended without a word.'
        WHERE id = ? AND status = 'running'
        """,
        [(now, number) for number, _ in dead_runs],
    )
    session.executemany(
        "DELETE FROM leases WHERE run_id = ?", [(number,) for number, _ in dead_runs]
    )
    session.executemany(
        "UPDATE builds SET status = 'interrupted', ended_at = ? WHERE id = ? AND status = 'running'",
        [(now, number) for number, _ in dead_builds],
    )
    return Interrupted(
        run_ids=tuple(uuid for _, uuid in dead_runs),
        build_ids=tuple(uuid for _, uuid in dead_builds),
    )
