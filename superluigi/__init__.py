"""Super Luigi: Luigi tasks that know where their data came from."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi.quick_luigi import import_luigi_quickly
from superluigi_catalog.lazy import lazily

if TYPE_CHECKING:
    from superluigi.code import fingerprint_code
    from superluigi.loading import load_task
    from superluigi.task_runner import plan_task, run_task
    from superluigi_catalog import Catalog

import_luigi_quickly()

__all__ = ["Catalog", "fingerprint_code", "load_task", "plan_task", "run_task"]

# Luigi takes a quarter of a second to import: only who runs tasks shall pay for it.
__getattr__ = lazily(
    __name__,
    {
        "superluigi_catalog": "Catalog",
        "superluigi.code": "fingerprint_code",
        "superluigi.loading": "load_task",
        "superluigi.task_runner": "plan_task run_task",
    },
)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
