"""Which runs stand for the content of their targets, in SQL."""

from __future__ import annotations

from superluigi_catalog.recording.known import GOOD_STATUSES

__all__ = ["with_standing"]

_STANDING = ", ".join(f"'{status}'" for status in sorted(GOOD_STATUSES))


def with_standing(sql: str) -> str:
    """Put the statuses of these runs where `STANDING` stands.

    Example:
        >>> with_standing("r.status IN STANDING")
        "r.status IN ('accepted', 'adopted', 'shared', 'succeeded', 'unchanged')"
    """
    return sql.replace("STANDING", f"({_STANDING})")
