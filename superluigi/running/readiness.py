"""Whether something that `run()` yields is ready to be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import luigi

from superluigi.graph import is_external, only_wraps, see_through
from superluigi.hashing import hash_of
from superluigi.planning.force import Force
from superluigi.planning.planner import Planner
from superluigi.project import Project
from superluigi.settings import Settings
from superluigi_catalog import Catalog

__all__ = ["Change", "Readiness"]

Change = tuple[str, bool, bool]
"""A task's hash, whether it is done now, whether it is still to be made."""


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
    forces_all: bool
    """What is asked for is forced too."""
    done: set[str]
    """Hashes of what this build has made, or what stands and need not be made."""
    pending: set[str]
    """Hashes of what it still has to make."""
    changes: list[str] = field(default_factory=list)
    """Hashes that were put into one of the two, or taken out, in that order."""

    def __call__(self, task: luigi.Task) -> bool:
        """Whether `task` needs nothing to be run before it is read."""
        leaves = [leaf for _, leaf in see_through([("", task)]) if not only_wraps(leaf)]
        return all(self._is_ready(leaf) for leaf in leaves)

    def _is_ready(self, task: luigi.Task) -> bool:
        task_hash = hash_of(task)
        if task_hash in self.done:
            return True
        if task_hash in self.pending or (self.forces_all and not is_external(task)):
            return False
        with Catalog(self.catalog_path) as catalog:
            planner = Planner(
                self.project,
                _Unrecorded(catalog),  # type: ignore[arg-type]
                self.settings,
                self.rerun_on,
                self.verify,
            )
            planning = planner.plan([task], Force())
        return not planning.plan.has_work and not any(
            known in self.pending for known in planning.verdicts
        )

    @property
    def version(self) -> int:
        """How often something has changed."""
        return len(self.changes)

    def since(self, version: int) -> list[Change]:
        """What has changed since a version."""
        changed = dict.fromkeys(self.changes[version:])
        return [(name, name in self.done, name in self.pending) for name in changed]

    def take(self, news: Sequence[Change]) -> None:
        """Take over what has changed, in a process that was forked or spawned before it did."""
        for name, is_done, is_pending in news:
            (self.done.add if is_done else self.done.discard)(name)
            (self.pending.add if is_pending else self.pending.discard)(name)

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "changes": []}


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
