"""What a prefix's sidecar says of its objects, compared with what a listing shows."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from superluigi.s3.objects import ObjectStat
from superluigi.targets.state import Content, FileEntry, tree_content

__all__ = ["PUBLISHING", "Manifest", "content_by_listing", "rows_digest"]

PUBLISHING = "publishing"
"""The state that `<sidecar>.next` has while objects are uploaded."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The objects that one publish made a prefix of, by their keys after the prefix."""

    files: Mapping[str, FileEntry]
    etags: Mapping[str, str]
    obsolete: Mapping[str, str]
    """Objects of earlier publishes that were to be removed, with their ETags."""

    @classmethod
    def of(cls, document: Mapping[str, Any] | None) -> Manifest | None:
        """The manifest in a sidecar; None where it does not name every object with its ETag.

        A sidecar that was written beside what a task wrote in place does not.
        """
        output = (document or {}).get("output") or {}
        contents = output.get("contents") or []
        complete = output.get("file_count") == len(contents) and contents
        if not complete or not all(row.get("etag") for row in contents):
            return None
        obsolete = output.get("obsolete") or {}
        return cls(
            {
                row["path"]: FileEntry(row["path"], row["size_bytes"], row["fingerprint"])
                for row in contents
            },
            {row["path"]: str(row["etag"]) for row in contents},
            {str(path): str(etag) for path, etag in obsolete.items()},
        )

    def digest_of(self, path: str, row: ObjectStat) -> str | None:
        """The digest that was published, if the listed object is still that version."""
        entry = self.files.get(path)
        if entry is None or (self.etags[path], entry.size_bytes) != (row.etag, row.size_bytes):
            return None
        return entry.digest

    def with_etags(self) -> dict[str, str]:
        """Every object that a publish of ours is known to have made, with its ETag."""
        return {**self.obsolete, **self.etags}


def rows_digest(rows: Mapping[str, ObjectStat]) -> str:
    """32 hex digits over the versions that a listing shows."""
    digest = hashlib.sha256()
    for path, row in sorted(rows.items()):
        digest.update(f"{path}\0{row.size_bytes}\0{row.etag}\n".encode())
    return digest.hexdigest()[:32]


def content_by_listing(
    rows: Mapping[str, ObjectStat], digests: Mapping[str, str | None] | None = None
) -> Content:
    """The content of listed objects: by digest where one is known, else by ETag."""
    known = digests or {}
    return tree_content(_entries(rows, known))


def _entries(
    rows: Mapping[str, ObjectStat], digests: Mapping[str, str | None]
) -> Iterable[FileEntry]:
    for path, row in rows.items():
        by_etag = f"etag:{row.etag}:{row.size_bytes}"
        yield FileEntry(path, row.size_bytes, digests.get(path) or by_etag)
