"""Who runs tasks just now."""

from __future__ import annotations

import json
from collections.abc import Collection

from superluigi_catalog.records import Lease
from superluigi_catalog.storage.session import Session

__all__ = ["leases_of"]


def leases_of(session: Session, task_hashes: Collection[str]) -> dict[str, Lease]:
    """Look up the leases of tasks."""
    rows = session.rows(
        """
        SELECT t.hash, r.uuid, coalesce(b.uuid, ''), coalesce(b.directory, ''), l.owner, l.acquired_ns,
          l.beat_ns
        FROM json_each(?) w
        CROSS JOIN tasks t ON t.hash = w.value
        CROSS JOIN leases l ON l.task_id = t.id
        CROSS JOIN runs r ON r.id = l.run_id
        LEFT JOIN builds b ON b.id = r.build_id
        """,
        (json.dumps(list(task_hashes)),),
    )
    return {row[0]: Lease(*row) for row in rows}
