"""Lineage in SQLite: where every target came from, what read it, what would have to be made again."""

from superluigi_catalog.catalog import Catalog

__all__ = ["Catalog"]
