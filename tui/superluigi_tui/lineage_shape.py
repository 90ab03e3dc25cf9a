"""What of a lineage is shown: without what is folded or hidden, and with tasks of one family together."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from superluigi_catalog import Lineage, Task
from superluigi_catalog.drawing.layers import layers_of

__all__ = ["LineageShape", "Shown", "ShownGraph", "counted"]

_WORST_FIRST = ("failed", "running", "stale", "missing", "unknown", "fresh")


@dataclass(frozen=True)
class Shown:
    """What stands in one place: a task, or several of one family."""

    key: str
    """The task's hash; of several, a name that no task has."""
    tasks: tuple[Task, ...]

    @property
    def task(self) -> Task | None:
        """The task, where it is one."""
        return self.tasks[0] if len(self.tasks) == 1 else None

    @property
    def family(self) -> str:
        """Of all of them."""
        return self.tasks[0].family

    @property
    def status(self) -> str:
        """The worst of them."""
        found = {task.status for task in self.tasks}
        return next((each for each in _WORST_FIRST if each in found), "unknown")


@dataclass(frozen=True)
class ShownGraph:
    """All that is shown, and how it hangs together."""

    root: str
    nodes: Mapping[str, Shown]
    below: Mapping[str, Sequence[str]]
    """What hangs from each, by keys."""

    @property
    def task_count(self) -> int:
        """How many tasks are shown."""
        return sum(len(node.tasks) for node in self.nodes.values())


@dataclass
class LineageShape:
    """A lineage, and how the user wants to see it."""

    lineage: Lineage
    folded: set[str] = field(default_factory=set)
    """Keys from which nothing is shown to hang."""
    hides_fresh: bool = False
    collapses: bool = False
    """Whether tasks of one family that are as far from the beginning are shown together."""
    opened: set[str] = field(default_factory=set)
    """Keys of such tasks that are shown one by one all the same."""

    def graph(self) -> ShownGraph:
        """Give what is to be drawn."""
        tasks = {task.task_hash: task for task in (self.lineage.root, *self.lineage.tasks)}
        below = self._below()
        keys = self._keys(tasks, below)
        joined: dict[str, dict[str, None]] = {}
        for near, fars in below.items():
            joined.setdefault(keys[near], {}).update(dict.fromkeys(keys[far] for far in fars))
        root = self.lineage.root.task_hash
        reached = _reached(root, joined, self.folded)
        members: dict[str, list[Task]] = {}
        for task_hash, task in tasks.items():
            if (key := keys[task_hash]) in reached:
                members.setdefault(key, []).append(task)
        return ShownGraph(
            root,
            {key: Shown(key, tuple(found)) for key, found in members.items()},
            {key: list(joined.get(key, ())) if key not in self.folded else [] for key in members},
        )

    def _below(self) -> dict[str, list[str]]:
        """What hangs from each task, without what is hidden."""
        hanging: dict[str, dict[str, None]] = {}
        for edge in self.lineage.edges:
            near, far = edge.task_hash, edge.upstream_hash
            if self.lineage.direction == "downstream":
                near, far = far, near
            hanging.setdefault(near, {})[far] = None
        if not self.hides_fresh:
            return {near: list(fars) for near, fars in hanging.items()}
        kept = self._worth_showing(hanging)
        return {near: [f for f in fars if f in kept] for near, fars in hanging.items()}

    def _worth_showing(self, hanging: Mapping[str, Collection[str]]) -> set[str]:
        """Tasks that are not fresh, and all on the way to them."""
        above: dict[str, list[str]] = {}
        for near, fars in hanging.items():
            for far in fars:
                above.setdefault(far, []).append(near)
        pending = [task.task_hash for task in self.lineage if task.status != "fresh"]
        kept = set(pending)
        while pending:
            for near in above.get(pending.pop(), ()):
                if near not in kept:
                    kept.add(near)
                    pending.append(near)
        return kept

    def _keys(
        self, tasks: Mapping[str, Task], below: Mapping[str, Collection[str]]
    ) -> dict[str, str]:
        """Under which key each task is shown.

        Only tasks of one layer come together: what is so joined has no cycle.
        """
        if not self.collapses:
            return {task_hash: task_hash for task_hash in tasks}
        edges = [(near, far) for near, fars in below.items() for far in fars]
        layers = layers_of(list(tasks), edges)
        together: dict[str, list[str]] = {}
        for task_hash, task in tasks.items():
            together.setdefault(f"{task.family} at {layers[task_hash]}", []).append(task_hash)
        return {
            task_hash: key if len(members) > 1 and key not in self.opened else task_hash
            for key, members in together.items()
            for task_hash in members
        }


def _reached(root: str, below: Mapping[str, Collection[str]], folded: Collection[str]) -> set[str]:
    reached = {root}
    pending = [root]
    while pending:
        near = pending.pop()
        for far in () if near in folded else below.get(near, ()):
            if far not in reached:
                reached.add(far)
                pending.append(far)
    return reached


def counted(tasks: Collection[Task]) -> dict[str, int]:
    """How many of them are in which state, the worst first."""
    counts = dict.fromkeys(_WORST_FIRST, 0)
    for task in tasks:
        counts[task.status] = counts.get(task.status, 0) + 1
    return {status: count for status, count in counts.items() if count}
