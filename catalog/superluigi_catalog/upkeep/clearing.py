"""Listing what nobody needs any more, and removing it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

from superluigi_catalog.connected import Connected
from superluigi_catalog.places import Copies, DeadUpload, LocalCopy, Places, Uploads
from superluigi_catalog.storage.values import time_text
from superluigi_catalog.upkeep.orphans import (
    current_tasks,
    orphaned_runs,
    orphaned_targets,
    own_sidecars,
    remove_runs,
    remove_targets,
)
from superluigi_catalog.upkeep.reports import Orphan, Orphans, Report

__all__ = ["orphans", "remove_orphans"]


def orphans(
    store: Connected,
    places_of: Callable[[str], Places],
    copies: Copies | None,
    uploads: Uploads | None,
    keep: Sequence[str],
    *,
    unused_days: float,
    keep_runs: int,
) -> Orphans:
    """List what nobody needs; see `Keeper.orphans`."""
    cutoff = datetime.now(timezone.utc) - timedelta(days=unused_days)
    since = time_text(cutoff)
    with store._reading() as session:
        refs = store._refs(session)
        kept = [refs.task(ref) for ref in keep]
        current = current_tasks(session, kept, since)
        found = [] if current is None else orphaned_targets(session, current, since)
        runs = orphaned_runs(session, keep_runs, since)
    found = [each for each in (_standing(places_of, each) for each in found) if each is not None]
    if copies is not None:
        found += [_of_copy(copy) for copy in copies.unused(int(cutoff.timestamp() * 1e9))]
    if uploads is not None:
        found += [_of_upload(each) for each in uploads.uploads()]
    return Orphans(
        orphans=tuple(found + runs),
        current_tasks=None if current is None else len(current),
        since=since,
        keep=tuple(str(ref) for ref in keep),
        keep_runs=keep_runs,
    )


def remove_orphans(
    store: Connected,
    places_of: Callable[[str], Places],
    copies: Copies | None,
    uploads: Uploads | None,
    found: Orphans,
    report: Report | None,
) -> Orphans:
    """Remove what was listed and is still an orphan; see `Keeper.remove_orphans`."""
    targets = [each for each in found.orphans if each.kind in ("target", "sidecar")]
    still = _still(store, targets, found) if targets else []
    done = remove_targets(store, places_of, still, report)
    done += [
        replace(each, kept_because="It is of use again.")
        for each in targets
        if each.name not in {other.name for other in still}
    ]
    done += [_copy_removed(copies, each) for each in found.orphans if each.kind == "copy"]
    done += [_aborted(uploads, each) for each in found.orphans if each.kind == "upload"]
    runs = [each for each in found.orphans if each.kind == "run"]
    if runs:
        with store._writing() as session:
            remove_runs(session, [each.name for each in runs], found.keep_runs, found.since)
    return replace(found, orphans=tuple(done + runs))


def _standing(places_of: Callable[[str], Places], orphan: Orphan) -> Orphan | None:
    """Leave out the sidecars of missing targets that are missing themselves."""
    if orphan.kind == "target":
        return orphan
    sidecars = own_sidecars(places_of(orphan.name), orphan)
    size = sum(len(data) for _, data in sidecars)
    return replace(orphan, size_bytes=size) if sidecars else None


def _still(store: Connected, targets: Sequence[Orphan], found: Orphans) -> list[Orphan]:
    """Leave out what came into use since it was listed: a build may have begun."""
    with store._reading() as session:
        refs = store._refs(session)
        current = current_tasks(session, [refs.task(ref) for ref in found.keep], found.since)
        if current is None:
            return []
        rows = orphaned_targets(session, current, found.since)
        still = {(each.name, each.run_id) for each in rows}
    return [each for each in targets if (each.name, each.run_id) in still]


def _of_upload(upload: DeadUpload) -> Orphan:
    started = datetime.fromtimestamp(upload.started_ns / 1e9, timezone.utc)
    return Orphan("upload", upload.uri, 0, time_text(started), fingerprint=upload.upload_id)


def _aborted(uploads: Uploads | None, orphan: Orphan) -> Orphan:
    if uploads is None:
        return replace(orphan, kept_because="Nothing here uploads.")
    upload = DeadUpload(orphan.name, orphan.fingerprint, 0)
    return replace(orphan, kept_because=uploads.abort(upload))


def _of_copy(copy: LocalCopy) -> Orphan:
    used = datetime.fromtimestamp(copy.used_ns / 1e9, timezone.utc)
    return Orphan("copy", copy.path, copy.size_bytes, time_text(used))


def _copy_removed(copies: Copies | None, orphan: Orphan) -> Orphan:
    if copies is None:
        return replace(orphan, kept_because="Nothing here keeps copies.")
    used = datetime.strptime(orphan.last_used, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    # Text has microseconds only.
    used_ns = int(used.timestamp() * 1_000_000) * 1000 + 2_000
    copy = LocalCopy(orphan.name, orphan.size_bytes, used_ns)
    return replace(orphan, kept_because=copies.remove_copy(copy))
