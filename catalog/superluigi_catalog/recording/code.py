"""What a run was executed with: its code and its environment, each distinct one stored once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from superluigi_catalog.records import JsonObject
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable, to_json

__all__ = ["code_id", "environment_id"]

_MAX_OBJECTS = 1_000


def code_id(session: Session, code: JsonObject | None) -> int | None:
    """Identify a code by its fingerprint and parts; the parts' sources go where each is kept once.

    Args:
        session: With an open transaction.
        code: fingerprint, parts (name, file, line, fingerprint, perhaps source), not_followed.
    """
    if not code:
        return None
    known = session.ids.code.get(id(code))
    if known is not None:
        return known[1]
    parts = [dict(part) for part in code.get("parts", ())]
    sources = {
        str(part["fingerprint"]): str(source)
        for part in parts
        if (source := part.pop("source", None)) is not None
    }
    content = to_json({**code, "parts": parts})
    number = _stored_code(session, code.get("fingerprint"), content)
    session.executemany(
        "INSERT INTO code_sources(fingerprint, source) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(storable(fingerprint), storable(source)) for fingerprint, source in sources.items()],
    )
    _remember(session.ids.code, code, number)
    return number


def environment_id(session: Session, environment: JsonObject) -> int | None:
    """Identify an environment by all that it says."""
    if not environment:
        return None
    same = session.ids.environment.get(id(environment))
    if same is not None:
        return same[1]
    content = to_json(dict(environment))
    known = session.ids.environments.get(content)
    if known is not None:
        _remember(session.ids.environment, environment, known)
        return known
    digest = _digest(content)
    found = session.row("SELECT id FROM environments WHERE digest = ?", (digest,))
    if found is None:
        found = (
            session.insert(
                "INSERT INTO environments(digest, content) VALUES (?, ?)", (digest, content)
            ),
        )
    session.ids.environments[content] = found[0]
    return int(found[0])


def _stored_code(session: Session, fingerprint: Any, content: str) -> int:
    digest = _digest(content)
    known = session.ids.codes.get(digest)
    if known is not None:
        return known
    found = session.row("SELECT id FROM code WHERE digest = ?", (digest,))
    if found is None:
        text = None if fingerprint is None else storable(str(fingerprint))
        found = (
            session.insert(
                "INSERT INTO code(digest, fingerprint, content) VALUES (?, ?, ?)",
                (digest, text, content),
            ),
        )
    session.ids.codes[digest] = found[0]
    return int(found[0])


def _remember(
    known: dict[int, tuple[Mapping[str, Any], int]], thing: Mapping[str, Any], number: int
) -> None:
    if len(known) >= _MAX_OBJECTS:
        known.clear()
    known[id(thing)] = (thing, number)


def _digest(content: str) -> str:
    return hashlib.blake2b(content.encode("utf-8"), digest_size=16).hexdigest()
