"""`TaskWithMetadata`: writes its output itself, and adds to its sidecar."""

from __future__ import annotations

from typing import Any, ClassVar

from superluigi.tasks.task import Task

__all__ = ["TaskWithMetadata"]


class TaskWithMetadata(Task):
    """A task that writes its output itself and is handed its sidecar's contents.

    Override `run(self, metadata)`: what it puts into `metadata` stands in the sidecar, at top level.
    """

    offered_arguments: ClassVar[tuple[str, ...]] = ("metadata",)

    def run(self, metadata: dict[str, Any]) -> Any:
        """Do nothing; override it."""
