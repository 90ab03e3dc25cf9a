"""What a prefix's sidecar says of its objects, compared with what a listing shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from superluigi.s3.objects import ObjectStat
from superluigi.targets.state import Content, FileEntry, tree_content

__all__ = [
    "PUBLISHING",
    "Manifest",
    "rows_digest",
    "standing_content",
    "unfinished_run",
]

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

        A sidecar beside what a task wrote in place, or beside what was adopted, does not.
        """
        output = (document or {}).get("output") or {}
        contents = output.get("contents") or []
        if not contents or output.get("file_count") != len(contents):
            return None
        if not all(isinstance(row.get("etag"), str) and "fingerprint" in row for row in contents):
            return None
        obsolete = output.get("obsolete")
        return cls(
            {
                row["path"]: FileEntry(row["path"], row.get("size_bytes", -1), row["fingerprint"])
                for row in contents
            },
            {row["path"]: row["etag"] for row in contents},
            obsolete if isinstance(obsolete, dict) else {},
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


def standing_content(
    rows: Mapping[str, ObjectStat],
    manifest: Manifest | None,
    claimed: Callable[[list[str]], Iterable[str | None]],
) -> tuple[dict[str, ObjectStat], Content]:
    """The objects that are a prefix's content, and that content.

    Where all that was published stands, it is that, whatever others put beside it. Otherwise it is
    everything that is listed, because nobody can tell what belongs together.

    Args:
        claimed: Gives for paths the digests in the objects' user metadata: the same bytes may have been
            written again, and then have another ETag.
    """
    if manifest is None:
        return dict(rows), tree_content(_entries(rows, {}))
    digests = {path: manifest.digest_of(path, row) for path, row in rows.items()}
    rewritten = [path for path in manifest.files if path in rows and digests[path] is None]
    digests |= zip(rewritten, claimed(rewritten), strict=True)
    if all(digests.get(path) == entry.digest for path, entry in manifest.files.items()):
        own = {path: rows[path] for path in manifest.files}
        return own, tree_content(manifest.files.values())
    return dict(rows), tree_content(_entries(rows, digests))


def rows_digest(rows: Mapping[str, ObjectStat]) -> str:
    """32 hex digits over the versions that a listing shows."""
    digest = hashlib.sha256()
    for path, row in sorted(rows.items()):
        digest.update(f"{path}\0{row.size_bytes}\0{row.etag}\n".encode())
    return digest.hexdigest()[:32]


def unfinished_run(
    announced: Mapping[str, Any], standing: Callable[[], Mapping[str, Any] | None]
) -> str | None:
    """The run whose publish is under way, or died before its sidecar was written.

    Args:
        standing: Gives the sidecar's document; called only when it matters.
    """
    if announced.get("state") != PUBLISHING:
        return None
    run_id = announced.get("run_id")
    return None if (standing() or {}).get("run_id") == run_id else str(run_id)


def _entries(
    rows: Mapping[str, ObjectStat], digests: Mapping[str, str | None]
) -> Iterable[FileEntry]:
    for path, row in rows.items():
        by_etag = f"etag:{row.etag}:{row.size_bytes}"
        yield FileEntry(path, row.size_bytes, digests.get(path) or by_etag)
