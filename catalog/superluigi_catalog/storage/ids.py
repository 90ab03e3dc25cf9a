"""What a connection remembers of the ids of rows, so that it need not ask again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

__all__ = ["IdCache", "Ids"]

MAX_REMEMBERED = 200_000
"""Per kind of row; then it starts anew. A build of a million tasks must not keep them all in memory."""


class IdCache(dict[Any, int]):
    """Ids by natural key."""

    def __setitem__(self, key: Any, value: int) -> None:
        if len(self) >= MAX_REMEMBERED:
            self.clear()
        super().__setitem__(key, value)


class Ids:
    """The ids that one connection has met; dropped when one of its transactions is undone."""

    def __init__(self) -> None:
        self.families = IdCache()
        self.modules = IdCache()
        self.params = IdCache()
        self.tasks = IdCache()
        self.targets = IdCache()
        self.contents = IdCache()
        """By (target id, fingerprint)."""
        self.builds = IdCache()
        self.runs = IdCache()
        self.begun = IdCache()
        """Runs that began on this connection and have not ended yet."""
        self.environments = IdCache()
        """By their JSON."""
        self.codes = IdCache()
        """By the digest of their content."""
        self.code: dict[int, tuple[Mapping[str, Any], int]] = {}
        """By `id()` of the mapping, which is kept, so that no other gets the same `id()`."""
        self.environment: dict[int, tuple[Mapping[str, Any], int]] = {}
        """The same of environments."""

    def clear(self) -> None:
        """Forget all."""
        self.__init__()  # type: ignore[misc]
