"""The SQLite file: its driver, its journal, its connections, its schema."""
