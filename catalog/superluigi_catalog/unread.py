"""A lineage that is read as it is used, so that one of 100,000 tasks gives its first one at once.

What is looped over comes with hash, family and parameters; a task's other attributes are read when the
first of them is asked for, together with those of the tasks beside it. Edges and depths are read when
they are asked for, and then everything anew, in one state. Afterwards all is what it would have been if it
had been read at first: plain tasks, and a plain lineage.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import fields
from itertools import islice
from typing import TYPE_CHECKING, Any

from superluigi_catalog import reading
from superluigi_catalog.errors import TaskNotFound
from superluigi_catalog.lineage import Direction, Lineage
from superluigi_catalog.results import Task
from superluigi_catalog.storage.bulk import garbage_kept

if TYPE_CHECKING:
    from superluigi_catalog.connected import Connected

__all__ = ["unread_lineage"]

_FIRST = 2_000
"""Tasks that are read at first: a few milliseconds' work, and most lineages whole."""
_TOGETHER = 1_000
"""Tasks whose other attributes are read at once."""

_slots: dict[str, Any] = {each.name: Task.__dict__[each.name] for each in fields(Task)}
_set_hash, _set_family, _set_params, _set_peers = (
    _slots[name].__set__ for name in ("task_hash", "family", "params", "last_reason")
)
_get_params, _get_peers = (_slots[name].__get__ for name in ("params", "last_reason"))


def unread_lineage(store: Connected, root: int, task: Task, direction: Direction) -> Lineage:
    """Return the whole lineage of a task in one direction, not read yet.

    Args:
        store: Where it will be read.
        root: The task's id.
        task: The task itself.
        direction: Towards inputs, or towards results.
    """
    lineage = object.__new__(_UnreadLineage)
    for name, value in (("root", task), ("direction", direction), ("_store", store), ("_id", root)):
        object.__setattr__(lineage, name, value)
    return lineage


class _Peers:
    """Tasks that were found beside each other; what is not known of them yet is read for all at once."""

    __slots__ = ("ids", "store", "tasks")

    def __init__(self, store: Connected, ids: Sequence[int]) -> None:
        self.store = store
        self.ids = ids
        self.tasks: list[_UnreadTask] = []

    def parse_params(self) -> None:
        texts = [params for task in self.tasks if isinstance(params := _get_params(task), str)]
        values = iter(json.loads(f"[{','.join(texts)}]"))
        for task in self.tasks:
            if isinstance(_get_params(task), str):
                _set_params(task, next(values))

    def read(self) -> None:
        with self.store._reading() as session:
            found = reading.tasks_by_id(session, self.ids)
        for number, task in zip(self.ids, self.tasks, strict=True):
            read = found.get(number)
            # The number of a task that was removed may be another one's by now.
            if read is not None and read.task_hash == task.task_hash:
                for slot in _slots.values():
                    slot.__set__(task, slot.__get__(read))
                object.__setattr__(task, "__class__", Task)


class _UnreadTask(Task):
    """A task of which only hash, family and parameters are read; it becomes a `Task` when more is asked for.

    Until then the slot of `params` holds their JSON, and that of `last_reason` the peers.
    """

    __slots__ = ()

    @property
    def params(self) -> Any:
        params = _get_params(self)
        if isinstance(params, str):
            _get_peers(self).parse_params()
            params = _get_params(self)
        return params

    @property
    def last_reason(self) -> Any:
        return self._read().last_reason

    def __getattr__(self, name: str) -> Any:
        if name not in _slots:
            raise AttributeError(name)
        return getattr(self._read(), name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Task) and self._read() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._read())

    def __reduce__(self) -> tuple[Any, ...]:
        read = self._read()
        return Task, tuple(getattr(read, name) for name in _slots)

    def _read(self) -> Task:
        _get_peers(self).read()
        if isinstance(self, _UnreadTask):
            path = str(_get_peers(self).store.path)
            message = f"{self.family} {self.task_hash[:8]} is not in the catalog any more."
            raise TaskNotFound(message, ref=self.task_hash, path=path)
        return self


class _UnreadLineage(Lineage):
    """A lineage that becomes a plain one when its edges or depths are asked for."""

    __slots__ = ("_hashes", "_id", "_store")

    _store: Connected
    _id: int
    _hashes: frozenset[str]

    def __iter__(self) -> Iterator[Task]:
        if self._is_read("tasks"):
            yield from self.tasks
            return
        first = self._found(_FIRST)
        if len(first) < _FIRST:
            object.__setattr__(self, "tasks", tuple(first))
        yield from first
        if len(first) == _FIRST:
            # A second look: one that went on would keep others from writing while this loop is paused.
            yield from self._others(first)

    def _others(self, first: Sequence[Task]) -> Iterable[Task]:
        """List what was not among the first; mostly just what follows them, unless something was recorded."""
        seen = {task.task_hash for task in first}
        if seen == {task.task_hash for task in self.tasks[:_FIRST]}:
            return islice(self.tasks, _FIRST, None)
        return [task for task in self.tasks if task.task_hash not in seen]

    def __len__(self) -> int:
        return len(self.tasks)

    def __contains__(self, item: object) -> bool:
        if not self._is_read("_hashes"):
            object.__setattr__(self, "_hashes", frozenset(task.task_hash for task in self.tasks))
        return getattr(item, "task_hash", item) in self._hashes

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lineage) and self.whole() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self.whole())

    def __reduce__(self) -> tuple[Any, ...]:
        read = self.whole()
        return Lineage, tuple(getattr(read, each.name) for each in fields(Lineage))

    def whole(self) -> Lineage:
        edges = self.edges  # with them come the tasks again
        return Lineage(self.root, self.direction, self.tasks, edges, self.depths)

    def __getattr__(self, name: str) -> Any:
        if name == "tasks":
            object.__setattr__(self, "tasks", tuple(self._found(None)))
        elif name in ("edges", "depths"):
            with self._store._reading() as session:
                read = reading.lineage_of(session, self._id, self.direction, None)
            for each in ("root", "tasks", "edges", "depths"):
                object.__setattr__(self, each, getattr(read, each))
        else:
            raise AttributeError(name)
        return getattr(self, name)

    def _is_read(self, name: str) -> bool:
        try:
            object.__getattribute__(self, name)
        except AttributeError:
            return False
        return True

    def _found(self, limit: int | None) -> list[_UnreadTask]:
        with garbage_kept():
            with self._store._reading() as session:
                rows = reading.closure_rows(session, self._id, self.direction, limit)
                families = reading.family_names(session)
            return list(_tasks(self._store, rows, families))


def _tasks(
    store: Connected,
    rows: Iterable[tuple[int, str, int | None, str]],
    families: dict[int | None, str],
) -> Iterator[_UnreadTask]:
    new = _UnreadTask.__new__
    iterator = iter(rows)
    while some := list(islice(iterator, _TOGETHER)):
        peers = _Peers(store, [row[0] for row in some])
        for _, task_hash, family, params in some:
            task = new(_UnreadTask)
            _set_hash(task, task_hash)
            _set_family(task, families[family])
            _set_params(task, params)
            _set_peers(task, peers)
            peers.tasks.append(task)
        yield from peers.tasks
