"""`AsOf`: the catalog's questions, answered as on an earlier day."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from superluigi_catalog import reading

if TYPE_CHECKING:
    from superluigi_catalog.connected import Connected
    from superluigi_catalog.lineage import Direction, Lineage
    from superluigi_catalog.results import Revision, Run, Task

__all__ = ["AsOf"]


class AsOf:
    """What the catalog knows of a moment; from `Catalog.as_of`.

    Every task counts by the run that stood for it then. Its status is what the runs up to then say: `fresh`,
    `stale` (an input had been written anew since), `failed` or `unknown`; what was edited by hand or deleted
    meanwhile has left no trace. A path means the task whose content stood there then.
    """

    when: str
    """UTC, ISO 8601."""

    def __init__(self, reader: Connected, when: str) -> None:
        self.when = when
        self._reader = reader

    def __repr__(self) -> str:
        return f"{self._reader!r}.as_of({self.when!r})"

    def task(self, ref: Any) -> Task:
        """Look up one task, with its runs up to then.

        Raises:
            TaskNotFound: nothing answers to the ref, or no run stood for it.
            AmbiguousHash: several tasks do.
        """
        with self._reader._reading() as session:
            number = self._number(session, ref)
            return reading.task_then(session, number, self.when)

    def upstream(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow a task's inputs, as `Catalog.upstream` does.

        Raises:
            TaskNotFound: nothing answers to the ref, or no run stood for it.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        return self._lineage(ref, "upstream", depth)

    def downstream(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow what had been made of a task's results, as `Catalog.downstream` does.

        Raises:
            TaskNotFound: nothing answers to the ref, or no run stood for it.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        return self._lineage(ref, "downstream", depth)

    def lineage(self, ref: Any, depth: int | None = None) -> Lineage:
        """Follow both, as `Catalog.lineage` does.

        Raises:
            TaskNotFound: nothing answers to the ref, or no run stood for it.
            AmbiguousHash: several tasks do.
            ValueError: the depth is negative.
        """
        return self._lineage(ref, "both", depth)

    def who_made(self, path: str | os.PathLike[str]) -> Run | None:
        """Name the run whose content stood at a target; None where none had written there.

        Raises:
            TaskNotFound: no such target is recorded.
        """
        revisions = self.history(path)
        return next((each.run for each in revisions if each.run is not None), None)

    def history(self, path: str | os.PathLike[str]) -> tuple[Revision, ...]:
        """List what a target had held by then, newest first, as `Catalog.history` does.

        Raises:
            TaskNotFound: no such target is recorded.
        """
        with self._reader._reading() as session:
            return reading.history_of(self._reader._refs(session), path, until=self.when)

    def _lineage(self, ref: Any, direction: Direction, depth: int | None) -> Lineage:
        with self._reader._reading() as session:
            number = self._number(session, ref)
            return reading.lineage_then(session, number, direction, depth, self.when)

    def _number(self, session: Any, ref: Any) -> int:
        return self._reader._refs(session).task(ref, when=self.when)
