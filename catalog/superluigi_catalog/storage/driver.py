"""The SQLite driver, chosen in one place.

The choice is sqlite-utils' own (`pysqlite3` where it is installed, else the standard library), so that
its `Database` takes our connections and one set of exceptions is caught. It is repeated here because
importing sqlite-utils takes 150 ms, and 400 ms more where pandas is installed: too much for opening a
catalog that needs no migration.

Source: https://sqlite-utils.datasette.io/en/stable/installation.html#alternatives-to-sqlite3
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import sqlite3
else:
    try:
        sqlite3 = importlib.import_module("pysqlite3")
    except ImportError:
        import sqlite3

__all__ = ["sqlite3"]
