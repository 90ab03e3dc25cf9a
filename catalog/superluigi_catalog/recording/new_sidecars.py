"""Recording many sidecars of which nothing is known yet: a few statements for all of them together.

A catalog that was lost has nothing else to record. It comes to the same as `index_sidecar` for each, in a
fraction of the time; what is known in part is left to that.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence

from superluigi_catalog.recording.bulk import record_runs
from superluigi_catalog.recording.sidecars import SidecarEntry, run_entry_of, task_entry_of
from superluigi_catalog.recording.tasks import declare_tasks
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["index_new_sidecars"]


def index_new_sidecars(session: Session, entries: Sequence[SidecarEntry]) -> list[SidecarEntry]:
    """Record those of which neither task, nor run, nor target is known, and whose target is as written.

    Returns:
        The others, in their order.
    """
    new = _unknown(session, [each for each in entries if _is_plain(each)])
    if new:
        declare_tasks(session, [task_entry_of(each, has_output=False) for each in new])
        record_runs(session, [run_entry_of(each) for each in new])
    done = {id(each) for each in new}
    return [each for each in entries if id(each) not in done]


def _is_plain(entry: SidecarEntry) -> bool:
    output = entry.document["output"]
    is_as_written = entry.fingerprint in (None, output["fingerprint"])
    return entry.token is not None and is_as_written and not entry.document.get("acceptance")


def _unknown(session: Session, entries: Sequence[SidecarEntry]) -> list[SidecarEntry]:
    hashes = Counter(str(each.document["task_hash"]) for each in entries)
    runs = Counter(storable(each.document["run_id"]) for each in entries)
    uris = Counter(storable(each.uri) for each in entries)
    known = {
        key
        for sql, keys in ((_KNOWN_TASKS, hashes), (_KNOWN_RUNS, runs), (_KNOWN_TARGETS, uris))
        for (key,) in session.rows(sql, (json.dumps(list(keys), ensure_ascii=False),))
    }
    return [
        each
        for each in entries
        if not known.intersection(
            keys := (
                each.document["task_hash"],
                storable(each.document["run_id"]),
                storable(each.uri),
            )
        )
        and (hashes[keys[0]], runs[keys[1]], uris[keys[2]]) == (1, 1, 1)
    ]


_KNOWN_TASKS = """
SELECT t.hash FROM json_each(?) w CROSS JOIN tasks t ON t.hash = w.value
WHERE t.is_stub = 0 OR t.last_run_id IS NOT NULL
"""
_KNOWN_RUNS = """
SELECT r.uuid FROM json_each(?) w CROSS JOIN runs r ON r.uuid = w.value WHERE r.status IS NOT NULL
"""
_KNOWN_TARGETS = """
SELECT g.uri FROM json_each(?) w CROSS JOIN targets g ON g.uri = w.value
WHERE g.run_id IS NOT NULL OR g.token IS NOT NULL
"""
