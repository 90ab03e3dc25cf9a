"""What planning asks about tasks beside their targets: how long they take, what they will yield."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping

from superluigi_catalog.reading.order import place_key
from superluigi_catalog.records import YieldedTask
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import from_json, storable

__all__ = ["durations", "dynamic_upstream", "last_start_before"]


def last_start_before(session: Session, when: str) -> str | None:
    """Say when the last run before a moment began."""
    ((found,),) = session.rows("SELECT max(started_at) FROM runs WHERE started_at < ?", (when,))
    return found  # type: ignore[no-any-return]


def durations(session: Session, families: Mapping[str, str]) -> dict[str, float]:
    """Estimate how long tasks take: as their last run that succeeded, else as is usual in the family."""
    own: dict[str, float | None] = dict(
        session.rows(
            """
            SELECT t.hash, (SELECT r.duration_s FROM runs r
              WHERE r.task_id = t.id AND r.status = 'succeeded' ORDER BY r.id DESC LIMIT 1)
            FROM json_each(?) w CROSS JOIN tasks t ON t.hash = w.value
            """,
            (json.dumps(list(families)),),
        )
    )
    usual: dict[str, float | None] = dict(
        session.rows(
            "SELECT f.name, f.typical_s FROM json_each(?) w CROSS JOIN families f ON f.name = w.value",
            (json.dumps([storable(family) for family in set(families.values())]),),
        )
    )
    found: dict[str, float] = {}
    for task_hash, family in families.items():
        estimate = own.get(task_hash)
        if estimate is None:
            estimate = usual.get(storable(family))
        if estimate is not None:
            found[task_hash] = estimate
    return found


def dynamic_upstream(
    session: Session, task_hashes: Collection[str]
) -> dict[str, tuple[YieldedTask, ...]]:
    """Look up what the current runs of tasks yielded."""
    yielded: dict[str, list[YieldedTask]] = {}
    for task_hash, *row in session.rows(
        """
        SELECT t.hash, e.place, u.hash, coalesce(f.name, ''), coalesce(m.name, ''), u.params,
          u.insignificant_params
        FROM json_each(?) w
        CROSS JOIN tasks t ON t.hash = w.value
        CROSS JOIN edges e ON e.task_id = t.id AND e.kind = 1
        CROSS JOIN tasks u ON u.id = e.upstream_id
        LEFT JOIN families f ON f.id = u.family_id LEFT JOIN modules m ON m.id = u.module_id
        """,
        (json.dumps(list(task_hashes)),),
    ):
        place, upstream, family, module, params, others = row
        yielded.setdefault(task_hash, []).append(
            YieldedTask(place, upstream, family, module, from_json(params), from_json(others))
        )
    return {
        task_hash: tuple(sorted(rows, key=lambda row: place_key(row.place)))
        for task_hash, rows in yielded.items()
    }
