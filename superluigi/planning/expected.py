"""Dynamic dependencies in a plan: what recorded runs yielded is expected to be yielded again.

No `requires()` names these tasks, so they are made again from the catalog and planned like all others,
with their own upstream; what they cannot be is told on who yielded them. They are not part of a hash.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Protocol

import luigi

from superluigi.errors import SidecarError, TargetError
from superluigi.hashing import hash_of
from superluigi.planning.nodes import PlannedTask
from superluigi.project import Project
from superluigi.registry import task_class
from superluigi.targets.foreign import target_at
from superluigi_catalog.records import YieldedTask

__all__ = ["in_running_order", "link_expected", "with_yields"]

Expander = Callable[[list[luigi.Task]], list[PlannedTask]]
"""Plans tasks that no plan knows yet, with their upstream."""


class Yields(Protocol):
    """What this asks of the catalog."""

    def dynamic_upstream(
        self, task_hashes: Collection[str]
    ) -> Mapping[str, tuple[YieldedTask, ...]]:
        """What the current runs of tasks yielded."""

    def index_sidecar(self, document: Mapping[str, Any], *, uri: str, kind: str) -> None:
        """Take over what a sidecar says."""


def with_yields(tasks: Iterable[PlannedTask]) -> dict[str, PlannedTask]:
    """The tasks whose recorded run read something that it had yielded, by the hash of that run's task."""
    found = {}
    for task in tasks:
        run = task.outputs[0].state.run if task.outputs else None
        if run is not None and any(entry.place.startswith("yielded.") for entry in run.inputs):
            found[run.task_hash] = task
    return found


def link_expected(
    planned: dict[str, PlannedTask],
    fresh: Iterable[PlannedTask],
    catalog: Yields,
    expand: Expander,
    project: Project,
) -> list[PlannedTask]:
    """Plan what the recorded runs of some tasks yielded, and link it with who yielded it.

    Args:
        planned: All that is planned, by hash; what is new is added.
        fresh: Those whose yields are looked up.
        expand: Plans tasks; an error is kept with who yielded them: the next run may not ask again.
        project: How paths are stored.

    Returns:
        What is new in the plan, upstream first.
    """
    asking = with_yields(fresh)
    new: list[PlannedTask] = []
    records = catalog.dynamic_upstream(list(asking)) if asking else {}
    if _index_unknown(asking, records, catalog, project):
        records = catalog.dynamic_upstream(list(asking))
    for yielder_hash, rows in records.items():
        yielder = asking[yielder_hash]
        for row in rows:
            if row.task_hash not in planned:
                new += _planned_again(yielder, row, planned, expand)
            upstream = planned.get(row.task_hash)
            if upstream is not None and upstream is not yielder:
                yielder.expected.append((row.place, upstream))
                upstream.expected_by.append(yielder)
    return new


def _index_unknown(
    asking: Mapping[str, PlannedTask],
    records: Mapping[str, tuple[YieldedTask, ...]],
    catalog: Yields,
    project: Project,
) -> bool:
    """Let a catalog that was lost learn from their sidecars of tasks that no `requires()` names."""
    found = False
    for yielder_hash, rows in records.items():
        unknown = {row.task_hash for row in rows if not row.module}
        run = asking[yielder_hash].outputs[0].state.run
        for entry in run.inputs if run is not None and unknown else ():
            if entry.task_hash not in unknown or not entry.place.startswith("yielded."):
                continue
            document = _sidecar_at(project.absolute_path(entry.uri))
            if document and document.get("task_hash") == entry.task_hash and "output" in document:
                catalog.index_sidecar(document, uri=entry.uri, kind=document["output"]["type"])
                found = True
    return found


def _sidecar_at(location: str) -> dict[str, Any] | None:
    target = target_at(location)
    if target is not None:
        with contextlib.suppress(SidecarError, TargetError):
            return target.metadata()
    return None


def _planned_again(
    yielder: PlannedTask,
    row: YieldedTask,
    planned: dict[str, PlannedTask],
    expand: Expander,
) -> list[PlannedTask]:
    try:
        task = _made_again(row)
        if hash_of(task) != row.task_hash:
            message = f"with the recorded parameters it is {hash_of(task)[:8]} now"
            raise LookupError(message)
        new = expand([task])
    except Exception as error:
        label = f"{row.family} {row.task_hash[:8]}".strip()
        yielder.unplanned[row.place] = f"{label}: {error}"
        return []
    for entry in new:
        entry.is_expected, entry.is_root = True, False
        planned[entry.task_hash] = entry
    return new


def _made_again(row: YieldedTask) -> luigi.Task:
    cls = task_class(row.module, row.family) if row.module else None
    if cls is None:
        message = f"no module {row.module!r} defines it now" if row.module else "it is not recorded"
        raise LookupError(message)
    names = {name for name, _ in cls.get_params()}
    values = {**row.insignificant_params, **row.params}
    task: luigi.Task = cls.from_str_params({k: v for k, v in values.items() if k in names})
    return task


def in_running_order(tasks: Iterable[PlannedTask]) -> list[PlannedTask]:
    """All tasks, what they require and what they are expected to yield before them.

    Where the two lead in a circle, what was yielded is no longer expected: the code has changed since.
    """
    entries = list(tasks)
    ordered, circling = _sorted(entries)
    if not circling:
        return ordered
    for task in circling:
        for _, upstream in task.expected:
            upstream.expected_by = [by for by in upstream.expected_by if by is not task]
        task.expected = []
    asked_for = _still_asked_for(entries)
    _unlink([task for task in entries if id(task) not in asked_for])
    ordered, _ = _sorted([task for task in entries if id(task) in asked_for])
    return ordered


def _unlink(dropped: list[PlannedTask]) -> None:
    for task in dropped:
        for _, upstream in task.upstream:
            upstream.downstream = [reader for reader in upstream.downstream if reader is not task]


def _still_asked_for(entries: list[PlannedTask]) -> set[int]:
    pending = [task for task in entries if not task.is_expected]
    asked_for = {id(task) for task in pending}
    while pending:
        task = pending.pop()
        for _, upstream in (*task.upstream, *task.expected):
            if id(upstream) not in asked_for:
                asked_for.add(id(upstream))
                pending.append(upstream)
    return asked_for


def _sorted(entries: list[PlannedTask]) -> tuple[list[PlannedTask], list[PlannedTask]]:
    """In order, and what has none."""
    own = {id(task) for task in entries}
    waits_for = {
        id(task): {id(upstream) for _, upstream in (*task.upstream, *task.expected)} & own
        for task in entries
    }
    ready = [task for task in reversed(entries) if not waits_for[id(task)]]
    ordered = []
    while ready:
        task = ready.pop()
        ordered.append(task)
        for reader in {id(r): r for r in (*task.downstream, *task.expected_by)}.values():
            unmet = waits_for.get(id(reader), set())
            if id(task) in unmet:
                unmet.discard(id(task))
                if not unmet:
                    ready.append(reader)
    return ordered, [task for task in entries if waits_for[id(task)]]
