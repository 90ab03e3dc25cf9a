"""The sidecars that a rebuild has met: what has not changed since is not read again."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from superluigi_catalog.places import FoundSidecar
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable
from superluigi_catalog.upkeep.reports import SidecarProblem

__all__ = ["known_sidecars", "remember_sidecars"]

Known = tuple[str, "str | None", str]
"""Token, problem, text."""


def known_sidecars(session: Session, found: Sequence[FoundSidecar]) -> dict[str, Known]:
    """Look up what is known of sidecars, by their uris in storable form."""
    keys = json.dumps([storable(each.uri) for each in found], ensure_ascii=False)
    rows = session.rows(
        "SELECT s.uri, s.token, s.problem, s.text FROM json_each(?) w "
        "CROSS JOIN sidecars s ON s.uri = w.value",
        (keys,),
    )
    return {uri: (token, problem, text) for uri, token, problem, text in rows}


def remember_sidecars(
    session: Session, read: Iterable[tuple[FoundSidecar, int | None, SidecarProblem | None]]
) -> None:
    """Remember sidecars as they were read, each with its target's id, or with what is wrong with it."""
    session.executemany(
        """
        INSERT INTO sidecars(uri, token, target_id, problem, text) VALUES (?, ?, ?, ?, ?)
        ON CONFLICT(uri) DO UPDATE SET token = excluded.token, target_id = excluded.target_id,
          problem = excluded.problem, text = excluded.text
        """,
        [
            (
                storable(found.uri),
                storable(found.token),
                target,
                None if problem is None else problem.problem,
                "" if problem is None else storable(problem.text),
            )
            for found, target, problem in read
        ],
    )
