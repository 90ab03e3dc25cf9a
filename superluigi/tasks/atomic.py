"""`AtomicTaskWithMetadata`: reads and writes paths that it cannot damage anything through."""

from __future__ import annotations

from typing import Any, ClassVar

from superluigi.tasks.with_metadata import TaskWithMetadata

__all__ = ["AtomicTaskWithMetadata"]


class AtomicTaskWithMetadata(TaskWithMetadata):
    """A task that is handed paths, and whose output appears all at once when `run()` has ended.

    Override `run(self, input_path, output_path, metadata)`, or with fewer of these, by name.
    `input_path` has the shape of `requires()` (and of each upstream's `output()`), `output_path` that of
    `output()`; every leaf is a local path. Where a wrapper is required, the shape of what it wraps stands
    in its place. Inputs are copies (clones where the filesystem can), one for each target; remote ones
    come from the local cache. Outputs are temporary paths with the target's base name, a folder's exists
    and is empty.
    """

    offered_arguments: ClassVar[tuple[str, ...]] = ("input_path", "output_path", "metadata")
    writes_in_place: ClassVar[bool] = False

    def run(self, input_path: Any, output_path: Any, metadata: dict[str, Any]) -> Any:
        """Do nothing; override it."""
