"""`--force-upstream-to X`: which tasks of the graph X means."""

from __future__ import annotations

import re
from collections.abc import Sequence

import luigi

from superluigi.cli.errors import NotFound, task_code
from superluigi.cli.task_reference import nearest
from superluigi.graph import walk
from superluigi.hashing import hash_walked, identity_key, lineage_upstream

__all__ = ["forced_tasks"]

_HASH_PREFIX = re.compile("[0-9a-f]{4,32}")


def forced_tasks(root: luigi.Task, names: Sequence[str]) -> list[luigi.Task]:
    """The tasks above `root` that any of `names` means, upstream first.

    Args:
        names: Each a family, the name of a class or of a base class, `MODULE.Class`, or the beginning
            of a task hash (at least 4 digits).

    Raises:
        NotFound: a name that fits no task of the graph.
    """
    with task_code(f"Asking {root.get_task_family()} what it requires"):
        nodes = walk([root], upstream_of=lineage_upstream, identity=identity_key)
        hashes = hash_walked(nodes)
    tasks = [node.task for node in nodes]
    chosen: set[int] = set()
    for name in names:
        fitting = {
            index
            for index, (task, task_hash) in enumerate(zip(tasks, hashes, strict=True))
            if _fits(task, task_hash, name)
        }
        if not fitting:
            known = {task.get_task_family() for task in tasks}
            message = (
                f"--force-upstream-to: no task of this graph is {name!r}. {nearest(name, known)}"
            )
            raise NotFound(message)
        chosen |= fitting
    return [tasks[index] for index in sorted(chosen)]


def _fits(task: luigi.Task, task_hash: str, name: str) -> bool:
    if name == task.get_task_family():
        return True
    if _HASH_PREFIX.fullmatch(name) and task_hash.startswith(name):
        return True
    return any(
        name in (cls.__name__, f"{cls.__module__}.{cls.__name__}")
        for cls in type(task).__mro__
        if issubclass(cls, luigi.Task) and cls is not luigi.Task
    )
