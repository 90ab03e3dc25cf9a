"""What a catalog holds as a whole: how many tasks are in which state, how busy the last days were."""

from __future__ import annotations

from superluigi_catalog.reading.status import STATUS, WITH_DEAD, dead_runs
from superluigi_catalog.storage.session import Session

__all__ = [
    "families",
    "newest_task",
    "runs_by_day",
    "slowest_families",
    "statuses_between",
]

_BY_STATUS = " ".join(
    (
        WITH_DEAD,
        "SELECT",
        STATUS,
        """, count(*) FROM tasks t LEFT JOIN runs l ON l.id = t.last_run_id
        LEFT JOIN runs c ON c.id = t.current_run_id
        WHERE t.id > ? AND t.id <= ? AND NOT t.is_stub GROUP BY 1
        """,
    )
)


def newest_task(session: Session) -> int:
    """Give the highest id; 0 where there is no task."""
    row = session.row("SELECT max(id) FROM tasks")
    return int(row[0] or 0) if row else 0


def statuses_between(session: Session, low: int, high: int) -> dict[str, int]:
    """Count the tasks of a range of ids by status.

    Args:
        low: Not counted itself.
        high: Counted.
    """
    return dict(session.rows(_BY_STATUS, (dead_runs(session), low, high)))


def families(session: Session) -> dict[str, int]:
    """Count the tasks of each family, by name."""
    return dict(
        session.rows(
            """
            SELECT f.name, n.tasks FROM families f JOIN
              (SELECT family_id, count(*) AS tasks FROM tasks GROUP BY family_id) n ON n.family_id = f.id
            ORDER BY f.name
            """
        )
    )


def runs_by_day(session: Session, since: str) -> dict[tuple[str, str], int]:
    """Count runs by day and status.

    Args:
        since: UTC, ISO 8601.
    """
    rows = session.rows(
        """
        SELECT substr(started_at, 1, 10), status, count(*) FROM runs
        WHERE started_at >= ? AND status IS NOT NULL GROUP BY 1, 2
        """,
        (since,),
    )
    return {(day, status): count for day, status, count in rows}


def slowest_families(session: Session, limit: int) -> list[tuple[str, float]]:
    """List the families whose runs usually take longest, with the seconds."""
    return session.rows(
        "SELECT name, typical_s FROM families WHERE typical_s > 0 ORDER BY typical_s DESC LIMIT ?",
        (limit,),
    )
