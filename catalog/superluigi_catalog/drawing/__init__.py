"""Lineage as text and pictures. All that comes from records is escaped here."""
