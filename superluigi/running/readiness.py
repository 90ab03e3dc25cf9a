"""Whether something that `run()` yields is ready to be read."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import luigi

from superluigi.hashing import hash_of
from superluigi.planning.force import Force
from superluigi.planning.planner import Planner
from superluigi.project import Project
from superluigi.settings import Settings
from superluigi_catalog import Catalog

__all__ = ["Readiness"]


@dataclass
class Readiness:
    """Answers Luigi's question `complete?` from the plan; asked in the process of the run.

    What the plan does not know is planned on the spot, reading only: the build records it later.
    """

    project: Project
    settings: Settings
    rerun_on: frozenset[str]
    verify: str
    catalog_path: str
    done: Collection[str]
    """Hashes of what this build has made or need not make."""
    pending: Collection[str]
    """Hashes of what it still has to make."""

    def __call__(self, task: luigi.Task) -> bool:
        """Whether `task` needs nothing to be run before it is read."""
        task_hash = hash_of(task)
        if task_hash in self.done:
            return True
        if task_hash in self.pending:
            return False
        with Catalog(self.catalog_path) as catalog:
            planner = Planner(
                self.project,
                _Unrecorded(catalog),  # type: ignore[arg-type]
                self.settings,
                self.rerun_on,
                self.verify,
            )
            return not planner.plan([task], Force()).plan.has_work

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "done": frozenset(self.done), "pending": frozenset(self.pending)}


class _Unrecorded:
    """A catalog that is only read: writing is the parent's business."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    def __getattr__(self, name: str) -> Any:
        return getattr(self._catalog, name)

    def observe(self, rows: object) -> None:
        """Keep nothing."""

    def index_sidecar(self, document: object, **where: object) -> None:
        """Take over nothing."""
