"""Files and folders on a local filesystem: clones, atomic writes, digests, temporary directories.

Nothing here knows tasks, targets or the catalog.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import secrets
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path

from superluigi_catalog.owner import is_alive, this_owner

__all__ = [
    "clone_or_copy",
    "clone_or_copy_tree",
    "file_sha256",
    "new_temporary_directory",
    "remove_tree",
    "replace_file",
    "shared_temporaries",
    "sweep_temporaries",
    "sync_directory",
    "sync_file",
    "temporary_place",
    "tree_files",
]

TEMPORARY_PREFIX = ".superluigi-tmp-"
"""Names of our temporary directories begin so, beside targets and in the project's home."""

STASH_PREFIX = ".superluigi-stash-"
"""Directories with an old version put aside begin so; no sweep removes them."""

_CHUNK_BYTES = 1 << 20
_FOREIGN_TEMPORARY_MAX_AGE_S = 7 * 24 * 3600


def file_sha256(path: str) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hot: one call per output
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def tree_files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below `root` as (relative path with `/`, stat), unsorted; symlinks to files are followed.

    Our own temporaries are left out; symlinked folders are not entered, so that a cycle ends.
    """
    pending = [""]
    while pending:
        folder = pending.pop()
        with os.scandir(os.path.join(root, folder)) as entries:  # noqa: PTH118
            for entry in entries:
                relative = f"{folder}/{entry.name}" if folder else entry.name
                if entry.is_dir(follow_symlinks=False):
                    if not entry.name.startswith((TEMPORARY_PREFIX, STASH_PREFIX)):
                        pending.append(relative)
                elif entry.is_file():
                    yield relative, entry.stat()


def clone_or_copy(source: str, destination: str) -> None:
    """Copy a file, sharing its blocks where the filesystem can (reflink); the copy is writable.

    Raises:
        FileNotFoundError: `source` does not exist.
    """
    if not _clone(source, destination):
        shutil.copyfile(source, destination)


def clone_or_copy_tree(source: str, destination: str) -> None:
    """Copy a folder's files, sharing blocks where the filesystem can."""
    Path(destination).mkdir(parents=True)
    for relative, _ in tree_files(source):
        target = Path(destination, relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        clone_or_copy(str(Path(source, relative)), str(target))


def replace_file(path: str, data: bytes, *, durable: bool = False) -> None:
    """Write a small file so that a reader sees the old bytes or the new ones, never a part."""
    temporary = f"{path}.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(temporary, flags, 0o666)
    try:
        try:
            os.write(descriptor, data) if len(data) < _CHUNK_BYTES else _write_all(descriptor, data)
            if durable:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)
        os.replace(temporary, path)  # noqa: PTH105
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise


def new_temporary_directory(parent: str, *, prefix: str = TEMPORARY_PREFIX) -> str:
    """A fresh directory below `parent` whose name says which process owns it.

    Args:
        prefix: `TEMPORARY_PREFIX` for what a sweep may remove, `STASH_PREFIX` for what only the recovery
            of its own target may.
    """
    name = f"{prefix}{_owner_name()}-{secrets.token_hex(4)}"
    path = f"{parent}/{name}" if parent else name
    try:
        os.mkdir(path)  # noqa: PTH102
    except FileNotFoundError:
        os.makedirs(parent, exist_ok=True)  # noqa: PTH103
        os.mkdir(path)  # noqa: PTH102
    return path


_shared: ContextVar[dict[str, str] | None] = ContextVar("superluigi_shared", default=None)


@contextlib.contextmanager
def shared_temporaries() -> Iterator[None]:
    """While inside, `temporary_place` uses one directory per parent instead of one per call.

    Making a directory costs as much as writing a small file. Forked children use the parent's.
    """
    directories: dict[str, str] = {}
    token = _shared.set(directories)
    try:
        yield
    finally:
        _shared.reset(token)
        for directory in directories.values():
            remove_tree(directory)


def temporary_place(parent: str, name: str) -> tuple[str, bool]:
    """A temporary directory below `parent` in which nothing is called `name`, and whether it is shared."""
    directories = _shared.get()
    if directories is None:
        return new_temporary_directory(parent), False
    directory = directories.get(parent)
    if directory is None:
        directory = directories[parent] = new_temporary_directory(parent)
    if os.path.lexists(f"{directory}/{name}"):
        return new_temporary_directory(parent), False
    return directory, True


def sweep_temporaries(parent: str) -> list[str]:
    """Remove the temporary directories below `parent` whose owner is dead; their paths.

    Another host's are left alone for a week, because nothing here can tell whether it lives.
    """
    swept = []
    try:
        names = [name for name in os.listdir(parent or ".") if name.startswith(TEMPORARY_PREFIX)]
    except OSError:
        return []
    for name in names:
        path = f"{parent}/{name}" if parent else name
        if _is_abandoned(name, path):
            remove_tree(path)
            swept.append(path)
    return swept


def remove_tree(path: str) -> None:
    """Remove a folder with all that is in it, also what was made read-only; nothing if it is gone."""
    if not os.path.lexists(path):
        return
    shutil.rmtree(path, onerror=_make_writable_and_retry)


def sync_file(path: str) -> None:
    """Force a file's bytes to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_directory(path: str) -> None:
    """Force a directory's entries to the disk, where the platform can."""
    if sys.platform != "win32":
        sync_file(path or ".")


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _clone(source: str, destination: str) -> bool:
    if sys.platform == "linux":
        return _clone_linux(source, destination)
    if sys.platform == "darwin":
        return _clone_macos(source, destination)
    return False


_FICLONE = 0x40049409
_CANNOT_CLONE = {
    errno.EOPNOTSUPP,
    errno.ENOTTY,
    errno.EXDEV,
    errno.EINVAL,
    errno.ENOSYS,
    errno.EPERM,
}
_cannot_clone_between: set[tuple[int, int]] = set()


def _clone_linux(source: str, destination: str) -> bool:
    import fcntl

    with open(source, "rb") as reader:  # noqa: PTH123
        pair = (os.fstat(reader.fileno()).st_dev, os.stat(Path(destination).parent).st_dev)  # noqa: PTH116
        if pair in _cannot_clone_between:
            return False
        with open(destination, "wb") as writer:  # noqa: PTH123
            try:
                fcntl.ioctl(writer.fileno(), _FICLONE, reader.fileno())
            except OSError as error:
                if error.errno not in _CANNOT_CLONE:
                    raise
                _cannot_clone_between.add(pair)
                return False
    return True


def _clone_macos(source: str, destination: str) -> bool:
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return libc.clonefile(os.fsencode(source), os.fsencode(destination), 0) == 0


def _owner_name() -> str:
    """The owner as it stands in a file name: machine and boot as a digest, pid, the pid's start."""
    host, boot, pid, start = (this_owner().split("|") + ["", "", ""])[:4]
    machine = hashlib.sha256(f"{host}|{boot}".encode()).hexdigest()[:8]
    return f"{machine}-{pid}-{start or 0}"


def _is_abandoned(name: str, path: str) -> bool:
    parts = name[len(TEMPORARY_PREFIX) :].split("-")
    host, boot, *_ = this_owner().split("|")
    machine = hashlib.sha256(f"{host}|{boot}".encode()).hexdigest()[:8]
    if len(parts) == 4 and parts[0] == machine:
        return not is_alive(f"{host}|{boot}|{parts[1]}|{parts[2]}")
    try:
        age_s = time.time() - os.stat(path).st_mtime  # noqa: PTH116
    except OSError:
        return False
    return age_s > _FOREIGN_TEMPORARY_MAX_AGE_S


def _make_writable_and_retry(function: object, path: str, _: object) -> None:
    with contextlib.suppress(OSError):
        os.chmod(Path(path).parent, stat.S_IRWXU)  # noqa: PTH101
        os.chmod(path, stat.S_IRWXU)  # noqa: PTH101
        if callable(function):
            function(path)
