"""Keys below a prefix as files below a folder: exactly, or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from superluigi.errors import TargetConflict

__all__ = ["build_tree", "check_path", "is_tree_of"]


def build_tree(folder: str, paths: Sequence[str], place: Callable[[int, str], None]) -> None:
    """Make a folder with a file for each relative path.

    Args:
        place: Called with an index into `paths` and the path to make.

    Raises:
        TargetConflict: a path cannot be that of a file here: it leads out of the folder, has an empty
            part, or is also the folder of another.
    """
    Path(folder).mkdir()
    made = {""}
    for index, path in enumerate(paths):
        check_path(path)
        parent = path.rpartition("/")[0]
        try:
            if parent not in made:
                Path(folder, parent).mkdir(parents=True, exist_ok=True)
                made.add(parent)
            destination = Path(folder, path)
            if destination.exists():
                raise _conflict(
                    path, "two keys are one name here, or one is the folder of the other"
                )
            place(index, str(destination))
        except (FileExistsError, NotADirectoryError) as error:
            raise _conflict(path, "another key is its folder") from error


def is_tree_of(folder: str, files: Sequence[tuple[str, str]]) -> bool:
    """Whether a folder has just these files, (relative path, original), as they were placed there."""
    expected = dict(files)
    for directory, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(directory, name)  # noqa: PTH118
            original = expected.pop(os.path.relpath(path, folder), None)
            if original is None or not _looks_same(path, original):
                return False
    return not expected


def _looks_same(path: str, original: str) -> bool:
    try:
        one, other = os.stat(path), os.stat(original)  # noqa: PTH116
    except OSError:
        return False
    return (one.st_size, one.st_mtime_ns) == (other.st_size, other.st_mtime_ns)


def check_path(path: str) -> None:
    """Refuse what cannot be the path of a file below a folder.

    Raises:
        TargetConflict: it leads out of the folder, has an empty part, or one that is too long.
    """
    parts = path.split("/")
    if "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise _conflict(path, "it has an empty part, '.' or '..'")
    if any(len(os.fsencode(part)) > 255 for part in parts):
        raise _conflict(path, "a part of it is longer than 255 bytes")


def _conflict(path: str, why: str) -> TargetConflict:
    message = (
        f"The key {path!r} of the prefix cannot be a file in a folder: {why}. "
        "Rename the object, or read it as an S3ObjectTarget."
    )
    return TargetConflict(message)
