"""Lineage as a pandas table."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from superluigi_catalog.errors import DrawingUnavailable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage

__all__ = ["build"]


def build(lineage: Lineage) -> Any:
    """Build the table; see `Lineage.to_dataframe`."""
    try:
        pandas = importlib.import_module("pandas")
    except ImportError as error:
        message = "to_dataframe() needs pandas, which is not installed. Run: pip install pandas"
        raise DrawingUnavailable(message) from error
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
