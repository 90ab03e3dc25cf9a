"""What nobody needs any more: found from the records alone, removed only where the bytes are those recorded."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace

from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import InvalidSidecar
from superluigi_catalog.places import SIDECAR_SUFFIX, Places
from superluigi_catalog.recording import observe
from superluigi_catalog.records import Observed
from superluigi_catalog.sidecar import parse_sidecar
from superluigi_catalog.storage.session import Session
from superluigi_catalog.upkeep.reports import Orphan, Progress, Report

__all__ = [
    "current_tasks",
    "orphaned_runs",
    "orphaned_targets",
    "own_sidecars",
    "remove_runs",
    "remove_targets",
]

_PORTION = 200


def current_tasks(session: Session, keep: Collection[int], since: str) -> set[int] | None:
    """Identify the tasks that are still of use: what recent builds were asked for, with all upstream of it.

    Args:
        session: With an open transaction.
        keep: Tasks that are of use in any case.
        since: Builds that began then or later count; the newest one that succeeded counts anyhow.

    Returns:
        None where no build is recorded at all, as in a catalog that was rebuilt: then nobody can tell.
    """
    roots = session.rows(
        """
        SELECT DISTINCT t.id FROM builds b, json_each(b.roots) w CROSS JOIN tasks t ON t.hash = w.value
        WHERE b.started_at >= ? OR b.status = 'running'
          OR b.id = (SELECT max(id) FROM builds WHERE status = 'succeeded')
        """,
        (since,),
    )
    if not roots and not keep:
        return None
    rows = session.rows(
        """
        WITH RECURSIVE up(id) AS (
          SELECT value FROM json_each(?)
          UNION SELECT e.upstream_id FROM up CROSS JOIN edges e ON e.task_id = up.id)
        SELECT id FROM up
        """,
        (json.dumps([*keep, *(number for (number,) in roots)]),),
    )
    return {number for (number,) in rows}


def orphaned_targets(session: Session, current: Collection[int], since: str) -> list[Orphan]:
    """List targets that only tasks which are not current made and claim, and that nobody read since then.

    Only what a run of ours made counts: nothing that was adopted, or that others made.
    """
    rows = session.rows(
        """
        SELECT g.uri, g.kind, g.state, m.size_bytes, m.fingerprint, r.uuid, t.hash, f.name,
          max(r.ended_at, coalesce((SELECT max(c.started_at) FROM run_inputs i JOIN runs c ON c.id = i.run_id
            WHERE i.content_id = g.run_content_id), '')) AS used
        FROM targets g JOIN runs r ON r.id = g.run_id JOIN tasks t ON t.id = r.task_id
        JOIN contents m ON m.id = g.run_content_id LEFT JOIN families f ON f.id = t.family_id
        WHERE r.status IN ('succeeded', 'unchanged', 'shared') AND t.is_external = 0
          AND used < ? AND g.uri NOT GLOB g.kind || ?
          AND r.task_id NOT IN (SELECT value FROM json_each(?))
          AND NOT EXISTS (SELECT 1 FROM task_targets o WHERE o.target_id = g.id
            AND o.task_id IN (SELECT value FROM json_each(?)))
          AND NOT EXISTS (SELECT 1 FROM runs n WHERE n.task_id = t.id AND n.status = 'running')
        ORDER BY g.uri
        """,
        (since, f":{'?' * 32}:*", numbers := json.dumps(list(current)), numbers),
    )
    return [
        Orphan(
            kind="sidecar" if state == "missing" else "target",
            name=uri,
            size_bytes=size or 0,
            last_used=used,
            task_hash=task_hash,
            family=family or "",
            run_id=run_id,
            target_kind=kind,
            fingerprint=fingerprint,
        )
        for uri, kind, state, size, fingerprint, run_id, task_hash, family, used in rows
    ]


_RELEASED = """
SELECT r.id, r.uuid, t.hash, f.name, coalesce(r.ended_at, r.started_at, '') FROM (
  SELECT id, task_id, row_number() OVER (PARTITION BY task_id ORDER BY id DESC) AS age FROM runs
) n JOIN runs r ON r.id = n.id JOIN tasks t ON t.id = r.task_id
LEFT JOIN families f ON f.id = t.family_id
WHERE n.age > ? AND coalesce(r.ended_at, r.started_at, '') < ? AND r.status IS NOT NULL
  AND r.status <> 'running' AND r.id IS NOT t.current_run_id AND r.id IS NOT t.last_run_id
  AND r.id NOT IN (SELECT run_id FROM targets WHERE run_id IS NOT NULL)
  AND r.id NOT IN (SELECT source_run_id FROM run_inputs WHERE source_run_id IS NOT NULL)
  AND r.id NOT IN (SELECT run_id FROM leases)
ORDER BY r.id
"""


def orphaned_runs(session: Session, keep_runs: int, since: str) -> list[Orphan]:
    """List the rows of runs that retention releases: not the newest of their task, and nothing stands on them."""
    return [
        Orphan("run", run_id, 0, used, task_hash, family or "", run_id)
        for _, run_id, task_hash, family, used in session.rows(_RELEASED, (keep_runs, since))
    ]


def remove_runs(session: Session, run_ids: Collection[str], keep_runs: int, since: str) -> int:
    """Delete the rows of runs that are still released.

    Returns:
        How many were.
    """
    wanted = set(run_ids)
    released = [row for row in session.rows(_RELEASED, (keep_runs, since)) if row[1] in wanted]
    keys = [(number,) for number, *_ in released]
    session.executemany("DELETE FROM run_inputs WHERE run_id = ?", keys)
    session.executemany("DELETE FROM run_outputs WHERE run_id = ?", keys)
    session.executemany("DELETE FROM exported_runs WHERE run_id = ?", keys)
    session.executemany("DELETE FROM runs WHERE id = ?", keys)
    session.ids.clear()
    return len(keys)


def remove_targets(
    store: Connected,
    places_of: Callable[[str], Places],
    orphans: Sequence[Orphan],
    report: Report | None,
) -> list[Orphan]:
    """Remove targets whose bytes are those recorded, and their sidecars.

    The target goes first: if it dies in between, the sidecar without its target is found the next time.

    Returns:
        All of them, each with why it was kept where it was.
    """
    done: list[Orphan] = []
    for start in range(0, len(orphans), _PORTION):
        portion = orphans[start : start + _PORTION]
        for orphan in portion:
            done.append(_removed(places_of(orphan.name), orphan))
        gone = [each for each in done[-len(portion) :] if not each.kept_because]
        with store._writing() as session:
            observe(session, _missing(gone))
        if report is not None:
            report(Progress(len(done), len(orphans), sum(bool(each.kept_because) for each in done)))
    return done


def _removed(places: Places, orphan: Orphan) -> Orphan:
    if orphan.kind == "target":
        kept = places.remove_target(orphan.name, orphan.target_kind, orphan.fingerprint)
        if kept:
            return replace(orphan, kept_because=kept)
    for uri, _ in own_sidecars(places, orphan):
        kept = places.remove_sidecar(uri)
        if kept:
            return replace(orphan, kept_because=kept)
    return orphan


def own_sidecars(places: Places, orphan: Orphan) -> list[tuple[str, bytes]]:
    """Read the sidecars beside and inside a target that tell of just the content that is let go."""
    stem = orphan.name.rstrip("/")
    uris = (stem + SIDECAR_SUFFIX, f"{stem}/{SIDECAR_SUFFIX}")
    return [
        (uri, data)
        for uri, data in zip(uris, places.read_sidecars(uris), strict=True)
        if isinstance(data, bytes) and _is_of(orphan, data, uri)
    ]


def _is_of(orphan: Orphan, data: bytes, uri: str) -> bool:
    """Whether a sidecar is of just the content that is let go."""
    try:
        document = parse_sidecar(data, path=uri)
    except InvalidSidecar:
        return False
    return bool((document.get("output") or {}).get("fingerprint") == orphan.fingerprint)


def _missing(gone: Iterable[Orphan]) -> list[Observed]:
    return [Observed(each.name, each.target_kind, "missing") for each in gone]
