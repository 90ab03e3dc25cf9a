"""`WrapperTask`: a name for several tasks."""

from __future__ import annotations

import luigi
from luigi.task import flatten

from superluigi.graph import declared_upstream, walk
from superluigi.hashing import asking_upstream, identity_key
from superluigi.tasks.task import Task

__all__ = ["WrapperTask"]


class WrapperTask(Task, luigi.WrapperTask):
    """A task without a result of its own: complete when all that it requires is."""

    def complete(self) -> bool:
        """Whether everything that it requires is complete.

        Wrappers above wrappers are walked, each task is asked once, and nothing recurses.
        """

        def wrapped_by(task: object) -> list[object]:
            with asking_upstream(task):  # type: ignore[arg-type]
                return declared_upstream(task) if _is_plain_wrapper(task) else []  # type: ignore[arg-type,return-value]

        nodes = walk([self], upstream_of=wrapped_by, identity=identity_key)  # type: ignore[arg-type]
        return all(node.task.complete() for node in nodes if not _is_plain_wrapper(node.task))


def _is_plain_wrapper(task: object) -> bool:
    """A wrapper whose completeness is only that of what it wraps."""
    return (
        isinstance(task, WrapperTask)
        and type(task).complete is WrapperTask.complete
        and not flatten(task.output())
    )
