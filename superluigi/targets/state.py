"""What a look at a target shows, and what its bytes are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from superluigi_catalog.records import Observed

__all__ = ["Content", "FileEntry", "Observation", "tree_content", "tree_fingerprint"]


@dataclass(frozen=True, slots=True)
class FileEntry:
    """One file of a folder or prefix."""

    path: str
    """Relative to the folder, with `/`."""
    size_bytes: int
    digest: str
    """`sha256:<64 hex>`, or `etag:<etag>:<size>` for an object that was not read."""


@dataclass(frozen=True, slots=True)
class Observation:
    """One cheap look at a target: a `stat`, a HEAD, a row of a LIST page. Nothing was read."""

    exists: bool
    token: str | None = None
    """Changes whenever the content may have changed; None when missing.

    A file: `stat:<size>:<mtime_ns>:<inode>:<ctime_ns>`; an object: `etag:<etag>:<size>`; a folder or
    prefix: a digest over its rows of those.
    """
    size_bytes: int | None = None
    mtime_ns: int | None = None
    """The newest of a folder's files; None for objects."""
    etag: str | None = None
    version_id: str | None = None
    file_count: int | None = None
    observed_ns: int = 0
    """When, in nanoseconds since the epoch, taken before looking."""
    error: str | None = None
    """Why it could not be looked at; `exists` is then False and means nothing."""
    fingerprint: str | None = None
    """The content, where the look itself reveals it (S3 user metadata that names the digest)."""
    run_id: str | None = None
    """The run that wrote it, where the look itself reveals it."""

    def as_record(self, uri: str, kind: str, fingerprint: str | None = None) -> Observed:
        """The look as the catalog keeps it.

        Args:
            uri: Of the target, in its stored form.
            kind: Its class.
            fingerprint: What stands there, where it was read.
        """
        state = "error" if self.error is not None else "present" if self.exists else "missing"
        return Observed(
            uri=uri,
            kind=kind,
            state=state,
            token=self.token,
            fingerprint=fingerprint,
            size_bytes=self.size_bytes,
            mtime_ns=self.mtime_ns,
            etag=self.etag,
            version_id=self.version_id,
            file_count=self.file_count,
            observed_ns=self.observed_ns,
            error=self.error,
        )


@dataclass(frozen=True, slots=True)
class Content:
    """What a target holds."""

    fingerprint: str
    """`sha256:<64 hex>`, `tree-sha256:<64 hex>`, `etag:<etag>:<size>`, `stat:<size>:<mtime_ns>`."""
    size_bytes: int | None = None
    file_count: int | None = None
    contents: tuple[FileEntry, ...] = field(default=(), repr=False)
    """A folder's files, sorted by path."""


def tree_fingerprint(entries: Iterable[FileEntry]) -> str:
    """The fingerprint of a folder or prefix: SHA-256 over its rows, sorted by path.

    A row is path, size and digest, separated by NUL and ended by a line feed, in UTF-8.
    """
    digest = hashlib.sha256()
    for entry in sorted(entries, key=lambda entry: entry.path):
        row = f"{entry.path}\0{entry.size_bytes}\0{entry.digest}\n"
        digest.update(row.encode("utf-8", "surrogateescape"))
    return f"tree-sha256:{digest.hexdigest()}"


def tree_content(entries: Iterable[FileEntry]) -> Content:
    """The content of a folder or prefix that has these files."""
    rows = tuple(sorted(entries, key=lambda entry: entry.path))
    return Content(
        fingerprint=tree_fingerprint(rows),
        size_bytes=sum(row.size_bytes for row in rows),
        file_count=len(rows),
        contents=rows,
    )
