"""The tables of files, kept in memory and in a JSON file between processes.

A table is a pure function of a file's bytes. An entry is trusted without reading the file as long
as path, mtime, size, ctime and inode are what they were, and the times were not so new that the
file could have been written again within the resolution of its clock: then the bytes are compared
by their digest.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from superluigi.code.symbols import FileTable
from superluigi.code.table_builder import build_table

__all__ = ["CACHE_SCHEMA", "SourceFile", "TableCache"]

CACHE_SCHEMA = 1
"""Raised with every change to what a table holds; a cache of another schema is not read."""

_RACY_NS = 2_000_000_000
"""Times this close to the moment of reading may not tell a later write: FAT counts in 2 s."""


@dataclass(frozen=True, slots=True)
class SourceFile:
    """One file of source as it was read."""

    path: str
    digest: str
    """SHA-256 of its bytes."""
    table: FileTable | None
    """None: this Python cannot parse it."""

    def content(self) -> bytes | None:
        """Its bytes; None where they are no longer those that were read."""
        try:
            content = Path(self.path).read_bytes()
        except OSError:
            return None
        return content if hashlib.sha256(content).hexdigest() == self.digest else None


@dataclass(slots=True)
class _Entry:
    stat: list[int]
    read_at_ns: int
    digest: str
    rows: Any
    """The table as JSON, until it is asked for."""
    source: SourceFile | None = None

    def describes(self, stat: list[int]) -> bool:
        mtime_ns, _size, ctime_ns, _inode = stat
        return stat == self.stat and max(mtime_ns, ctime_ns) + _RACY_NS < self.read_at_ns

    def load(self, path: str) -> SourceFile:
        if self.source is None:
            table = None if self.rows is None else FileTable.from_json(self.rows)
            self.source = SourceFile(path, self.digest, table)
        return self.source

    def to_json(self, path: str) -> list[Any]:
        if self.rows is None:
            table = self.load(path).table
            self.rows = None if table is None else table.to_json()
        return [self.stat, self.read_at_ns, self.digest, self.rows]


class TableCache:
    """Tables by path.

    Args:
        path: The JSON file; None keeps the tables in memory only.
    """

    def __init__(self, path: str | Path | None = None) -> None:
        self._path = None if path is None else Path(path)
        self._entries = {} if self._path is None else _loaded(self._path)
        self._asked: set[str] = set()
        self._is_changed = False
        self.parsed = 0
        """How many files were parsed since the cache was made."""

    def read(self, path: str) -> SourceFile | None:
        """A file as it stands now; None where it cannot be read."""
        self._asked.add(path)
        try:
            stat = _stat_of(Path(path))
            entry = self._entries.get(path)
            if entry is not None and entry.describes(stat):
                return entry.load(path)
            return self._read_again(path, stat, entry)
        except (OSError, ValueError):
            return None

    def save(self) -> bool:
        """Write the JSON file, if it would differ.

        Returns:
            Whether it was written; a place that cannot be written to is left alone.
        """
        if self._path is None or not self._is_changed:
            return False
        files = {
            path: entry.to_json(path)
            for path, entry in sorted(self._entries.items())
            if path in self._asked or Path(path).exists()
        }
        body = json.dumps(files, separators=(",", ":"))
        try:
            _replace(self._path, f"{_header(body)}\n{body}")
        except OSError:
            return False
        self._is_changed = False
        return True

    def _read_again(self, path: str, stat: list[int], entry: _Entry | None) -> SourceFile:
        read_at_ns = time.time_ns()
        content = Path(path).read_bytes()
        digest = hashlib.sha256(content).hexdigest()
        self._is_changed = True
        if entry is not None and entry.digest == digest:
            entry.stat, entry.read_at_ns = stat, read_at_ns
            return entry.load(path)
        self.parsed += 1
        source = SourceFile(path, digest, _table_of(content))
        self._entries[path] = _Entry(stat, read_at_ns, digest, None, source)
        return source


def _table_of(content: bytes) -> FileTable | None:
    """The table of a file's bytes, however deep the stack of the caller is."""
    try:
        return build_table(content)
    except RecursionError:
        found: list[FileTable | None] = []
        thread = threading.Thread(target=lambda: found.append(_table_or_none(content)))
        thread.start()
        thread.join()
        return found[0] if found else None
    except (SyntaxError, ValueError, MemoryError):
        return None


def _table_or_none(content: bytes) -> FileTable | None:
    try:
        return build_table(content)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _stat_of(path: Path) -> list[int]:
    stat = path.stat()
    return [stat.st_mtime_ns, stat.st_size, stat.st_ctime_ns, stat.st_ino]


def _header(body: str) -> str:
    """The first line: which files parse differs between minors, so each has its own cache."""
    digest = hashlib.sha256(body.encode()).hexdigest()
    return json.dumps({"schema": [CACHE_SCHEMA, *sys.version_info[:2]], "sha256": digest})


def _loaded(path: Path) -> dict[str, _Entry]:
    """The entries of a cache file; none where it is missing, damaged or of another schema."""
    try:
        header, _, body = path.read_text(encoding="utf-8").partition("\n")
        if header != _header(body):
            return {}
        return {name: _Entry(*row) for name, row in json.loads(body).items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _replace(path: Path, text: str) -> None:
    """Write a file so that no reader ever sees half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{time.time_ns()}")
    try:
        with temporary.open("x", encoding="utf-8") as file:
            file.write(text)
        temporary.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
