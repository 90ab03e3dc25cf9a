"""Lineage as a pandas table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from superluigi_catalog.drawing.optional import imported

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage

__all__ = ["build"]


def build(lineage: Lineage) -> Any:
    """Build the table; see `Lineage.to_dataframe`."""
    pandas = imported("pandas", "to_dataframe")
    rows = []
    for task in (lineage.root, *lineage.tasks):
        told = task.to_dict()
        params = told.pop("params")
        rows.append(
            {
                **told,
                "depth": lineage.depths[task.task_hash],
                **{f"params.{name}": value for name, value in params.items()},
            }
        )
    return pandas.DataFrame(rows).set_index("task_hash")
