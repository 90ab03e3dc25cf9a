"""`WrapperTask`: a name for several tasks."""

from __future__ import annotations

import luigi

from superluigi.graph import PlacedTask, only_wraps, placed_tasks, walk
from superluigi.hashing import asking_upstream, identity_key
from superluigi.tasks.task import Task

__all__ = ["WrapperTask"]


class WrapperTask(Task, luigi.WrapperTask):
    """A task without a result of its own: complete when all that it requires is."""

    def complete(self) -> bool:
        """Whether everything that it requires is complete.

        Wrappers above wrappers are walked, each task is asked once, and nothing recurses.
        """

        def wrapped_by(task: luigi.Task) -> list[PlacedTask]:
            if task is not self and not only_wraps(task):
                return []
            with asking_upstream(task):
                return placed_tasks(task, task.requires(), "requires()")

        nodes = walk([self], upstream_of=wrapped_by, identity=identity_key)
        # A subclass that calls super().complete() asks for what it wraps, not for itself again.
        return all(
            node.task.complete()
            for node in nodes
            if node.task is not self and not only_wraps(node.task)
        )
