"""Packages that a drawing needs and the catalog does not."""

from __future__ import annotations

import importlib
from types import ModuleType

from superluigi_catalog.errors import DrawingUnavailable

__all__ = ["imported"]


def imported(name: str, method: str) -> ModuleType:
    """Import a package for a method of `Lineage`.

    Raises:
        DrawingUnavailable: it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        message = f"{method}() needs {name}, which is not installed. Run: pip install {name}"
        raise DrawingUnavailable(message) from error
