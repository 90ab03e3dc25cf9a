"""Targets, what was seen at them, and who wrote and read their contents."""

from __future__ import annotations

import hashlib
import json
import os
import re
from pathlib import Path

from superluigi_catalog.reading.order import place_key
from superluigi_catalog.reading.refs import References
from superluigi_catalog.reading.runs import runs_by_id
from superluigi_catalog.results import Run, Target
from superluigi_catalog.storage.session import Row, Session
from superluigi_catalog.storage.values import storable

__all__ = ["makers", "target", "targets_of", "who_read"]

Ref = str | os.PathLike[str]

_COLUMNS = """
g.uri, g.kind, g.state, s.fingerprint, g.size_bytes, g.etag, g.version_id, g.observed_ns, g.error,
  t.hash, r.uuid, m.fingerprint
"""
_JOINS = """
LEFT JOIN contents s ON s.id = g.seen_content_id
LEFT JOIN runs r ON r.id = g.run_id
LEFT JOIN tasks t ON t.id = r.task_id
LEFT JOIN contents m ON m.id = g.run_content_id
"""
_OF_TASK = " ".join(
    (
        "SELECT o.place,",
        _COLUMNS,
        "FROM task_targets o JOIN targets g ON g.id = o.target_id",
        _JOINS,
        "WHERE o.task_id = ?",
    )
)
_BY_ID = " ".join(
    (
        "SELECT coalesce(g.run_place, o.place, ''),",
        _COLUMNS,
        "FROM targets g LEFT JOIN task_targets o ON o.target_id = g.id",
        _JOINS,
        "WHERE g.id = ? LIMIT 1",
    )
)
_DIGEST = re.compile(r"([a-z][a-z0-9-]*):(?!//)(\S{8,})")
_BARE_DIGEST = re.compile(r"[0-9a-fA-F]{64}")
_BY_BYTES = ("sha256:", "tree-sha256:")
"""Fingerprints that are equal wherever the same bytes are; others only speak of their own target."""
_CHUNK_BYTES = 1 << 20
_MADE_NOTHING = frozenset({"unchanged", "accepted", "withdrawn"})


def targets_of(session: Session, task: int) -> tuple[Target, ...]:
    """List what a task declares as outputs, ordered by place."""
    found = [_target(row) for row in session.rows(_OF_TASK, (task,))]
    return tuple(sorted(found, key=lambda each: place_key(each.place)))


def target(session: Session, number: int) -> Target:
    """Load one target."""
    (row,) = session.rows(_BY_ID, (number,))
    return _target(row)


def makers(refs: References, path_or_digest: Ref) -> tuple[Run, ...]:
    """List the runs that made a content."""
    ids = _runs_of(refs.session, "run_outputs", _contents(refs, refs.text(path_or_digest)))
    runs = runs_by_id(refs.session, ids)
    # Those that ran nothing are named only where nobody else is.
    return tuple(run for run in runs if run.status not in _MADE_NOTHING) or runs


def who_read(refs: References, path_or_digest: Ref) -> tuple[Run, ...]:
    """List the runs that consumed a content."""
    session = refs.session
    text = refs.text(path_or_digest)
    number = refs.target(text) if _digest_of(text) is None else None
    if number is None:
        contents = _contents(refs, text)
    else:
        rows = session.rows("SELECT id FROM contents WHERE target_id = ?", (number,))
        contents = [content for (content,) in rows]
    return runs_by_id(session, _runs_of(session, "run_inputs", contents))


def _runs_of(session: Session, table: str, contents: list[int]) -> set[int]:
    sql = {
        "run_outputs": "SELECT o.run_id FROM json_each(?) w CROSS JOIN run_outputs o ON o.content_id = w.value",
        "run_inputs": "SELECT i.run_id FROM json_each(?) w CROSS JOIN run_inputs i ON i.content_id = w.value",
    }[table]
    return {run for (run,) in session.rows(sql, (json.dumps(contents),))}


def _contents(refs: References, path_or_digest: str) -> list[int]:
    """Identify the contents that are meant.

    Of a target: what was last seen there, else what should be there. If no run made that there, and for
    a file that is no target, the same bytes anywhere: a copy has the lineage of what it was copied from.
    """
    digest = _digest_of(path_or_digest)
    if digest is not None:
        return _with_digest(refs.session, digest)
    number = refs.target(path_or_digest)
    if number is None:
        return _with_digest(refs.session, _digest_of_file(refs, path_or_digest))
    content, fingerprint = refs.session.rows(
        """
        SELECT k.id, k.fingerprint FROM targets g
        LEFT JOIN contents k ON k.id = coalesce(g.seen_content_id, g.run_content_id) WHERE g.id = ?
        """,
        (number,),
    )[0]
    if content is None:
        return []
    made = refs.session.row("SELECT 1 FROM run_outputs WHERE content_id = ?", (content,))
    if made is None and fingerprint.startswith(_BY_BYTES):
        return _with_digest(refs.session, fingerprint)
    return [content]


def _digest_of(text: str) -> str | None:
    if _BARE_DIGEST.fullmatch(text):
        return f"sha256:{text.lower()}"
    return text if _DIGEST.fullmatch(text) else None


def _with_digest(session: Session, digest: str) -> list[int]:
    """Identify the contents with a fingerprint, or with one that begins so."""
    low, high = storable(digest), storable(digest) + "\U0010ffff"
    rows = session.rows(
        "SELECT id FROM contents WHERE fingerprint >= ? AND fingerprint < ?", (low, high)
    )
    return [content for (content,) in rows]


def _digest_of_file(refs: References, path: str) -> str:
    file = Path(refs.project.absolute_path(refs.project.stored_path(path)))
    catalog = Path(refs.session.path)
    # Closing another handle on the catalog's own files would drop the locks that SQLite holds.
    if not file.is_file() or file.name.startswith(catalog.name):
        refs.not_found(path)
    digest = hashlib.sha256()
    with file.open("rb") as opened:
        while chunk := opened.read(_CHUNK_BYTES):
            digest.update(chunk)
    return f"sha256:{digest.hexdigest()}"


def _target(row: Row) -> Target:
    place, uri, kind, state, *rest = row
    return Target(uri, kind, place, state, *rest)
