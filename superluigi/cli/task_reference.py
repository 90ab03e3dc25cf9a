"""`MODULE.Task` on the command line, as a class."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from pathlib import Path
from types import ModuleType
from typing import Any

import luigi

from superluigi.cli.errors import NotFound, task_code

__all__ = ["import_module", "nearest", "task_class", "use_working_directory"]

_MAX_NAMES = 8


def task_class(ref: str) -> type[luigi.Task]:
    """Import the class that `ref` names.

    Args:
        ref: `MODULE.Task`, where Task is a class's name or family; or the family alone where the
            catalog knows one module for it.

    Raises:
        NotFound: no such module, or no such task in it.
        TaskCodeFailed: the module raised.
    """
    module_name, _, name = ref.rpartition(".")
    if not module_name:
        return _recorded(ref)
    module = _importable(module_name)
    if module is None:
        if _recorded_modules(ref):
            return _recorded(ref)
        raise NotFound(_no_module(module_name))
    return _task_in(module, name)


def import_module(name: str) -> ModuleType:
    """Import a module, with the working directory on `sys.path` as `python -m` has it.

    Raises:
        NotFound: there is none of that name.
        TaskCodeFailed: it raised.
    """
    module = _importable(name)
    if module is None:
        raise NotFound(_no_module(name))
    return module


def nearest(name: str, known: Iterable[str]) -> str:
    """A sentence that helps with a name that is not known; empty where nothing does."""
    names = sorted(set(known))
    by_lower = {each.lower(): each for each in names}
    near = get_close_matches(name.lower(), by_lower, n=3, cutoff=0.5)
    if near:
        return f"Did you mean {' or '.join(by_lower[each] for each in near)}?"
    if not names:
        return ""
    more = f", and {len(names) - _MAX_NAMES} more" if len(names) > _MAX_NAMES else ""
    return f"There are {', '.join(names[:_MAX_NAMES])}{more}."


def _importable(name: str) -> ModuleType | None:
    use_working_directory()
    if not all(part.isidentifier() for part in name.split(".")):
        return None
    with task_code(f"Importing {name}"):
        try:
            return importlib.import_module(name)
        except ModuleNotFoundError as error:
            # A module that is there may itself import one that is not: that is its own error.
            if error.name is not None and f"{name}.".startswith(f"{error.name}."):
                return None
            raise


def use_working_directory() -> None:
    """Put the working directory on `sys.path`, as `python -m` has it."""
    here = str(Path.cwd())
    is_safe_path = getattr(sys.flags, "safe_path", False)
    if not is_safe_path and sys.path[:1] not in ([""], [here]):
        sys.path.insert(0, here)


def _no_module(name: str) -> str:
    root = name.partition(".")[0]
    hint = "Run from the project's directory, or add it to PYTHONPATH"
    for folder in ("src", "lib"):
        if Path(folder, root).is_dir() or Path(folder, f"{root}.py").is_file():
            hint = f"{folder}/{root} is there: set PYTHONPATH={folder}"
    where = ", ".join(repr(place) for place in sys.path[:3])
    return f"There is no module {name!r} to import. {hint}; sys.path begins with {where}."


def _task_in(module: ModuleType, name: str) -> type[luigi.Task]:
    found: Any = getattr(module, name, None)
    if _is_task(found):
        return found  # type: ignore[no-any-return]
    tasks = {
        key: value
        for key, value in vars(module).items()
        if _is_task(value) and value.__module__.partition(".")[0] not in ("luigi", "superluigi")
    }
    for value in tasks.values():
        if value.get_task_family() == name:
            return value  # type: ignore[no-any-return]
    if found is not None:
        message = f"{module.__name__}.{name} is no task, but a {type(found).__name__}."
    else:
        message = f"The module {module.__name__!r} has no task {name!r}."
    message += f" {nearest(name, tasks) or 'It has none at all.'}"
    raise NotFound(message)


def _is_task(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, luigi.Task)


def _recorded(family: str) -> type[luigi.Task]:
    """The class of a family that the catalog knows one module for."""
    modules = _recorded_modules(family)
    if not modules:
        message = f"No task of the family {family!r} is recorded here. Name its module as well: MODULE.{family}."
        raise NotFound(message)
    if len(modules) > 1:
        message = (
            f"Tasks of the family {family!r} are recorded from several modules: {', '.join(modules)}. "
            "Name the module as well."
        )
        raise NotFound(message)
    return _task_in(import_module(modules[0]), family)


def _recorded_modules(family: str) -> list[str]:
    from superluigi_catalog import Catalog
    from superluigi_catalog.errors import CatalogMissing

    try:
        with Catalog(read_only=True) as catalog:
            tasks = catalog.tasks(family=family, limit=1000)
    except CatalogMissing:
        return []
    return sorted({task.module for task in tasks} - {"", "__main__", "__mp_main__"})
