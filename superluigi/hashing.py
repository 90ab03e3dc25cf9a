"""`task_hash`: who a task is, in 32 hex digits, the same in every process and on every machine.

The hash is the first 128 bits of SHA-256 over this JSON text (ASCII, no blanks)::

    ["superluigi-task/1", family,
     [[name, value], …],                    significant parameters as Luigi serialises them, by name
     [[[[kind, step], …], task_hash], …]]   upstream tasks with their place in requires(), sorted

`kind` is `k` for a dict key, `r` for the repr of one that is no text, `i` for an index, `x` for a
dependency that `requires()` does not return. Neither code nor data is in it: they are fingerprints.
PRIVATE parameters never count. An ExternalTask counts by its own parameters; a copy that `externalize()`
made is the task that it is a copy of, so that it finds what that one writes.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
import weakref
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import luigi
from luigi.parameter import ParameterVisibility
from luigi.task_register import Register

from superluigi.errors import HashError
from superluigi.graph import Node, PlacedTask, declared_upstream, is_external, task_text, walk

__all__ = [
    "asking_upstream",
    "current_generation",
    "hash_of",
    "hash_walked",
    "identity_key",
    "insignificant_params",
    "is_being_asked",
    "is_superluigi_task",
    "lineage_upstream",
    "new_generation",
    "private_texts",
    "significant_params",
]

_FORMAT = "superluigi-task/1"
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+>")

_Memo = tuple[object, str]
"""(generation, hash)."""

_generation = 0
_memo_of_plain_tasks: dict[int, tuple[weakref.ref[luigi.Task], _Memo]] = {}
_asked: ContextVar[tuple[int, ...]] = ContextVar("superluigi_asked", default=())
_parameters: dict[type, tuple[object, list[tuple[str, luigi.Parameter]]]] = {}


def new_generation() -> None:
    """Forget every hash and parameter list: parameters, config or classes may have changed."""
    global _generation
    _generation += 1
    _parameters.clear()


def current_generation() -> object:
    """Changes with `new_generation()` and with the registration of any task class."""
    return (_generation, len(Register._reg))


def hash_of(task: luigi.Task) -> str:
    """The task's identity, 32 hex digits; plain Luigi tasks have one too, and nothing is set on them.

    Raises:
        HashError: a cycle, a graph without end, one family name on two classes, or a parameter value
            without a stable serialisation.
    """
    known = _recall(task)
    if known is not None:
        return known
    ends: dict[int, str] = {}  # where the walk ended, because the hash was known at that moment

    def upstream_of(task: luigi.Task) -> list[PlacedTask]:
        known = _recall(task)
        if known is None:
            return lineage_upstream(_original(task))
        ends[id(task)] = known
        return []

    nodes = walk([task], upstream_of=upstream_of, identity=identity_key)
    task_hash = _hash_nodes(nodes, ends)[-1]
    _remember(task, current_generation(), task_hash)
    return task_hash


def hash_walked(nodes: list[Node], *, known: dict[int, str] | None = None) -> list[str]:
    """The hashes of a graph walked by `lineage_upstream`, in its order, remembered for the generation.

    Args:
        known: Hashes by `id(task)`, for tasks above which the walk did not go, or went otherwise.
    """
    ends = dict(known or {})
    for node in nodes:
        if _original(node.task) is not node.task:
            ends[id(node.task)] = hash_of(node.task)
    return _hash_nodes(nodes, ends)


def _hash_nodes(nodes: list[Node], ends: dict[int, str]) -> list[str]:
    generation = current_generation()
    check_families(nodes)
    hashes: dict[int, str] = {}
    result = []
    for node in nodes:
        known_hash = ends.get(id(node.task)) or _recall(node.task)
        if known_hash is None:
            upstream = [(place, hashes[id(child)]) for place, child in node.upstream]
            known_hash = _digest(node.task, upstream)
            _remember(node.task, generation, known_hash)
        hashes[id(node)] = known_hash
        result.append(known_hash)
    return result


def identity_key(task: luigi.Task) -> tuple[object, ...]:
    """Equal for instances that are one task: the class and the significant parameters."""
    return (_own_class(task), *significant_params(task).items())


def significant_params(task: luigi.Task) -> dict[str, str]:
    """The parameters that count, by name, serialised as Luigi does; none of PRIVATE visibility.

    Raises:
        HashError: a value's text would differ in another process.
    """
    values = task.param_kwargs
    params = {}
    for name, parameter in _params_of(type(task)):
        if parameter.significant and parameter.visibility != ParameterVisibility.PRIVATE:
            text = parameter.serialize(values[name])
            params[name] = text if isinstance(text, str) else str(text)
    return params


def insignificant_params(task: luigi.Task) -> dict[str, str]:
    """The other parameters, serialised; none of PRIVATE visibility."""
    return {
        name: str(parameter.serialize(task.param_kwargs[name]))
        for name, parameter in _params_of(type(task))
        if not parameter.significant and parameter.visibility != ParameterVisibility.PRIVATE
    }


def lineage_upstream(task: luigi.Task) -> list[PlacedTask]:
    """What the identity of a task depends on: `requires()`, or `lineage_requires()` where overridden."""
    if is_external(task):
        return []
    with asking_upstream(task):
        own = getattr(task, "_own_lineage_requires", None)
        return declared_upstream(task) if own is None else own()


def private_texts(tasks: Iterable[luigi.Task]) -> set[str]:
    """The texts of all PRIVATE parameter values: what nothing that is recorded may repeat."""
    return {
        str(parameter.serialize(task.param_kwargs[name]))
        for task in tasks
        for name, parameter in _params_of(type(task))
        if parameter.visibility == ParameterVisibility.PRIVATE
    } - {""}


@contextmanager
def asking_upstream(task: luigi.Task) -> Iterator[None]:
    """While inside, reading the task's own `task_id` is an error instead of a recursion.

    Raises:
        HashError: it is being asked already: what it requires leads back to it while it is being made.
    """
    if is_being_asked(task):
        family = task.get_task_family()
        message = (
            f"{family}.requires() reads the task_id of a task that requires {task_text(task)} itself. "
            "Use parameters there, or luigi_task_id, and break the cycle."
        )
        raise HashError(message, family=family)
    token = _asked.set((*_asked.get(), id(task)))
    try:
        yield
    finally:
        _asked.reset(token)


def is_being_asked(task: luigi.Task) -> bool:
    """Whether `requires()` of this very task is being evaluated."""
    return id(task) in _asked.get()


def check_families(nodes: list[Node]) -> None:
    """Refuse a graph in which two classes have one family name.

    Raises:
        HashError: naming both modules.
    """
    classes: dict[str, type] = {}
    for cls in {type(node.task) for node in nodes}:
        family = cls.get_task_family()
        other = classes.setdefault(family, cls)
        if (other.__module__, other.__qualname__) != (cls.__module__, cls.__qualname__):
            message = (
                f"Two classes share the family name {family!r}: {other.__module__}.{other.__qualname__} "
                f"and {cls.__module__}.{cls.__qualname__}. Rename one, or give one a task_namespace."
            )
            raise HashError(message, family=family)


def _own_class(task: luigi.Task) -> type[luigi.Task]:
    """The task's class; for a class that `externalize()` made, what it is a copy of."""
    cls = type(task)
    while cls.run is None and cls.__dict__.get("_visible_in_registry") is False:
        cls = cls.__bases__[0]
    return cls


def _original(task: luigi.Task) -> luigi.Task:
    """The task itself; for an external copy, one such as it is a copy of."""
    cls = _own_class(task)
    if cls is type(task) and "run" not in task.__dict__:
        return task
    original = copy.copy(task)
    original.__dict__.pop("run", None)
    original.__class__ = cls
    return original


def _digest(task: luigi.Task, upstream: list[tuple[Any, str]]) -> str:
    family = task.get_task_family()
    params = sorted(significant_params(task).items())
    for name, text in params:
        if _ADDRESS.search(text):
            message = (
                f"{family}.{name} has the value {text!r}, whose text holds a memory address and so "
                "differs in every process. Use a parameter type that serialises it, "
                "or declare the parameter significant=False."
            )
            raise HashError(message, family=family)
    document = [_FORMAT, family, params, sorted((list(place), hash_) for place, hash_ in upstream)]
    text = json.dumps(document, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:32]


def _params_of(cls: type[luigi.Task]) -> list[tuple[str, luigi.Parameter]]:
    generation = current_generation()
    known = _parameters.get(cls)
    if known is None or known[0] != generation:
        known = _parameters[cls] = (generation, cls.get_params())
    return known[1]


def _recall(task: luigi.Task) -> str | None:
    memo: _Memo | None
    if is_superluigi_task(task):
        memo = task.__dict__.get("_superluigi_hash")
    else:
        reference, memo = _memo_of_plain_tasks.get(id(task), (None, None))
        if reference is None or reference() is not task:
            return None
    if memo is None or memo[0] != current_generation():
        return None
    return memo[1]


def _remember(task: luigi.Task, generation: object, task_hash: str) -> None:
    memo = (generation, task_hash)
    if is_superluigi_task(task):
        task.__dict__["_superluigi_hash"] = memo
    else:
        key = id(task)
        reference = weakref.ref(task, lambda _: _memo_of_plain_tasks.pop(key, None))
        _memo_of_plain_tasks[key] = (reference, memo)


def is_superluigi_task(task: luigi.Task) -> bool:
    """Whether it is one of ours, and not a plain Luigi task."""
    return getattr(type(task), "_is_superluigi_task", False)
