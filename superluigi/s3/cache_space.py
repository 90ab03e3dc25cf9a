"""The room that local copies take: counted, limited, checked, cleared. What is in use is never removed.

A copy that a task was handed as a link has one more link than the cache itself made, and counts as in use;
clones and open files outlive the removal of what they came from. When a copy was last used is the access
time of its file, which the cache sets itself; what was used just now is about to be handed out, and stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from superluigi.files import file_sha256, remove_tree, sweep_temporaries
from superluigi.s3.cache_index import CacheIndex

__all__ = ["CacheCheck", "CacheSpace", "CacheUsage"]

_USED_EVERY_NS = 5_000_000_000
_JUST_NOW_NS = 30_000_000_000
_UNIT_BYTES = 64 << 10
_LOOK_AFTER_SHARE = 20
_TRIM_TO = 0.9


@dataclass(frozen=True, slots=True)
class CacheUsage:
    """What a cache holds."""

    copies: int
    size_bytes: int
    in_use: int
    """Copies that running tasks were handed."""
    max_bytes: int | None
    free_bytes: int
    """On the disk that it is on."""


@dataclass(frozen=True, slots=True)
class CacheCheck:
    """What a check of all copies found."""

    copies: int
    damaged: tuple[str, ...]
    """Digests of the copies that were not what they had been; they were removed."""
    forgotten: int
    """Entries of the index that named no copy any more; they were removed."""


@dataclass(slots=True)
class _Held:
    """One file's worth of disk, and the names that the cache itself has for it."""

    size_bytes: int
    used_ns: int
    links: int
    blob: Path | None = None
    outs: Counter[Path] = field(default_factory=Counter)
    """The entries of `out/` that it is part of, each as often as it has links there."""

    @property
    def is_in_use(self) -> bool:
        return self.links > (self.blob is not None) + self.outs.total()


class CacheSpace:
    """The room below one cache's directory.

    Args:
        max_bytes: What the copies may take together; None for any amount.
        min_free_bytes: What is to stay free on the disk.
    """

    def __init__(
        self, root: Path, index: CacheIndex, *, max_bytes: int | None, min_free_bytes: int
    ) -> None:
        self._root = root
        self._index = index
        self._max_bytes = max_bytes
        self._min_free_bytes = min_free_bytes

    def usage(self) -> CacheUsage:
        """Count what is there."""
        held = self._held()
        return CacheUsage(
            copies=sum(each.blob is not None for each in held),
            size_bytes=sum(each.size_bytes for each in held),
            in_use=sum(each.is_in_use for each in held),
            max_bytes=self._max_bytes,
            free_bytes=self._free_bytes(),
        )

    def note_use(self, path: str, status: os.stat_result) -> None:
        """Remember that a copy is used now; once in a while is enough."""
        now = time.time_ns()
        if abs(now - status.st_atime_ns) > _USED_EVERY_NS:
            with contextlib.suppress(OSError):  # another user's
                os.utime(path, ns=(now, status.st_mtime_ns))

    def note_growth(self, size_bytes: int) -> None:
        """Make room again where what entered may have taken too much.

        All processes that use the cache count in one file, whose size is the count; only when it has grown
        by a part of the limit is everything looked at.
        """
        limit, counted = self._max_bytes, 0
        if limit is not None:
            with contextlib.suppress(OSError), self._growth.open("ab") as file:
                file.write(b"." * max(1, size_bytes // _UNIT_BYTES))
                counted = file.tell() * _UNIT_BYTES
        if limit is not None and counted >= limit // _LOOK_AFTER_SHARE:
            self.trim(used_before_ns=time.time_ns() - _JUST_NOW_NS)
        if self._free_bytes() < self._min_free_bytes:
            self.trim(used_before_ns=time.time_ns() - _USED_EVERY_NS)

    def trim(self, *, to_bytes: int | None = None, used_before_ns: int | None = None) -> int:
        """Remove what was not used for the longest time, as far as the limits ask for it.

        Args:
            to_bytes: What may stay, instead of what the limits say.
            used_before_ns: Leave what was used since then.

        Returns:
            Bytes that were freed.
        """
        with _only_one(self._root / "locks" / "trim") as is_mine:
            if not is_mine:
                return 0
            with contextlib.suppress(OSError):
                self._growth.unlink()
            held = self._held()
            total = sum(each.size_bytes for each in held)
            idle = [
                each
                for each in held
                if not each.is_in_use and (used_before_ns is None or each.used_ns < used_before_ns)
            ]
            return self._remove(idle, total - self._allowed(total, to_bytes))

    def clear(self) -> int:
        """Remove everything that is not in use; the bytes that were freed."""
        freed = self.trim(to_bytes=0)
        sweep_temporaries(f"{self._root}/tmp")
        self._index.forget_without(self._has_blob)
        return freed

    def verify(self) -> CacheCheck:
        """Read every copy, and remove what is not what it was."""
        damaged, held = [], self._held()
        for each in held:
            if each.blob is not None and not _is_whole(each.blob):
                damaged.append(each.blob.name)
                self._drop(each)
        sweep_temporaries(f"{self._root}/tmp")
        return CacheCheck(
            copies=sum(each.blob is not None for each in held),
            damaged=tuple(damaged),
            forgotten=self._index.forget_without(self._has_blob),
        )

    @property
    def _growth(self) -> Path:
        return self._root / "growth"

    def _allowed(self, total: int, to_bytes: int | None) -> int:
        if to_bytes is not None:
            return to_bytes
        allowed = total
        if self._max_bytes is not None and total > self._max_bytes:
            allowed = int(self._max_bytes * _TRIM_TO)
        lacking = self._min_free_bytes - self._free_bytes()
        return min(allowed, total - lacking) if lacking > 0 else allowed

    def _remove(self, idle: Iterable[_Held], too_much: int) -> int:
        freed = 0
        for each in sorted(idle, key=lambda each: each.used_ns):
            if freed >= too_much:
                break
            self._drop(each)
            freed += each.size_bytes
        return freed

    def _drop(self, held: _Held) -> None:
        for entry in held.outs:
            remove_tree(str(entry))
        if held.blob is not None:
            held.blob.unlink(missing_ok=True)

    def _held(self) -> list[_Held]:
        found: dict[tuple[int, int], _Held] = {}
        for path, status in _files(self._root / "cas"):
            _entry(found, status).blob = path
        out = self._root / "out"
        for path, status in _files(out):
            _entry(found, status).outs[out / path.relative_to(out).parts[0]] += 1
        return list(found.values())

    def _has_blob(self, sha256: str) -> bool:
        return (self._root / "cas" / "v1" / sha256[:2] / sha256).exists()

    def _free_bytes(self) -> int:
        for directory in (self._root, *self._root.parents):  # it may not be there yet
            with contextlib.suppress(OSError):
                return shutil.disk_usage(directory).free
        return 0


def _entry(found: dict[tuple[int, int], _Held], status: os.stat_result) -> _Held:
    held = _Held(status.st_size, _used_ns(status), status.st_nlink)
    return found.setdefault((status.st_dev, status.st_ino), held)


def _used_ns(status: os.stat_result) -> int:
    """When it was used last; one from the future, which a wrong clock wrote, counts as the oldest."""
    is_possible = status.st_atime_ns < time.time_ns() + _JUST_NOW_NS
    return status.st_atime_ns if is_possible else 0


def _files(directory: Path) -> Iterator[tuple[Path, os.stat_result]]:
    for folder, _, names in os.walk(directory):
        for name in names:
            path = Path(folder, name)
            with contextlib.suppress(OSError):  # removed meanwhile
                yield path, path.lstat()


def _is_whole(blob: Path) -> bool:
    try:
        return file_sha256(str(blob)) == blob.name
    except OSError:
        return False


@contextlib.contextmanager
def _only_one(path: Path) -> Iterator[bool]:
    """Whether no other process is at it; where locks do nothing, several are, which does no harm."""
    import fcntl

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError:
        yield True
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        except OSError:
            pass
        yield True
    finally:
        os.close(descriptor)
