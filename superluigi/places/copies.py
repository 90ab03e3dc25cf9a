"""Local copies of remote targets, for the catalog: what nobody used for long."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from superluigi.project import Project
from superluigi_catalog.places import LocalCopy

__all__ = ["CachedCopies"]

_KEPT_IN = ("cas", "out")
"""Where the cache keeps bytes; its index is small, and an entry without bytes costs a download."""


class CachedCopies:
    """The files of a project's cache.

    Args:
        project: Whose.
    """

    def __init__(self, project: Project) -> None:
        self._root = project.home / "cache"

    def unused(self, before_ns: int) -> list[LocalCopy]:
        """List the copies that were neither made nor read since then, as far as the filesystem tells."""
        copies = []
        for path in self._files():
            try:
                status = path.lstat()
            except OSError:
                continue
            # A link that was handed out is another name of the same bytes, and takes no room.
            used_ns = max(status.st_mtime_ns, status.st_atime_ns, status.st_ctime_ns)
            if used_ns < before_ns:
                size = status.st_size if status.st_nlink < 2 or "cas" in path.parts else 0
                copies.append(LocalCopy(str(path), size, used_ns))
        return sorted(copies, key=lambda copy: copy.path)

    def remove_copy(self, copy: LocalCopy) -> str:
        """Remove one, unless it was used meanwhile."""
        path = Path(copy.path)
        try:
            status = path.lstat()
            if max(status.st_mtime_ns, status.st_atime_ns, status.st_ctime_ns) > copy.used_ns:
                return "It was used meanwhile."
            path.unlink()
        except FileNotFoundError:
            return ""
        except OSError as error:
            return str(error)
        return ""

    def _files(self) -> Iterator[Path]:
        for name in _KEPT_IN:
            for folder, _, files in os.walk(self._root / name):
                yield from (Path(folder, file) for file in files)
