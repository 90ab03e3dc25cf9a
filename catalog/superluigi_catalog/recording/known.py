"""What is recorded of a run before it is written again."""

from __future__ import annotations

from dataclasses import dataclass

from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable

__all__ = ["GOOD_STATUSES", "KnownRun", "known_run"]

GOOD_STATUSES = frozenset({"succeeded", "unchanged", "adopted", "shared", "accepted"})
"""With these a run stands for the content of its targets."""

_FINAL_STATUSES = GOOD_STATUSES | {"failed"}


@dataclass(frozen=True, slots=True)
class KnownRun:
    """What the catalog has of a run before it is written again."""

    id: int
    task: int
    status: str | None
    origin: str

    @property
    def is_final(self) -> bool:
        """Whether it has ended, as its own process said."""
        return self.status in _FINAL_STATUSES


def known_run(session: Session, uuid: str) -> KnownRun | None:
    """Look a run up; None when nothing mentions it."""
    found = session.row(
        "SELECT id, task_id, status, origin FROM runs WHERE uuid = ?", (storable(uuid),)
    )
    return None if found is None else KnownRun(*found)
