"""`load_task`: a live task again from a hash, a prefix of one, or the path of a target."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

import luigi

from superluigi.errors import TaskNotLoadable
from superluigi.hashing import hash_of
from superluigi.registry import task_class
from superluigi_catalog import Catalog

__all__ = ["load_task", "task_from_params"]


def load_task(ref: Any, *, catalog: Any = None) -> luigi.Task:
    """Make a recorded task again; its module is imported, so its code runs.

    Args:
        ref: A task hash, a prefix of one, a target's path or URI.
        catalog: A `Catalog`, or the path of one; the project's unless given.

    Returns:
        The task, with the hash under which it was recorded.

    Raises:
        TaskNotFound, AmbiguousHash: nothing, or several, are recorded under `ref`.
        TaskNotLoadable: its module cannot be imported, the class is gone, a parameter does not parse, or
            what comes out has another hash, because the code has another `requires()` now.
    """
    if isinstance(catalog, Catalog):
        record = catalog.task(ref)
    else:
        with Catalog(catalog) as opened:
            record = opened.task(ref)
    if record.module in ("__main__", "__mp_main__"):
        message = (
            f"{record.family} {record.task_hash[:8]} was defined in a script or notebook that ran as "
            "__main__, so it cannot be found again. Put its class into a module."
        )
        raise TaskNotLoadable(message, task_hash=record.task_hash, family=record.family)
    task = task_from_params(
        record.module,
        record.family,
        {**record.insignificant_params, **record.params},
        task_hash=record.task_hash,
    )
    if hash_of(task) != record.task_hash:
        message = (
            f"{record.family} with the recorded parameters is {hash_of(task)[:8]} now, not "
            f"{record.task_hash[:8]}: its requires() or its upstream tasks have changed since."
        )
        raise TaskNotLoadable(message, task_hash=record.task_hash, family=record.family)
    return task


def task_from_params(
    module: str, family: str, params: Mapping[str, str], *, task_hash: str | None = None
) -> luigi.Task:
    """Make a task from a module, a family and serialised parameters.

    Parameters that the class no longer has are left out; the caller compares hashes.

    Raises:
        TaskNotLoadable: naming what is missing.
    """
    where: dict[str, Any] = {"task_hash": task_hash, "family": family}
    try:
        cls = task_class(module, family)
    except ImportError as error:
        message = (
            f"{family} is defined in the module {module!r}, which cannot be imported here ({error}). "
            f"Run from the project's directory, or add it to PYTHONPATH; sys.path begins with {sys.path[:2]}."
        )
        raise TaskNotLoadable(message, **where) from error
    if cls is None:
        message = f"The module {module!r} has no task {family} any more. Was it renamed?"
        raise TaskNotLoadable(message, **where)
    names = {name for name, _ in cls.get_params()}
    try:
        return cls.from_str_params(  # type: ignore[no-any-return]
            {name: value for name, value in params.items() if name in names}
        )
    except Exception as error:
        message = f"{family} cannot be made from its recorded parameters: {error}"
        raise TaskNotLoadable(message, **where) from error
