"""Which blob of the cache holds which version of which object: one small file per object.

A file is named by the digest of what it is about, so that a key never becomes a path, and is replaced as
a whole, so that readers in other processes see one entry or the other. Losing it costs a download.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from superluigi.files import replace_file, sweep_temporaries
from superluigi.s3.objects import ObjectStat

__all__ = ["BlobState", "CacheIndex", "Entry", "Place"]

_FORMAT = "superluigi-cache/1"


@dataclass(frozen=True, slots=True)
class Place:
    """What an entry is about."""

    store: str
    bucket: str
    key: str
    version_id: str | None = None
    """None for whatever version is the newest."""


@dataclass(frozen=True, slots=True)
class BlobState:
    """A blob as it was when its bytes were last known to be right."""

    size_bytes: int
    mtime_ns: int
    inode: int
    boot: str
    """After a power loss a file may have its size and times, but not its bytes."""

    @classmethod
    def of(cls, status: os.stat_result, boot: str) -> BlobState:
        """As `stat` shows it now."""
        return cls(status.st_size, status.st_mtime_ns, status.st_ino, boot)


@dataclass(frozen=True, slots=True)
class Entry:
    """One version of one object, and the blob with its bytes."""

    place: Place
    etag: str
    version_id: str | None
    size_bytes: int
    sha256: str
    verified_by: str
    blob: BlobState

    def is_of(self, stat: ObjectStat) -> bool:
        """Whether the object is still this version: by ETag and version, never by size alone."""
        known = ObjectStat(
            self.place.bucket, self.place.key, self.size_bytes, self.etag, self.version_id
        )
        return known.is_same_version(stat)


class CacheIndex:
    """The entries below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def path_of(self, place: Place) -> Path:
        """Where the entry of a place is kept."""
        identity = json.dumps([place.store, place.bucket, place.key, place.version_id])
        name = hashlib.sha256(identity.encode()).hexdigest()
        return self._directory / name[:2] / f"{name}.json"

    def read(self, place: Place) -> Entry | None:
        """The entry; None when there is none, or none that can be used."""
        try:
            document = json.loads(self.path_of(place).read_bytes())
            entry = _decoded(document)
        except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
            return None
        return entry if entry.place == place else None

    def read_listing(self, place: Place) -> dict[str, Any] | None:
        """What was kept of a prefix; None when nothing was that can be used."""
        with contextlib.suppress(OSError, ValueError, AttributeError, RecursionError):
            document: dict[str, Any] = json.loads(self._listing_path(place).read_bytes())
            if document.pop("format") == _FORMAT and document.pop("place") == asdict(place):
                return document
        return None

    def write_listing(self, place: Place, document: dict[str, Any]) -> None:
        """Keep what makes up a prefix."""
        path = self._listing_path(place)
        path.parent.mkdir(parents=True, exist_ok=True)
        whole = {"format": _FORMAT, "place": asdict(place), **document}
        replace_file(str(path), json.dumps(whole).encode())

    def _listing_path(self, place: Place) -> Path:
        return self.path_of(place).with_suffix(".listing")

    def forget_without(self, has_blob: Callable[[str], bool]) -> int:
        """Remove the entries whose blob is gone, and what writers that died left; how many entries."""
        removed = 0
        for path in self._directory.glob("*/*.json"):
            with contextlib.suppress(OSError, ValueError, TypeError, KeyError, AttributeError):
                if not has_blob(_decoded(json.loads(path.read_bytes())).sha256):
                    path.unlink()
                    removed += 1
        for directory in self._directory.glob("*"):
            sweep_temporaries(str(directory))
        return removed

    def write(self, entry: Entry) -> None:
        """Replace the entry of its place."""
        path = self.path_of(entry.place)
        path.parent.mkdir(parents=True, exist_ok=True)
        document = {"format": _FORMAT, **asdict(entry)}
        replace_file(str(path), json.dumps(document).encode())


def _decoded(document: dict[str, Any]) -> Entry:
    if document.pop("format") != _FORMAT:
        message = "another format"
        raise ValueError(message)
    place, blob = Place(**document.pop("place")), BlobState(**document.pop("blob"))
    entry = Entry(place=place, blob=blob, **document)
    if len(entry.sha256) != 64 or not entry.sha256.isalnum():
        message = "no digest"
        raise ValueError(message)
    return entry
