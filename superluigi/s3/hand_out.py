"""Files between the cache and those who read or made them: shared where it is safe, else copied."""

from __future__ import annotations

import errno
import os
import stat as modes
from pathlib import Path

from superluigi.files import _clone, clone_or_copy

__all__ = ["READ_ONLY", "local_name", "place_file", "take_over"]

READ_ONLY = 0o444
_MAX_NAME_BYTES = 255


def place_file(blob: str, destination: str, *, writable: bool = False) -> None:
    """Make a path that does not exist yet a clone of a blob, else a read-only link, else a copy.

    Args:
        writable: A file that may be written to; it shares nothing with the cache.
    """
    if writable:
        clone_or_copy(blob, destination)
        _allow_writing(destination)
    elif _clone(blob, destination):
        status = os.stat(blob)  # noqa: PTH116
        os.utime(destination, ns=(status.st_atime_ns, status.st_mtime_ns))
        os.chmod(destination, READ_ONLY)  # noqa: PTH101
    else:
        Path(destination).unlink(missing_ok=True)  # what a refused clone leaves
        _link_or_copy(blob, destination)


def take_over(source: str, destination: str) -> None:
    """Move a file that nobody needs any more; copy one that somebody may need after all."""
    status = os.lstat(source)
    if not modes.S_ISREG(status.st_mode) or status.st_nlink > 1:
        # A link to somebody's file would make that file part of the cache.
        clone_or_copy(source, destination)
        return
    try:
        os.replace(source, destination)  # noqa: PTH105
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        clone_or_copy(source, destination)
        os.unlink(source)  # noqa: PTH108


def local_name(key: str) -> str:
    """The last part of a key as a file's name; where that cannot be one, one that ends as it does.

    Example:
        >>> local_name("raw/2026/a.csv.gz"), local_name("../.."), local_name("folder/")
        ('a.csv.gz', 'object', 'folder')
    """
    name = key.rstrip("/").rpartition("/")[2].replace("\0", "_")
    if name in ("", ".", ".."):
        return "object"
    encoded = name.encode()
    if len(encoded) > _MAX_NAME_BYTES:
        name = encoded[-_MAX_NAME_BYTES:].decode(errors="ignore")
    return name


def _link_or_copy(source: str, destination: str) -> None:
    try:
        os.link(source, destination)
    except OSError:  # another filesystem, another user's blob, too many links
        clone_or_copy(source, destination)
        os.chmod(destination, READ_ONLY)  # noqa: PTH101


def _allow_writing(path: str) -> None:
    mode = os.stat(path).st_mode  # noqa: PTH116
    if not mode & modes.S_IWUSR:
        os.chmod(path, mode | modes.S_IWUSR)  # noqa: PTH101
