"""Decisions by the catalog of a project, and by one that is made anew from the sidecars."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from superluigi import plan_task
from superluigi_catalog import Catalog

__all__ = ["assert_rebuilt_catalog_decides_alike"]


def assert_rebuilt_catalog_decides_alike(task: Any, *roots: str, **options: Any) -> None:
    """Plan with the live catalog, with one rebuilt from the sidecars below `roots`, and with none."""
    live = _decided(task, **options)
    for number, where in enumerate((roots, ())):
        path = Path(f".superluigi/rebuilt{number}.db")
        with Catalog(path) as catalog:
            if where:
                catalog.rebuild(*where)
            assert _decided(task, catalog=catalog, **options) == live, number
        for file in path.parent.glob(f"{path.name}*"):
            file.unlink()


def _decided(task: Any, **options: Any) -> list[tuple[str, str, str]]:
    return [(d.task_hash, d.action, d.reasons[0].kind) for d in plan_task(task, **options)]
