"""Packages whose names are imported when somebody first asks for one.

A build records and decides; of what answers a person's questions it needs nothing, and to import it all
costs as much time as to check some hundred tasks.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["lazily"]


def lazily(package: str, homes: Mapping[str, str]) -> Callable[[str], Any]:
    """Make a package's `__getattr__`.

    Args:
        package: Its `__name__`.
        homes: Names, separated by blanks, by the module that has them; one that begins with a dot is the
            package's own.

    Source: PEP 562.
    """
    home_of = {name: home for home, names in homes.items() for name in names.split()}

    def get(name: str) -> Any:
        home = home_of.get(name)
        if home is None:
            message = f"module {package!r} has no attribute {name!r}"
            raise AttributeError(message)
        value = getattr(importlib.import_module(home, package), name)
        setattr(sys.modules[package], name, value)
        return value

    return get
