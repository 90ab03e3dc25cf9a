"""Tasks as a build declares them: parameters, required tasks, outputs."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache

from superluigi_catalog.recording.identify import (
    check_hash,
    family_id,
    module_id,
    param_id,
    target_ids,
    task_ids,
)
from superluigi_catalog.records import TaskEntry
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable, to_json

__all__ = ["MAX_INDEXED_VALUE", "declare_tasks", "record_tasks"]

MAX_INDEXED_VALUE = 200
"""Characters of a parameter's value that the index by parameters holds."""

_MAX_WORDS = 2_000
_CHUNK = 20_000
_CAMEL_HUMP = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


def record_tasks(session: Session, entries: Iterable[TaskEntry]) -> None:
    """Record tasks; those declared just like this before cost one look at all of them together.

    Raises:
        RecordRefused: a hash is not 32 hex digits.
    """
    for chunk in _chunks(entries, _CHUNK):
        for entry in chunk:
            check_hash(session, entry.task_hash)
        digests = {entry.task_hash: _digest(entry) for entry in chunk}
        changed = {
            task_hash
            for (task_hash,) in session.rows(
                """
                SELECT w.key FROM json_each(?) w LEFT JOIN tasks t ON t.hash = w.key
                WHERE t.declared IS NOT w.value
                """,
                (json.dumps(digests),),
            )
        }
        if changed:
            declared = {entry.task_hash: entry for entry in chunk if entry.task_hash in changed}
            declare_tasks(session, list(declared.values()), digests)


def declare_tasks(
    session: Session, entries: Sequence[TaskEntry], digests: dict[str, str] | None = None
) -> None:
    """Write tasks, whatever was known of them.

    Args:
        session: With an open transaction.
        entries: Each task once.
        digests: Of their declarations, by task hash. Without, they come from a sidecar, which knows
            some of the outputs only: those already declared stay, and the next build declares anew.

    Raises:
        RecordRefused: the hash of an upstream task is not 32 hex digits.
    """
    _write_tasks(session, entries, digests)
    hashes = {entry.task_hash for entry in entries}
    hashes.update(upstream for entry in entries for _, upstream in entry.upstream)
    ids = task_ids(session, hashes)
    _write_edges(session, entries, ids)
    _write_params(session, entries, ids)
    if digests is not None:
        session.execute(
            "DELETE FROM task_targets WHERE task_id IN (SELECT value FROM json_each(?))",
            (json.dumps([ids[entry.task_hash] for entry in entries]),),
        )
    _write_targets(session, entries, ids)


def _digest(entry: TaskEntry) -> str:
    """Digest what may differ between two declarations of one task; the rest is in its hash."""
    told = (
        entry.family,
        entry.module,
        entry.upstream,
        entry.outputs,
        sorted(entry.insignificant_params.items()) if entry.insignificant_params else (),
        entry.luigi_task_id,
        entry.is_external,
    )
    return hashlib.blake2b(repr(told).encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


_STAGE = """
CREATE TEMP TABLE IF NOT EXISTS staged_tasks(hash, family_id, module_id, luigi_task_id, params,
  insignificant_params, words, is_external, declared)
"""
_UNSTAGE = "DELETE FROM staged_tasks"
_STAGE_TASK = "INSERT INTO staged_tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"
_WRITE_TASKS = """
INSERT INTO tasks(hash, family_id, module_id, luigi_task_id, params, insignificant_params, words,
  is_external, is_stub, declared)
SELECT hash, family_id, module_id, luigi_task_id, params, insignificant_params, words, is_external, 0,
  declared
FROM staged_tasks WHERE true ORDER BY rowid
ON CONFLICT(hash) DO UPDATE SET family_id = excluded.family_id,
  module_id = excluded.module_id, luigi_task_id = excluded.luigi_task_id,
  params = excluded.params, insignificant_params = excluded.insignificant_params,
  words = excluded.words, is_external = excluded.is_external, is_stub = 0,
  declared = excluded.declared
"""


def _write_tasks(
    session: Session, entries: Sequence[TaskEntry], digests: dict[str, str] | None
) -> None:
    # All in one statement: the search writes what it has to disk before every statement that feeds it.
    session.execute(_STAGE)
    session.execute(_UNSTAGE)
    session.executemany(
        _STAGE_TASK,
        [
            (
                entry.task_hash,
                family_id(session, entry.family),
                module_id(session, entry.module),
                storable(entry.luigi_task_id),
                to_json(dict(entry.params)),
                to_json(dict(entry.insignificant_params)),
                _words(entry),
                int(entry.is_external),
                None if digests is None else digests[entry.task_hash],
            )
            for entry in entries
        ],
    )
    session.execute(_WRITE_TASKS)
    session.execute(_UNSTAGE)


def _write_edges(session: Session, entries: Sequence[TaskEntry], ids: dict[str, int]) -> None:
    # Kind 3 is a required task whose result was not what the current run consumed: still so.
    own = json.dumps([ids[entry.task_hash] for entry in entries])
    replaced = set(session.rows(_REPLACED, (own,)))
    edges = [
        (ids[entry.task_hash], storable(place), ids[upstream])
        for entry in entries
        for place, upstream in entry.upstream
    ]
    session.executemany(
        "INSERT OR IGNORE INTO edges(task_id, place, upstream_id, kind) VALUES (?, ?, ?, 0)",
        [edge for edge in edges if edge not in replaced] if replaced else edges,
    )


_REPLACED = """
SELECT e.task_id, e.place, e.upstream_id FROM json_each(?) w CROSS JOIN edges e ON e.task_id = w.value
WHERE e.kind = 3
"""


def _write_params(session: Session, entries: Sequence[TaskEntry], ids: dict[str, int]) -> None:
    session.executemany(
        "INSERT OR IGNORE INTO task_params(param_id, value, task_id) VALUES (?, ?, ?)",
        [
            (param_id(session, name), storable(value[:MAX_INDEXED_VALUE]), ids[entry.task_hash])
            for entry in entries
            for name, value in entry.params.items()
        ],
    )


def _write_targets(session: Session, entries: Sequence[TaskEntry], ids: dict[str, int]) -> None:
    kinds = {uri: kind for entry in entries for _, uri, kind in entry.outputs}
    targets = target_ids(session, kinds)
    session.executemany(
        "INSERT OR REPLACE INTO task_targets(task_id, place, target_id) VALUES (?, ?, ?)",
        [
            (ids[entry.task_hash], storable(place), targets[uri])
            for entry in entries
            for place, uri, _ in entry.outputs
        ],
    )


def _words(entry: TaskEntry) -> str:
    """Say what the search finds the task by: its family, also by its humps, and its values.

    Names of parameters are left out: every task of the family has them.
    """
    values = (value[:MAX_INDEXED_VALUE] for value in entry.params.values())
    return storable(" ".join((_family_words(entry.family), *values))[:_MAX_WORDS])


@lru_cache(maxsize=256)
def _family_words(family: str) -> str:
    return " ".join((family, *_CAMEL_HUMP.findall(family)))


def _chunks(entries: Iterable[TaskEntry], size: int) -> Iterator[list[TaskEntry]]:
    iterator = iter(entries)
    while chunk := list(itertools.islice(iterator, size)):
        yield chunk
