"""The graph of a plan: each task with its identity, its outputs and what reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import luigi

from superluigi.errors import PlanError
from superluigi.execution.outputs import opaque_uri
from superluigi.graph import (
    Node,
    PlacedTask,
    declared_upstream,
    is_external,
    join_places,
    only_wraps,
    place_text,
    task_text,
    walk,
)
from superluigi.hashing import (
    asking_upstream,
    hash_of,
    hash_walked,
    identity_key,
    lineage_upstream,
    significant_params,
)
from superluigi.planning.states import TargetState
from superluigi.project import Project
from superluigi.structure import placed_targets
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import adapt

__all__ = ["PlannedOutput", "PlannedTask", "expand", "has_own_complete", "refuse_shared_targets"]


@dataclass(slots=True, eq=False)
class PlannedOutput:
    """One target of a planned task."""

    place: str
    uri: str
    """As stored."""
    kind: str
    plain: luigi.Target
    """What `output()` returned."""
    target: TargetWithMetadata | None
    """The same as one of ours; None when it has no bytes of its own."""
    location: str
    """Its absolute path or URI."""
    state: TargetState = field(default_factory=TargetState)


@dataclass(slots=True, eq=False)
class PlannedTask:
    """One task of a plan."""

    task: luigi.Task
    task_hash: str
    family: str
    params: dict[str, str]
    is_external: bool
    is_wrapper: bool
    """Without a result of its own: what reads it reads what it wraps."""
    is_root: bool = False
    upstream: list[tuple[str, PlannedTask]] = field(default_factory=list)
    """With places, in the order of `requires()`."""
    downstream: list[PlannedTask] = field(default_factory=list)
    outputs: list[PlannedOutput] = field(default_factory=list)
    yielded: dict[str, TargetState] = field(default_factory=dict)
    """What its recorded run yielded, by place, as it stands now."""
    expected: list[tuple[str, PlannedTask]] = field(default_factory=list)
    """The tasks that its recorded run yielded, with places: it may ask for them again."""
    expected_by: list[PlannedTask] = field(default_factory=list)
    is_expected: bool = False
    """Nothing requires it: it is here only because a recorded run yielded it, or what needs it."""
    unplanned: dict[str, str] = field(default_factory=dict)
    """Why something that its recorded run yielded is not planned, by place."""
    own_complete: bool | None = None
    """What an overridden `complete()` answered; None when it is Luigi's."""

    def inputs(self) -> list[tuple[str, PlannedTask, PlannedOutput]]:
        """Every target that the task reads: place, who makes it, the target.

        Wrappers are seen through, each once, as `superluigi.graph.see_through` does.
        """
        rows = []
        seen: set[int] = set()
        pending = [(place, upstream) for place, upstream in reversed(self.upstream)]
        while pending:
            place, upstream = pending.pop()
            if upstream.is_wrapper:
                if id(upstream) in seen:
                    continue
                seen.add(id(upstream))
                pending.extend(
                    (join_places(place, inner), wrapped)
                    for inner, wrapped in reversed(upstream.upstream)
                )
            rows += [
                (join_places(place, output.place), upstream, output) for output in upstream.outputs
            ]
        return rows

    @property
    def exists(self) -> bool:
        """Whether its result is there, before anything runs."""
        if self.own_complete is not None:
            return self.own_complete
        if not self.outputs:
            return self.is_wrapper
        return all(output.state.exists for output in self.outputs)


def expand(
    roots: Iterable[luigi.Task],
    project: Project,
    *,
    stops_at: Callable[[luigi.Task], bool] | None = None,
    asking: Callable[[luigi.Task], None] = lambda task: None,
    known: Mapping[str, PlannedTask] | None = None,
) -> list[PlannedTask]:
    """The graph above `roots`, upstream first; `requires()` and `output()` are called once per task.

    Args:
        stops_at: Where the walk ends, as Luigi's does at complete tasks; None: nowhere.
        asking: Told which task's code is called next, so that an error can name it.
        known: What is planned already, by hash: the walk ends there too, and it is not given again.

    Raises:
        HashError: see `superluigi.hashing`.
    """
    root_list = list(roots)
    boundaries: dict[int, str] = {}
    standing = {id(entry.task): entry.task_hash for entry in (known or {}).values()}

    def upstream_of(task: luigi.Task) -> list[PlacedTask]:
        if id(task) in standing:
            boundaries[id(task)] = standing[id(task)]
            return []
        asking(task)
        bounded = getattr(task, "_own_lineage_requires", None) is not None
        if bounded:
            # Its requires() may have no end: followed as Luigi does, down to what is complete.
            boundaries[id(task)] = hash_of(task)
        stopping = stops_at is not None and stops_at(task)
        if stopping:
            boundaries[id(task)] = hash_of(task)
        if stopping or (bounded and task.complete()):
            return []
        if not bounded:
            return lineage_upstream(task)
        with asking_upstream(task):
            return declared_upstream(task)

    nodes = walk(root_list, upstream_of=upstream_of, identity=identity_key)
    hashes = hash_walked(nodes, known=boundaries)
    new = _linked(zip(nodes, hashes, strict=True), known or {}, project, asking)
    root_hashes = {hash_of(task) for task in root_list}
    for entry in new:
        entry.is_root = entry.task_hash in root_hashes
    return new


def _linked(
    nodes: Iterable[tuple[Node, str]],
    known: Mapping[str, PlannedTask],
    project: Project,
    asking: Callable[[luigi.Task], None],
) -> list[PlannedTask]:
    """A planned task for every node that is not known, linked with what it requires."""
    planned: dict[int, PlannedTask] = {}
    new = []
    for node, task_hash in nodes:
        if task_hash in known:
            planned[id(node)] = known[task_hash]
            continue
        asking(node.task)
        planned[id(node)] = entry = _planned(node.task, task_hash, project)
        new.append(entry)
        for place, child in node.upstream:
            upstream = planned[id(child)]
            entry.upstream.append((place_text(place), upstream))
            if not upstream.downstream or upstream.downstream[-1] is not entry:
                upstream.downstream.append(entry)
    return new


def refuse_shared_targets(tasks: list[PlannedTask]) -> None:
    """Refuse a graph in which two tasks make one target.

    Raises:
        PlanError: naming both and the target.
    """
    makers: dict[str, PlannedTask] = {}
    for task in tasks:
        if task.is_external:
            continue
        for output in task.outputs:
            other = makers.setdefault(output.uri, task)
            if other is not task:
                message = (
                    f"{task_text(other.task)} and {task_text(task.task)} both make {output.uri!r}. Give each its own path, for "
                    "example with a parameter or the task_id in it."
                )
                raise PlanError(message, task_hash=task.task_hash, family=task.family)


def _planned(task: luigi.Task, task_hash: str, project: Project) -> PlannedTask:
    outputs = [
        _planned_output(place, plain, task_hash, project)
        for place, plain in placed_targets(task.output())
    ]
    entry = PlannedTask(
        task=task,
        task_hash=task_hash,
        family=task.get_task_family(),
        params=significant_params(task),
        is_external=is_external(task),
        is_wrapper=not outputs and only_wraps(task),
        outputs=outputs,
    )
    return entry


def has_own_complete(task: luigi.Task) -> bool:
    """Whether its class says itself when it is complete."""
    return type(task).complete is not luigi.Task.complete and not only_wraps(task)


def _planned_output(
    place: str, plain: luigi.Target, task_hash: str, project: Project
) -> PlannedOutput:
    target = adapt(plain)
    if target is None:
        uri = opaque_uri(plain, task_hash, place)
        return PlannedOutput(place, uri, type(plain).__name__, plain, None, uri)
    location = target.uri
    return PlannedOutput(place, project.stored_path(location), target.kind, plain, target, location)
