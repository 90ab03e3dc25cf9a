"""Many finished runs at once: the same records as one by one, in a few statements for thousands."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from superluigi_catalog.recording.contents import (
    INSERT_INPUT,
    INSERT_OUTPUT,
    POINT_TARGET,
    output_values,
    standing_values,
)
from superluigi_catalog.recording.edges import REQUIRED, replace_edges, wanted_edges
from superluigi_catalog.recording.identify import (
    check_hash,
    content_ids,
    run_ids,
    target_ids,
    task_ids,
)
from superluigi_catalog.recording.known import GOOD_STATUSES
from superluigi_catalog.recording.runs import finish_run, run_values, typical_after
from superluigi_catalog.records import OutputEntry, RunEntry
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import optional, storable

__all__ = ["record_runs"]

_CHUNK = 5_000
_INSERT_RUN = """
INSERT INTO runs(task_id, build_id, code_id, environment_id, status, started_at, ended_at, duration_s,
  origin, owner, log, error_type, error, reason, reasons, metadata, traceback, uuid)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_COMPLETE_STUB = """
UPDATE runs SET task_id = ?, build_id = ?, code_id = ?, environment_id = ?, status = ?, started_at = ?,
  ended_at = ?, duration_s = ?, origin = ?, owner = ?, log = ?, error_type = ?, error = ?, reason = ?,
  reasons = ?, metadata = ?, traceback = ? WHERE uuid = ?
"""
_EDGES = """
SELECT e.task_id, e.place, e.upstream_id, e.kind FROM json_each(?) w
CROSS JOIN edges e ON e.task_id = w.value
"""
_WITH_OUTPUTS = """
SELECT w.value FROM json_each(?) w WHERE EXISTS (SELECT 1 FROM task_targets o WHERE o.task_id = w.value)
"""


def record_runs(session: Session, entries: Iterable[RunEntry]) -> None:
    """Record runs that have ended, in the order in which they did.

    Raises:
        RecordRefused: a hash is not 32 hex digits, or there is no such status.
    """
    iterator = iter(entries)
    while chunk := list(itertools.islice(iterator, _CHUNK)):
        with garbage_kept():
            known = run_ids(session, [entry.run_id for entry in chunk])
            if _is_plain(session, chunk, known):
                _record(session, chunk, known)
                continue
        for entry in chunk:
            finish_run(session, entry)


def _is_plain(session: Session, chunk: Sequence[RunEntry], known: dict[str, int]) -> bool:
    """Whether none of them was recorded before, or is told of by others."""
    if len({entry.run_id for entry in chunk}) < len(chunk):
        return False
    if any(entry.status == "shared" for entry in chunk):
        return False
    if any(each.run_id and not each.task_hash for entry in chunk for each in entry.inputs):
        return False
    rows = session.rows(
        """
        SELECT 1 FROM json_each(?) w CROSS JOIN runs r ON r.id = w.value WHERE r.status IS NOT NULL LIMIT 1
        """,
        (json.dumps(list(known.values())),),
    )
    return not rows


def _record(session: Session, chunk: Sequence[RunEntry], stubs: dict[str, int]) -> None:
    ids = _identify(session, chunk)
    rows = [(*run_values(session, e, ids.tasks[e.task_hash]), storable(e.run_id)) for e in chunk]
    if stubs:
        new = [row for row, entry in zip(rows, chunk, strict=True) if entry.run_id not in stubs]
        again = [row for row, entry in zip(rows, chunk, strict=True) if entry.run_id in stubs]
        session.executemany(_COMPLETE_STUB, again)
        rows = new
    session.executemany(_INSERT_RUN, rows)
    numbers = run_ids(session, [entry.run_id for entry in chunk])
    ids.runs.update(numbers)
    session.executemany(INSERT_INPUT, _input_rows(chunk, ids))
    session.executemany(
        INSERT_OUTPUT,
        [
            output_values(numbers[entry.run_id], output, ids.content_of(output))
            for entry in chunk
            for output in entry.outputs
        ],
    )
    _point(session, chunk, ids)
    good = {ids.tasks[e.task_hash]: e for e in chunk if e.status in GOOD_STATUSES}
    _settle(session, good, ids.tasks)
    _learn(session, chunk, ids.tasks)


@dataclass(slots=True)
class _Ids:
    """The ids of all that some runs refer to; not the session's memory, which forgets when it is full."""

    tasks: dict[str, int]
    targets: dict[str, int]
    contents: dict[tuple[int, str], int]
    runs: dict[str, int]

    def content_of(self, output: OutputEntry) -> int:
        return self.contents[(self.targets[output.uri], output.fingerprint)]


def _identify(session: Session, chunk: Sequence[RunEntry]) -> _Ids:
    """Look up, or make, all that the runs refer to; of the runs themselves only those that others made."""
    hashes = {entry.task_hash for entry in chunk}
    hashes.update(up for entry in chunk for _, up in entry.dynamic_upstream)
    makers: dict[str, str] = {}
    for entry in chunk:
        for source in entry.inputs:
            if source.task_hash is not None:
                hashes.add(source.task_hash)
                if source.run_id is not None:
                    makers[source.run_id] = source.task_hash
    for task_hash in hashes:
        check_hash(session, task_hash)
    tasks = task_ids(session, hashes)
    targets, contents = _seen(session, chunk)
    for entry in chunk:
        makers.pop(entry.run_id, None)
    runs = run_ids(session, makers)
    missing = [uuid for uuid in makers if uuid not in runs]
    if missing:
        session.executemany(
            "INSERT INTO runs(uuid, task_id) VALUES (?, ?)",
            [(storable(uuid), tasks[makers[uuid]]) for uuid in missing],
        )
        runs.update(run_ids(session, missing))
    return _Ids(tasks, targets, contents, runs)


def _seen(
    session: Session, chunk: Sequence[RunEntry]
) -> tuple[dict[str, int], dict[tuple[int, str], int]]:
    """Look up, or make, the targets and contents of some runs."""
    kinds: dict[str, str] = {}
    for entry in chunk:
        for each in entry.inputs:
            kinds[each.uri] = each.kind
        for output in entry.outputs:
            kinds[output.uri] = output.kind
    targets = target_ids(session, kinds)
    sizes: dict[tuple[int, str], tuple[int | None, int | None]] = {}
    for entry in chunk:
        for each in entry.inputs:
            sizes.setdefault((targets[each.uri], each.fingerprint), (each.size_bytes, None))
        for output in entry.outputs:
            key = targets[output.uri], output.fingerprint
            sizes[key] = (output.size_bytes, output.file_count)
    return targets, content_ids(session, sizes)


def _input_rows(chunk: Iterable[RunEntry], ids: _Ids) -> list[tuple[Any, ...]]:
    """The values of `INSERT_INPUT` for all that the runs consumed; millions, so without a call for each."""
    tasks, targets, contents, runs = ids.tasks, ids.targets, ids.contents, ids.runs
    places: dict[str, str] = {}
    rows = []
    for entry in chunk:
        run = runs[entry.run_id]
        for source in entry.inputs:
            place = places.get(source.place)
            if place is None:
                place = places[source.place] = storable(source.place)
            made_by = source.task_hash
            rows.append(
                (
                    run,
                    place,
                    contents[(targets[source.uri], source.fingerprint)],
                    None if made_by is None else tasks[made_by],
                    None if made_by is None or source.run_id is None else runs[source.run_id],
                    optional(source.etag),
                    optional(source.version_id),
                )
            )
    return rows


def _point(session: Session, chunk: Sequence[RunEntry], ids: _Ids) -> None:
    """Say which run is the newest of each task, which one stands for it, and for each target."""
    newest: dict[int, int] = {}
    current: dict[int, int] = {}
    standing: dict[str, tuple[Any, ...]] = {}
    now = time.time_ns()
    for entry in chunk:
        task, run = ids.tasks[entry.task_hash], ids.runs[entry.run_id]
        newest[task] = max(run, newest.get(task, 0))
        if entry.status in GOOD_STATUSES:
            current[task] = run
            for output in entry.outputs:
                target = ids.targets[output.uri]
                content = ids.content_of(output)
                standing[output.uri] = standing_values(output, target, content, run, now)
    session.executemany(
        "UPDATE tasks SET last_run_id = ? WHERE id = ? AND (last_run_id IS NULL OR last_run_id < ?)",
        [(run, task, run) for task, run in newest.items()],
    )
    session.executemany(
        "UPDATE tasks SET current_run_id = ? WHERE id = ?",
        [(run, task) for task, run in current.items()],
    )
    session.executemany(POINT_TARGET, standing.values())


def _settle(session: Session, current: dict[int, RunEntry], tasks: dict[str, int]) -> None:
    """Bring the edges of tasks in line with what their current runs consumed (see `settle_edges`)."""
    present: dict[int, set[tuple[str, int, int]]] = {task: set() for task in current}
    for task, place, above, kind in session.rows(_EDGES, (json.dumps(list(current)),)):
        present[task].add((place, above, kind))
    others = {
        task: entry
        for task, entry in current.items()
        if not _is_as_required(present[task], entry, tasks)
    }
    upstream = {edge[1] for task in others for edge in present[task]}
    with_outputs = {task for (task,) in session.rows(_WITH_OUTPUTS, (json.dumps(list(upstream)),))}
    for task, entry in others.items():
        required = {place: above for place, above, kind in present[task] if kind in (0, 3)}
        wanted = wanted_edges(
            required,
            {storable(place): tasks[above] for place, above in entry.dynamic_upstream},
            [
                (storable(each.place), None if each.task_hash is None else tasks[each.task_hash])
                for each in entry.inputs
            ],
            with_outputs.__contains__,
        )
        if wanted != present[task]:
            replace_edges(session, task, wanted - present[task], present[task] - wanted)


def _is_as_required(
    present: set[tuple[str, int, int]], entry: RunEntry, tasks: dict[str, int]
) -> bool:
    """Whether a run consumed at each place what the required task had made, and nothing else: most do."""
    if entry.dynamic_upstream or len(entry.inputs) != len(present):
        return False
    return present == {
        (each.place, tasks[each.task_hash], REQUIRED)
        for each in entry.inputs
        if each.task_hash is not None
    }


def _learn(session: Session, chunk: Sequence[RunEntry], tasks: dict[str, int]) -> None:
    """Take the durations into what is typical for each family."""
    good = [entry for entry in chunk if entry.status == "succeeded"]
    asked = json.dumps(list({tasks[entry.task_hash] for entry in good}))
    families: dict[int, tuple[int, float | None]] = {
        task: (family, typical)
        for task, family, typical in session.rows(
            """
            SELECT t.id, f.id, f.typical_s FROM json_each(?) w CROSS JOIN tasks t ON t.id = w.value
            CROSS JOIN families f ON f.id = t.family_id
            """,
            (asked,),
        )
    }
    typical: dict[int, float | None] = dict(families.values())
    for entry in good:
        found = families.get(tasks[entry.task_hash])
        if found is not None:
            typical[found[0]] = typical_after(typical[found[0]], entry.duration_s)
    session.executemany(
        "UPDATE families SET typical_s = ? WHERE id = ?",
        [(seconds, family) for family, seconds in typical.items()],
    )
