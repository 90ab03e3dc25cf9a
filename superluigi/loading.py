"""`load_task`: a live task again from a hash, a prefix of one, or the path of a target."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import luigi

from superluigi.errors import SidecarError, TaskNotLoadable
from superluigi.hashing import hash_of
from superluigi.project import Project
from superluigi.registry import task_class
from superluigi.targets.base import SIDECAR_SUFFIX
from superluigi.targets.foreign import target_at
from superluigi_catalog import Catalog, TaskNotFound
from superluigi_catalog.beside import target_beside

__all__ = ["load_task", "task_from_params"]


def load_task(ref: Any, *, catalog: Any = None) -> luigi.Task:
    """Make a recorded task again; its module is imported, so its code runs.

    A target that the catalog does not know is asked for its sidecar. That one may name only modules of this
    project, or what is imported already: a sidecar is a file that anybody may have put there.

    Args:
        ref: A task hash, a prefix of one, a target's path or URI; of a prefix with its `/`.
        catalog: A `Catalog`, or the path of one; the project's unless given.

    Returns:
        The task, with the hash under which it was recorded.

    Raises:
        TaskNotFound, AmbiguousHash: nothing, or several, are recorded under `ref`.
        SidecarError: the catalog does not know the target, and its sidecar cannot be used.
        TaskNotLoadable: its module cannot be imported, the class is gone, a parameter does not parse, or
            what comes out has another hash, because the code has another `requires()` now.
    """
    if isinstance(catalog, Catalog):
        record = _found(ref, catalog)
    else:
        with Catalog(catalog) as opened:
            record = _found(ref, opened)
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


@dataclass(frozen=True, slots=True)
class _Recorded:
    """A task, as the catalog or a sidecar knows it."""

    task_hash: str
    family: str
    module: str
    params: Mapping[str, str]
    insignificant_params: Mapping[str, str]


def _found(ref: Any, catalog: Catalog) -> _Recorded:
    try:
        task = catalog.task(ref)
    except TaskNotFound:
        document = _sidecar_at(ref, catalog.project)
        if document is None:
            raise
        _refuse_foreign_module(document, catalog)
        return _Recorded(
            str(document["task_hash"]),
            str(document["family"]),
            str(document.get("module") or ""),
            document["params"],
            document.get("insignificant_params") or {},
        )
    return _Recorded(
        task.task_hash, task.family, task.module, task.params, task.insignificant_params
    )


def _sidecar_at(ref: Any, project: Project) -> dict[str, Any] | None:
    """The sidecar of a target that stands, or None.

    Raises:
        SidecarError: it is there, and cannot be used.
    """
    if not isinstance(ref, (str, os.PathLike)):
        return None
    place = os.fspath(ref).removesuffix(SIDECAR_SUFFIX)
    target = target_at(place) if place else None
    if target is None:
        return None
    document = target.metadata()
    if document is None or "output" not in document:
        return None
    if target_beside(project.stored_path(target.metadata_path), document) is None:
        message = (
            f"The sidecar {target.metadata_path!r} is of another target, "
            f"{document['output']['path']!r}. Move it back, or name that target."
        )
        raise SidecarError(message, path=target.metadata_path)
    return document


def _refuse_foreign_module(document: Mapping[str, Any], catalog: Catalog) -> None:
    """Refuse to import what is no module of this project on the word of a file."""
    module = str(document.get("module") or "")
    top = module.partition(".")[0]
    if module in sys.modules or top in ("__main__", "__mp_main__"):
        return
    spec = PathFinder.find_spec(top) if top.isidentifier() else None
    places = [*(spec.submodule_search_locations or ()), spec.origin or ""] if spec else []
    root = catalog.project.root or Path.cwd()
    if spec is None or any(
        Path(place).resolve().is_relative_to(root.resolve()) for place in places
    ):
        return  # what cannot be found at all is told when it is imported
    message = (
        f"The sidecar says that {document['family']} is defined in {module!r}, which is no module of the "
        f"project {str(root)!r}. If you trust it, import that module first."
    )
    raise TaskNotLoadable(message, task_hash=document["task_hash"], family=str(document["family"]))


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
