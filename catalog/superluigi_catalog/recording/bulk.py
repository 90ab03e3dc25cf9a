"""Many finished runs at once: the same records as one by one, in a few statements for thousands."""

from __future__ import annotations

import itertools
import json
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from superluigi_catalog.recording.contents import (
    INSERT_INPUT,
    INSERT_OUTPUT,
    POINT_TARGET,
    input_values,
    output_values,
    standing_values,
)
from superluigi_catalog.recording.edges import replace_edges, wanted_edges
from superluigi_catalog.recording.identify import (
    check_hash,
    content_ids,
    run_ids,
    target_ids,
    task_ids,
)
from superluigi_catalog.recording.known import GOOD_STATUSES
from superluigi_catalog.recording.runs import finish_run, run_values, typical_after
from superluigi_catalog.records import RunEntry
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

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
    # Not from the session's memory of ids, which forgets when it is full.
    tasks = _identify(session, chunk)
    rows = [(*run_values(session, e, tasks[e.task_hash]), storable(e.run_id)) for e in chunk]
    new = [row for row, entry in zip(rows, chunk, strict=True) if entry.run_id not in stubs]
    session.executemany(_INSERT_RUN, new)
    if stubs:
        again = [row for row, entry in zip(rows, chunk, strict=True) if entry.run_id in stubs]
        session.executemany(_COMPLETE_STUB, again)
    numbers = run_ids(session, [entry.run_id for entry in chunk])
    session.executemany(
        INSERT_INPUT,
        (
            input_values(session, numbers[entry.run_id], source)
            for entry in chunk
            for source in entry.inputs
        ),
    )
    session.executemany(
        INSERT_OUTPUT,
        (
            output_values(session, numbers[entry.run_id], output)
            for entry in chunk
            for output in entry.outputs
        ),
    )
    _point(session, chunk, tasks, numbers)
    _settle(session, {tasks[e.task_hash]: e for e in chunk if e.status in GOOD_STATUSES}, tasks)
    _learn(session, chunk, tasks)


def _identify(session: Session, chunk: Sequence[RunEntry]) -> dict[str, int]:
    """Look up, or make, all that the runs refer to; afterwards the session knows most ids.

    Returns:
        The ids of the tasks.
    """
    hashes = {entry.task_hash for entry in chunk}
    sources: dict[str, str] = {}
    for entry in chunk:
        for source in entry.inputs:
            if source.task_hash is not None:
                hashes.add(source.task_hash)
                if source.run_id is not None:
                    sources[source.run_id] = source.task_hash
        hashes.update(upstream for _, upstream in entry.dynamic_upstream)
    for task_hash in hashes:
        check_hash(session, task_hash)
    tasks = task_ids(session, hashes)
    targets = target_ids(session, {each.uri: each.kind for each in _seen(chunk)})
    content_ids(
        session,
        {
            (targets[each.uri], each.fingerprint): (
                each.size_bytes,
                getattr(each, "file_count", None),
            )
            for each in _seen(chunk)
        },
    )
    own = {entry.run_id for entry in chunk}
    others = [uuid for uuid in sources if uuid not in own]
    known = run_ids(session, others)
    missing = [uuid for uuid in others if uuid not in known]
    session.executemany(
        "INSERT INTO runs(uuid, task_id) VALUES (?, ?)",
        [(storable(uuid), tasks[sources[uuid]]) for uuid in missing],
    )
    run_ids(session, missing)
    return tasks


def _seen(chunk: Iterable[RunEntry]) -> Iterator[Any]:
    for entry in chunk:
        yield from entry.inputs
        yield from entry.outputs


def _point(
    session: Session, chunk: Sequence[RunEntry], tasks: dict[str, int], numbers: dict[str, int]
) -> None:
    """Say which run is the newest of each task, which one stands for it, and for each target."""
    newest: dict[int, int] = {}
    current: dict[int, int] = {}
    standing: dict[str, tuple[Any, ...]] = {}
    now = time.time_ns()
    for entry in chunk:
        task, run = tasks[entry.task_hash], numbers[entry.run_id]
        newest[task] = max(run, newest.get(task, 0))
        if entry.status in GOOD_STATUSES:
            current[task] = run
            for output in entry.outputs:
                standing[output.uri] = standing_values(session, output, run, now)
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
    for task, *edge in session.rows(_EDGES, (json.dumps(list(current)),)):
        present[task].add((edge[0], edge[1], edge[2]))
    upstream = {edge[1] for edges in present.values() for edge in edges}
    with_outputs = {task for (task,) in session.rows(_WITH_OUTPUTS, (json.dumps(list(upstream)),))}
    for task, entry in current.items():
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
