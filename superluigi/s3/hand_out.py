"""Files between the cache and those who read or made them: shared where it is safe, else copied."""

from __future__ import annotations

import contextlib
import errno
import os
import stat as modes
from pathlib import Path

from superluigi.files import _clone, clone_or_copy

__all__ = ["READ_ONLY", "linked_files", "local_name", "place_file", "take_over", "written_to"]

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


def linked_files(path: str) -> dict[str, os.stat_result]:
    """The files at or below a path that share their bytes with others, as they are now."""
    folders = os.walk(path) if os.path.isdir(path) else [("", [], [path])]  # noqa: PTH112
    files = (os.path.join(folder, name) for folder, _, names in folders for name in names)  # noqa: PTH118
    states = {file: os.stat(file) for file in files}  # noqa: PTH116
    return {file: state for file, state in states.items() if state.st_nlink > 1}


def written_to(before: dict[str, os.stat_result]) -> list[str]:
    """Those of `linked_files` whose bytes somebody changed since; what was removed or replaced is none of them."""
    changed = []
    for file, then in before.items():
        with contextlib.suppress(OSError):
            now = os.stat(file)  # noqa: PTH116
            is_same_file = (now.st_dev, now.st_ino) == (then.st_dev, then.st_ino)
            if is_same_file and _state(now) != _state(then):
                changed.append(file)
    return changed


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


def _state(status: os.stat_result) -> tuple[int, int]:
    return status.st_size, status.st_mtime_ns


def _allow_writing(path: str) -> None:
    mode = os.stat(path).st_mode  # noqa: PTH116
    if not mode & modes.S_IWUSR:
        os.chmod(path, mode | modes.S_IWUSR)  # noqa: PTH101
