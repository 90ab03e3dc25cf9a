"""Finding the id of a row by its natural key, and making the row where there is none."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from superluigi_catalog.errors import RecordRefused
from superluigi_catalog.storage.ids import IdCache
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = [
    "build_id",
    "check_hash",
    "content_id",
    "content_ids",
    "family_id",
    "module_id",
    "param_id",
    "run_id",
    "run_ids",
    "target_id",
    "target_ids",
    "task_id",
    "task_ids",
]

_HEX_DIGITS = frozenset("0123456789abcdef")


def family_id(session: Session, name: str) -> int:
    """Identify a family."""
    return _named(
        session,
        session.ids.families,
        name,
        "SELECT id FROM families WHERE name = ?",
        "INSERT INTO families(name) VALUES (?)",
    )


def module_id(session: Session, name: str) -> int:
    """Identify a module."""
    return _named(
        session,
        session.ids.modules,
        name,
        "SELECT id FROM modules WHERE name = ?",
        "INSERT INTO modules(name) VALUES (?)",
    )


def param_id(session: Session, name: str) -> int:
    """Identify a parameter's name."""
    return _named(
        session,
        session.ids.params,
        name,
        "SELECT id FROM param_names WHERE name = ?",
        "INSERT INTO param_names(name) VALUES (?)",
    )


def build_id(session: Session, uuid: str) -> int:
    """Identify a build; one that is only mentioned becomes a stub."""
    return _named(
        session,
        session.ids.builds,
        uuid,
        "SELECT id FROM builds WHERE uuid = ?",
        "INSERT INTO builds(uuid) VALUES (?)",
    )


def task_id(session: Session, task_hash: str) -> int:
    """Identify a task; one that is only mentioned becomes a stub.

    Raises:
        RecordRefused: the hash is not 32 hex digits.
    """
    known = session.ids.tasks.get(task_hash)
    if known is not None:
        return known
    check_hash(session, task_hash)
    return _named(
        session,
        session.ids.tasks,
        task_hash,
        "SELECT id FROM tasks WHERE hash = ?",
        "INSERT INTO tasks(hash, is_stub) VALUES (?, 1)",
    )


def run_id(session: Session, uuid: str, task: int) -> int:
    """Identify a run; one that is only mentioned becomes a stub of `task`."""
    known = session.ids.runs.get(uuid)
    if known is not None:
        return known
    key = storable(uuid)
    found = session.row("SELECT id FROM runs WHERE uuid = ?", (key,))
    if found is None:
        found = (session.insert("INSERT INTO runs(uuid, task_id) VALUES (?, ?)", (key, task)),)
    session.ids.runs[uuid] = found[0]
    return int(found[0])


def target_id(session: Session, uri: str, kind: str) -> int:
    """Identify a place."""
    known = session.ids.targets.get(uri)
    if known is not None:
        return known
    key = storable(uri)
    found = session.row("SELECT id FROM targets WHERE uri = ?", (key,))
    if found is None:
        found = (
            session.insert("INSERT INTO targets(uri, kind) VALUES (?, ?)", (key, storable(kind))),
        )
    session.ids.targets[uri] = found[0]
    return int(found[0])


def content_id(
    session: Session,
    target: int,
    fingerprint: str,
    *,
    size_bytes: int | None = None,
    file_count: int | None = None,
) -> int:
    """Identify a content of a place."""
    known = session.ids.contents.get((target, fingerprint))
    if known is not None:
        return known
    key = storable(fingerprint)
    # Mostly it is new.
    found = session.rows(
        """
        INSERT INTO contents(target_id, fingerprint, size_bytes, file_count) VALUES (?, ?, ?, ?)
        ON CONFLICT DO NOTHING RETURNING id
        """,
        (target, key, size_bytes, file_count),
    ) or session.rows(
        "SELECT id FROM contents WHERE fingerprint = ? AND target_id = ?", (key, target)
    )
    number = int(found[0][0])
    session.ids.contents[(target, fingerprint)] = number
    return number


def task_ids(session: Session, hashes: Iterable[str]) -> dict[str, int]:
    """Identify many tasks at once; those only mentioned become stubs.

    Raises:
        RecordRefused: a hash is not 32 hex digits.
    """
    known, unknown = _split(session.ids.tasks, hashes)
    found: dict[str, int] = {}
    _find(session, _FIND_TASKS, unknown, found)
    missing = [task_hash for task_hash in unknown if task_hash not in found]
    if missing:
        for task_hash in missing:
            check_hash(session, task_hash)
        session.executemany(
            "INSERT INTO tasks(hash, is_stub) VALUES (?, 1)", [(each,) for each in missing]
        )
        _find(session, _FIND_TASKS, missing, found)
    for task_hash in unknown:
        known[task_hash] = session.ids.tasks[task_hash] = found[task_hash]
    return known


def target_ids(session: Session, kinds: Mapping[str, str]) -> dict[str, int]:
    """Identify many places at once.

    Args:
        session: With an open transaction.
        kinds: The kind of each, by uri.
    """
    known, unknown = _split(session.ids.targets, kinds)
    # Two uris may have one storable form.
    wanted = {storable(uri): kinds[uri] for uri in unknown}
    found: dict[str, int] = {}
    _find(session, _FIND_TARGETS, list(wanted), found)
    missing = [key for key in wanted if key not in found]
    if missing:
        session.executemany(
            "INSERT INTO targets(uri, kind) VALUES (?, ?)",
            [(key, storable(wanted[key])) for key in missing],
        )
        _find(session, _FIND_TARGETS, missing, found)
    for uri in unknown:
        known[uri] = session.ids.targets[uri] = found[storable(uri)]
    return known


def run_ids(session: Session, uuids: Iterable[str]) -> dict[str, int]:
    """Look up those of many runs that are known."""
    known, unknown = _split(session.ids.runs, uuids)
    wanted = {storable(uuid): uuid for uuid in unknown}
    found: dict[str, int] = {}
    _find(session, _FIND_RUNS, list(wanted), found)
    for key, number in found.items():
        known[wanted[key]] = session.ids.runs[wanted[key]] = number
    return known


def content_ids(
    session: Session, sizes: Mapping[tuple[int, str], tuple[int | None, int | None]]
) -> dict[tuple[int, str], int]:
    """Identify many contents at once, by target id and fingerprint.

    Args:
        session: With an open transaction.
        sizes: Size and number of files of each.
    """
    cache = session.ids.contents
    known = {key: number for key in sizes if (number := cache.get(key)) is not None}
    unknown = {(storable(key[1]), key[0]): key for key in sizes if key not in known}
    if not unknown:
        return known
    found = _find_contents(session, unknown)
    missing = [pair for pair in unknown if pair not in found]
    session.executemany(
        "INSERT INTO contents(fingerprint, target_id, size_bytes, file_count) VALUES (?, ?, ?, ?)",
        [(*pair, *sizes[unknown[pair]]) for pair in missing],
    )
    found.update(_find_contents(session, missing))
    for key in sizes:
        if key not in known:
            known[key] = cache[key] = found[(storable(key[1]), key[0])]
    return known


def _find_contents(
    session: Session, pairs: Iterable[tuple[str, int]]
) -> dict[tuple[str, int], int]:
    # Keys that begin with the target's id: reading a pair of values out of JSON takes three times as long.
    wanted = {f"{target}/{index}": key for index, (key, target) in enumerate(pairs)}
    rows = session.rows(
        """
        SELECT k.fingerprint, k.target_id, k.id FROM json_each(?) w
        CROSS JOIN contents k ON k.fingerprint = w.value AND k.target_id = CAST(w.key AS INTEGER)
        """,
        (json.dumps(wanted, ensure_ascii=False),),
    )
    return {(fingerprint, target): number for fingerprint, target, number in rows}


def check_hash(session: Session, task_hash: str) -> None:
    """Refuse what is no task hash.

    Raises:
        RecordRefused: it is not 32 hex digits.
    """
    if len(task_hash) != 32 or not _HEX_DIGITS.issuperset(task_hash):
        message = f"{task_hash!r} is no task hash: 32 lowercase hex digits were expected."
        raise RecordRefused(message, path=session.path)


def _named(session: Session, cache: IdCache, name: str, find: str, make: str) -> int:
    known = cache.get(name)
    if known is not None:
        return known
    key = storable(name)
    found = session.row(find, (key,))
    if found is None:
        found = (session.insert(make, (key,)),)
    cache[name] = found[0]
    return int(found[0])


def _split(cache: IdCache, keys: Iterable[str]) -> tuple[dict[str, int], list[str]]:
    known: dict[str, int] = {}
    unknown: dict[str, None] = {}
    for key in keys:
        number = cache.get(key)
        if number is None:
            unknown[key] = None
        else:
            known[key] = number
    return known, list(unknown)


_FIND_TASKS = "SELECT t.hash, t.id FROM json_each(?) w CROSS JOIN tasks t ON t.hash = w.value"
_FIND_RUNS = "SELECT r.uuid, r.id FROM json_each(?) w CROSS JOIN runs r ON r.uuid = w.value"
_FIND_TARGETS = "SELECT g.uri, g.id FROM json_each(?) w CROSS JOIN targets g ON g.uri = w.value"


def _find(session: Session, sql: str, keys: list[str], found: dict[str, int]) -> None:
    """Look ids up, all in one statement."""
    if keys:
        found.update(session.rows(sql, (json.dumps(keys),)))
