"""Files and folders on a local filesystem: clones, atomic writes, digests, temporary directories.

Nothing here knows tasks, targets or the catalog.
"""

from __future__ import annotations

import contextlib
import errno
import functools
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
_SMALL_BYTES = 1 << 16
_FOREIGN_TEMPORARY_MAX_AGE_S = 7 * 24 * 3600


def file_sha256(path: str) -> str:
    """The SHA-256 of a file's bytes, 64 hex digits."""
    digest = hashlib.sha256()
    with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hot: one call per output
        while chunk := file.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


def tree_files(root: str) -> Iterator[tuple[str, os.stat_result]]:
    """Every file below `root` as (relative path with `/`, stat), unsorted; symlinks are followed.

    Our own temporaries are left out, and links to a folder that was entered on the way.
    """
    pending: list[tuple[str, tuple[str, ...]]] = [("", ())]
    while pending:
        folder, linked = pending.pop()
        with os.scandir(f"{root}/{folder}") as entries:
            for entry in entries:
                relative = f"{folder}/{entry.name}" if folder else entry.name
                if entry.name.startswith((TEMPORARY_PREFIX, STASH_PREFIX)):
                    continue
                if not entry.is_dir():
                    if entry.is_file():
                        yield relative, entry.stat()
                elif not entry.is_symlink():
                    pending.append((relative, linked))
                elif not _leads_back(entry.path, f"{root}/{folder}", linked):
                    pending.append((relative, (*linked, os.path.realpath(entry.path))))


def clone_or_copy(source: str, destination: str) -> None:
    """Copy a file, sharing its blocks where the filesystem can (reflink); the copy is writable.

    Raises:
        FileNotFoundError: `source` does not exist.
        shutil.SameFileError: `destination` is the file itself.
    """
    if os.path.exists(destination) and os.path.samefile(source, destination):  # noqa: PTH110, PTH121
        message = f"{source!r} and {destination!r} are one file"
        raise shutil.SameFileError(message)
    if not _clone(source, destination):
        _copy(source, destination)


def clone_or_copy_tree(source: str, destination: str) -> None:
    """Copy a folder's files, sharing blocks where the filesystem can.

    Raises:
        FileNotFoundError: `source` does not exist, or lost a file in the meantime.
    """
    files = list(tree_files(source))  # first: the copy may lie in the original
    Path(destination).mkdir(parents=True)
    for relative, _ in files:
        target = Path(destination, relative)
        target.parent.mkdir(parents=True, exist_ok=True)
        clone_or_copy(str(Path(source, relative)), str(target))


def replace_file(path: str, data: bytes) -> None:
    """Write a small file so that a reader sees the old bytes or the new ones, never a part."""
    parent = os.path.dirname(path)  # noqa: PTH120
    temporary = _temporary_path(parent, TEMPORARY_PREFIX)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    descriptor = os.open(temporary, flags, 0o666)
    try:
        try:
            _write_all(descriptor, data)
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
    path = _temporary_path(parent, prefix)
    try:
        os.mkdir(path)  # noqa: PTH102
    except FileNotFoundError:
        os.makedirs(parent, exist_ok=True)  # noqa: PTH103
        os.mkdir(path)  # noqa: PTH102
    return path


_shared: ContextVar[tuple[int, dict[str, str]] | None] = ContextVar(
    "superluigi_shared", default=None
)
"""Which process shares, and its directories by their parents."""


@contextlib.contextmanager
def shared_temporaries() -> Iterator[None]:
    """While inside, `temporary_place` uses one directory per parent instead of one per call.

    Making a directory costs as much as writing a small file. Forked children use those that are there.
    """
    directories: dict[str, str] = {}
    token = _shared.set((os.getpid(), directories))
    try:
        yield
    finally:
        _shared.reset(token)
        for directory in directories.values():
            remove_tree(directory)


def temporary_place(parent: str, name: str) -> tuple[str, bool]:
    """A temporary directory below `parent` in which nothing is called `name`, and whether it is shared."""
    shared = _shared.get()
    if shared is None:
        return new_temporary_directory(parent), False
    process, directories = shared
    directory = directories.get(parent)
    if directory is None and process == os.getpid():
        # A child's would be known to nobody who outlives it.
        directory = directories[parent] = new_temporary_directory(parent)
    if directory is None or os.path.lexists(f"{directory}/{name}"):
        return new_temporary_directory(parent), False
    return directory, True


def sweep_temporaries(parent: str) -> list[str]:
    """Remove the temporaries below `parent` whose owner is dead; their paths.

    Another host's are left alone for a week, because nothing here can tell whether it lives.
    """
    swept = []
    for path in _abandoned(parent, TEMPORARY_PREFIX):
        remove_tree(path)
        swept.append(path)
    for path in _abandoned(parent, STASH_PREFIX):
        # One that its owner died before filling; those with something in them are refused.
        with contextlib.suppress(OSError):
            os.rmdir(path)  # noqa: PTH106
    return swept


def _abandoned(parent: str, prefix: str) -> list[str]:
    """The paths below `parent` whose names begin so, and whose owner is dead."""
    try:
        with os.scandir(parent or ".") as entries:
            names = [entry.name for entry in entries if entry.name.startswith(prefix)]
    except OSError:
        return []
    paths = {name: f"{parent}/{name}" if parent else name for name in names}
    return [path for name, path in paths.items() if _is_abandoned(name, path)]


def remove_tree(path: str) -> None:
    """Remove a folder with all that is in it, also what was made read-only, or a file; nothing if it is gone.

    What cannot be removed at all stays.
    """
    if os.path.islink(path) or os.path.isfile(path):  # noqa: PTH113, PTH114
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path)  # noqa: PTH108
        return
    try:
        shutil.rmtree(path)
    except FileNotFoundError:
        pass
    except OSError:
        _make_writable(path)
        shutil.rmtree(path, ignore_errors=True)


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


def _leads_back(link: str, folder: str, linked: tuple[str, ...]) -> bool:
    """Whether a linked folder is one that was entered on the way to `folder`."""
    leads_to = os.path.realpath(link)
    way = (os.path.realpath(folder), *linked)
    return any(f"{entered}/".startswith(f"{leads_to}/") for entered in way)


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _copy(source: str, destination: str) -> None:
    """As `shutil.copyfile`, with fewer calls for the many that are small."""
    with open(source, "rb", buffering=0) as reader:  # noqa: PTH123
        data = reader.read(_SMALL_BYTES)
        if not reader.read(1):
            with open(destination, "wb", buffering=0) as writer:  # noqa: PTH123
                _write_all(writer.fileno(), data)
            return
    shutil.copyfile(source, destination)


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

    parent = os.path.dirname(destination) or "."  # noqa: PTH120
    pair = (os.stat(source).st_dev, os.stat(parent).st_dev)  # noqa: PTH116
    if pair in _cannot_clone_between:
        return False
    with open(source, "rb") as reader, open(destination, "wb") as writer:  # noqa: PTH123
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
    if libc.clonefile(os.fsencode(source), os.fsencode(destination), 0) != 0:
        return False
    mode = stat.S_IMODE(os.stat(destination).st_mode)  # noqa: PTH116
    os.chmod(destination, mode | stat.S_IWUSR)  # noqa: PTH101 - it comes with the original's mode
    return True


def _temporary_path(parent: str, prefix: str) -> str:
    name = f"{prefix}{_owner_name(os.getpid())}-{secrets.token_hex(4)}"
    return f"{parent}/{name}" if parent else name


@functools.lru_cache(maxsize=1)
def _owner_name(pid: int) -> str:
    """The owner as it stands in a file name: host, boot and number space as digests, pid, its start.

    The pid is the cache's key, so that a forked child asks again.
    """
    host, where, _, start = this_owner().split("|")
    boot, _, space = where.partition("/")
    return "-".join((_short(host), _short(boot), _short(space), str(pid), start or "0"))


def _short(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def _is_abandoned(name: str, path: str) -> bool:
    parts = name.removeprefix(TEMPORARY_PREFIX).removeprefix(STASH_PREFIX).split("-")
    own = _owner_name(os.getpid()).split("-")
    if len(parts) == 6 and parts[0] == own[0]:
        if parts[1] != own[1]:
            return True  # the machine was started again since
        if parts[2] == own[2]:
            host, boot, *_ = this_owner().split("|")
            return not is_alive(f"{host}|{boot}|{parts[3]}|{parts[4] if parts[4] != '0' else ''}")
    try:
        age_s = time.time() - os.lstat(path).st_mtime
    except OSError:
        return False
    return age_s > _FOREIGN_TEMPORARY_MAX_AGE_S


def _make_writable(path: str) -> None:
    """Let the owner read, write and enter every folder below `path`, and `path` itself."""
    with contextlib.suppress(OSError):
        os.chmod(path, stat.S_IRWXU)  # noqa: PTH101
        with os.scandir(path) as entries:
            folders = [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        for folder in folders:
            _make_writable(folder)
