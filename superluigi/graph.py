"""The graph of tasks above some roots: one walk, `requires()` once per task, no recursion.

Identity, planning, forcing and lineage all use this walk. A *place* says where an upstream task stands
in `requires()`: `""` for a single one, `"features"`, `"0"`, `"features.0"`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

import luigi
from luigi.worker import _is_external

from superluigi.errors import HashError

__all__ = [
    "MAX_TASKS",
    "Node",
    "PlacedTask",
    "declared_upstream",
    "is_external",
    "iter_places",
    "join_places",
    "only_wraps",
    "place_text",
    "placed_tasks",
    "read_tasks",
    "see_through",
    "task_text",
    "walk",
]

MAX_TASKS = 250_000
"""A graph with more tasks counts as one without end."""

PlacePath = tuple[tuple[str, str], ...]
"""Steps of a place: ("k", key) into a dict, ("r", repr of a key that is no text), ("i", index) into a
sequence, ("x", index) beside requires()."""


@dataclass(frozen=True, slots=True)
class PlacedTask:
    """An upstream task and where it stands."""

    place: PlacePath
    task: luigi.Task


@dataclass(slots=True, eq=False)
class Node:
    """One task of a graph."""

    task: luigi.Task
    upstream: list[tuple[PlacePath, Node]] = field(default_factory=list)
    """In the order of `requires()`."""

    def __repr__(self) -> str:
        return f"Node({self.task})"


def is_external(task: luigi.Task) -> bool:
    """Whether Luigi never runs it: no `run`."""
    return bool(_is_external(task))


def task_text(task: luigi.Task) -> str:
    """A task as Luigi shows it, `Family(name=value)`, but without PRIVATE parameters."""
    params = task.to_str_params(only_significant=True)
    shown = ", ".join(f"{name}={text}" for name, text in params.items())
    return f"{task.get_task_family()}({shown})"


def only_wraps(task: luigi.Task) -> bool:
    """Whether a task is a wrapper and nothing else: no output, no `run()`, no `complete()` of its own."""
    cls = type(task)
    return (
        isinstance(task, luigi.WrapperTask)
        and cls.run is luigi.Task.run
        and getattr(cls.complete, "__qualname__", "") == "WrapperTask.complete"
        and not task.output()
    )


def read_tasks(task: luigi.Task) -> list[tuple[str, luigi.Task]]:
    """The tasks whose outputs a task reads, with places; wrappers are seen through."""
    return see_through([(place_text(row.place), row.task) for row in declared_upstream(task)])


def see_through(placed: list[tuple[str, luigi.Task]]) -> list[tuple[str, luigi.Task]]:
    """The same tasks, each wrapper followed by what it wraps.

    A wrapper that stands at several places is seen through at the first: wrappers of wrappers would
    multiply what they wrap with every layer.
    """
    rows = []
    seen: set[luigi.Task] = set()
    pending = placed[::-1]
    while pending:
        place, upstream = pending.pop()
        if only_wraps(upstream):
            if upstream in seen:
                continue
            seen.add(upstream)
            pending.extend(
                (join_places(place, place_text(row.place)), row.task)
                for row in reversed(declared_upstream(upstream))
            )
        rows.append((place, upstream))
    return rows


def join_places(outer: str, inner: str) -> str:
    """The place of something inside a place."""
    return f"{outer}.{inner}" if outer and inner else outer or inner


def place_text(place: PlacePath) -> str:
    """A place as it is recorded and shown: `features.0`; a dot within a key as `\\.`, so that no two are alike."""
    return ".".join(_step_text(kind, step) for kind, step in place)


def iter_places(structure: Any, kind: type) -> Iterator[tuple[PlacePath, Any]]:
    """Every item of a nested structure of dicts and iterables with its place, as Luigi flattens it.

    Args:
        structure: One item, None, or a dict, list, tuple, generator or set of such; a None in it is no item,
            but keeps its place.
        kind: What an item is; anything else that cannot be iterated is handed out too.
    """
    pending: list[tuple[PlacePath, Any]] = [((), structure)]
    while pending:
        place, item = pending.pop()
        if item is None:
            continue
        if isinstance(item, (kind, str)):
            yield place, item
            continue
        steps = _steps(item)
        if steps is None:
            yield place, item
        else:
            pending.extend(((*place, step), child) for step, child in reversed(steps))


def declared_upstream(task: luigi.Task) -> list[PlacedTask]:
    """What a task requires, with places, in order; `requires()` is called once.

    Dependencies that template tasks add in `_requires()` or `deps()` have the places `+0`, `+1`, …
    An external task requires nothing: Luigi never asks it.

    Raises:
        TypeError: `requires()` returned something that is no task.
    """
    if is_external(task):
        return []
    placed = placed_tasks(task, task.requires(), "requires()")
    if _has_added_dependencies(type(task)):
        known = {upstream.task for upstream in placed}
        added = [row.task for row in placed_tasks(task, task.deps(), "deps()")]
        added = [upstream for upstream in added if upstream not in known]
        placed += [PlacedTask((("x", str(i)),), item) for i, item in enumerate(added)]
    return placed


def placed_tasks(task: luigi.Task, structure: Any, source: str) -> list[PlacedTask]:
    """What a method of a task returned, as tasks with places.

    Args:
        source: The method, for the message.

    Raises:
        TypeError: something in it is no task.
    """
    placed = []
    for place, item in iter_places(structure, luigi.Task):
        if not isinstance(item, luigi.Task):
            raise _not_a_task(task, source, place, item)
        placed.append(PlacedTask(place, item))
    return placed


def walk(
    roots: Iterable[luigi.Task],
    *,
    upstream_of: Callable[[luigi.Task], list[PlacedTask]],
    identity: Callable[[luigi.Task], Any],
    max_tasks: int | None = None,
) -> list[Node]:
    """Every task reachable from `roots`, each once, upstream before downstream.

    Args:
        upstream_of: What a task requires; called once per identity.
        identity: Equal for tasks that are one. The first one met stands for all, but what can be run
            stands for its external copies.
        max_tasks: The cap; `MAX_TASKS` unless given.

    Raises:
        HashError: a cycle, spelled out, or more tasks than the cap.
    """
    all_roots = list(roots)
    cap = MAX_TASKS if max_tasks is None else max_tasks
    preferred: dict[Any, luigi.Task] = {}
    while True:
        walker = _Walker(upstream_of, identity, cap, preferred)
        for root in all_roots:
            walker.visit(root)
        if not walker.runnable:
            return walker.order
        preferred |= walker.runnable


class _Walker:
    """A depth-first walk with its own stack."""

    def __init__(
        self,
        upstream_of: Callable[[luigi.Task], list[PlacedTask]],
        identity: Callable[[luigi.Task], Any],
        max_tasks: int,
        preferred: dict[Any, luigi.Task],
    ) -> None:
        self.order: list[Node] = []
        self.runnable: dict[Any, luigi.Task] = {}
        """By identity: what was met after an external copy of it."""
        self._preferred = preferred
        self._upstream_of = upstream_of
        self._identity = identity
        self._max_tasks = max_tasks
        self._nodes: dict[Any, Node] = {}
        self._by_object: dict[int, Node] = {}
        self._kept: list[luigi.Task] = []  # so that no id() in _by_object is used again

    def visit(self, root: luigi.Task) -> None:
        node, is_new = self._node(root)
        if not is_new:
            return
        stack = [(node, self._expand(node))]
        on_path = {id(node)}
        while stack:
            node, remaining = stack[-1]
            for upstream in remaining:
                child, is_new = self._node(upstream.task)
                node.upstream.append((upstream.place, child))
                if is_new:
                    stack.append((child, self._expand(child)))
                    on_path.add(id(child))
                    break
                if id(child) in on_path:
                    raise _cycle([entry for entry, _ in stack], child)
            else:
                stack.pop()
                on_path.discard(id(node))
                self.order.append(node)

    def _expand(self, node: Node) -> Iterator[PlacedTask]:
        return iter(self._upstream_of(node.task))

    def _node(self, task: luigi.Task) -> tuple[Node, bool]:
        node = self._by_object.get(id(task))
        if node is not None:
            return node, False
        key = self._identity(task)
        node = self._nodes.get(key)
        is_new = node is None
        if node is None:
            if len(self._nodes) >= self._max_tasks:
                raise _endless(task, self._max_tasks)
            node = self._nodes[key] = Node(self._preferred.get(key, task))
        elif is_external(node.task) and not is_external(task):
            self.runnable[key] = task
        self._by_object[id(task)] = node
        self._kept.append(task)
        return node, is_new


def _steps(item: Any) -> list[tuple[tuple[str, str], Any]] | None:
    """The children of one level, None when it has none."""
    if isinstance(item, dict):
        return [(_key_step(key), child) for key, child in item.items()]
    if isinstance(item, (set, frozenset)):
        # A set has no order that another process would find again.
        children = sorted(item, key=_sort_key)
        return [(("i", str(index)), child) for index, child in enumerate(children)]
    try:
        children = list(item)
    except TypeError:
        return None
    return [(("i", str(index)), child) for index, child in enumerate(children)]


def _key_step(key: Any) -> tuple[str, str]:
    return ("k", key) if isinstance(key, str) else ("r", repr(key))


def _step_text(kind: str, step: str) -> str:
    if kind == "x":
        return f"+{step}"
    return step.replace("\\", "\\\\").replace(".", "\\.") or "''"


def _sort_key(item: Any) -> tuple[str, ...]:
    if not isinstance(item, luigi.Task):
        return (str(item),)
    params = item.to_str_params(only_significant=True)
    return (item.get_task_family(), *(part for row in sorted(params.items()) for part in row))


def _not_a_task(task: luigi.Task, source: str, place: PlacePath, item: Any) -> TypeError:
    where = f" at {place_text(place)!r}" if place else ""
    if isinstance(item, luigi.Target):
        advice = "Wrap the target in an ExternalTask."
    elif isinstance(item, type) and issubclass(item, luigi.Task):
        advice = f"That is the class; make a task of it: {item.__name__}(…)."
    else:
        advice = "Return tasks, in lists or dicts if there are several."
    return TypeError(
        f"{type(task).__name__}.{source} returned {type(item).__name__}{where}. {advice}"
    )


def _has_added_dependencies(cls: type[luigi.Task]) -> bool:
    return cls._requires is not luigi.Task._requires or cls.deps is not luigi.Task.deps


def _cycle(path: list[Node], again: Node) -> HashError:
    start = next(index for index, node in enumerate(path) if node is again)
    spelled = " → ".join(task_text(node.task) for node in [*path[start:], again])
    message = f"The tasks require each other in a cycle: {spelled}. Break it in one requires()."
    return HashError(message, family=again.task.get_task_family())


def _endless(task: luigi.Task, cap: int) -> HashError:
    family = task.get_task_family()
    message = (
        f"The graph has more than {cap:,} tasks and was still growing at {task_text(task)}: it looks endless. "
        f"Let {family}.lineage_requires() return only what the identity of a task depends on "
        "([] for its own parameters alone; plain Luigi tasks have no such method); Super Luigi then "
        "follows requires() as Luigi does, down to what is complete."
    )
    return HashError(message, family=family)
