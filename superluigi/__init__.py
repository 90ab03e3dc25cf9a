"""Super Luigi: Luigi tasks that know where their data came from."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from superluigi.quick_luigi import import_luigi_quickly

if TYPE_CHECKING:
    from superluigi.code import fingerprint_code
    from superluigi.loading import load_task
    from superluigi.task_runner import plan_task, run_task
    from superluigi_catalog import Catalog

import_luigi_quickly()

__all__ = ["Catalog", "fingerprint_code", "load_task", "plan_task", "run_task"]

_HOMES = {
    "Catalog": "superluigi_catalog",
    "fingerprint_code": "superluigi.code",
    "load_task": "superluigi.loading",
    "plan_task": "superluigi.task_runner",
    "run_task": "superluigi.task_runner",
}


def __getattr__(name: str) -> Any:
    # Luigi takes a quarter of a second to import: only who runs tasks shall pay for it.
    home = _HOMES.get(name)
    if home is None:
        message = f"module 'superluigi' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
