"""What a prefix's sidecar says of its objects, compared with what a listing shows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from superluigi.s3.checksums import Digests
from superluigi.s3.objects import ObjectStat
from superluigi.targets.state import Content, FileEntry, tree_content

__all__ = [
    "PUBLISHING",
    "Manifest",
    "obsolete_versions",
    "published_rows",
    "rows_digest",
    "standing_content",
    "unchanged_rows",
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
    staged: Mapping[str, str]
    """Objects that may still lie in the staging area, with the ETags of what they are to replace; "" for
    nothing."""
    run_id: str
    """The run that published them."""

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
        return cls(
            {
                row["path"]: FileEntry(row["path"], row.get("size_bytes", -1), row["fingerprint"])
                for row in contents
            },
            {row["path"]: row["etag"] for row in contents},
            _texts(output.get("obsolete")),
            _texts(output.get("staged")),
            str((document or {}).get("run_id")),
        )

    def digest_of(self, path: str, row: ObjectStat | None) -> str | None:
        """The digest that was published, if the listed object is still that version."""
        entry = self.files.get(path)
        if entry is None or row is None:
            return None
        is_same = (self.etags[path], entry.size_bytes) == (row.etag, row.size_bytes)
        return entry.digest if is_same else None

    def is_untouched(self, path: str, row: ObjectStat | None) -> bool:
        """Whether what a staged object is to replace still stands as it was, or is gone."""
        return path in self.staged and (row is None or row.etag == self.staged[path])

    def with_etags(self) -> dict[str, str]:
        """Every object that a publish of ours is known to have made, with its ETag."""
        return {**self.obsolete, **self.etags}


def published_rows(
    rows: Mapping[str, ObjectStat],
    manifest: Manifest,
    claimed: Callable[[list[str]], Iterable[str | None]],
    staged: Callable[[], Mapping[str, ObjectStat]],
    may_replace: Callable[[str, ObjectStat | None], bool],
) -> dict[str, ObjectStat] | None:
    """The objects that have what was published, all of them, or None where one does not stand any more.

    Args:
        rows: What is listed below the prefix.
        claimed: Gives for paths the digests in the objects' user metadata: the same bytes may have been
            written again, and then have another ETag.
        staged: Gives what lies in the staging area; called only while a switch is under way.
        may_replace: Whether what lies there is to replace what is listed.
    """
    standing = {path: rows.get(path) for path in manifest.files}
    wrong = [path for path, row in standing.items() if manifest.digest_of(path, row) is None]
    if any(path in manifest.staged for path in wrong):
        waiting = staged()
        for path in wrong:
            is_waiting = manifest.digest_of(path, waiting.get(path)) is not None
            if is_waiting and may_replace(path, rows.get(path)):
                standing[path] = waiting[path]
    left = [path for path in wrong if standing[path] is rows.get(path)]
    if any(path not in rows for path in left):
        return None
    if list(claimed(left)) != [manifest.files[path].digest for path in left]:
        return None
    return {path: row for path, row in standing.items() if row is not None}


def standing_content(
    rows: Mapping[str, ObjectStat],
    manifest: Manifest | None,
    published: Mapping[str, ObjectStat] | None,
) -> Content:
    """What a prefix holds.

    Where all that was published stands, it is that, whatever others put beside it. Otherwise it is
    everything that is listed, because nobody can tell what belongs together.

    Args:
        published: The answer of `published_rows`.
    """
    if manifest is None:
        return tree_content(_entries(rows, {}))
    if published is not None:
        return tree_content(manifest.files.values())
    return tree_content(
        _entries(rows, {path: manifest.digest_of(path, row) for path, row in rows.items()})
    )


def unchanged_rows(
    digests: Mapping[str, Digests], rows: Mapping[str, ObjectStat], previous: Manifest | None
) -> dict[str, ObjectStat]:
    """The objects that need no upload: published before with the same bytes, and untouched since."""
    if previous is None:
        return {}
    return {
        path: rows[path]
        for path, wanted in digests.items()
        if previous.digest_of(path, rows.get(path)) == f"sha256:{wanted.sha256}"
    }


def obsolete_versions(
    rows: Mapping[str, ObjectStat], previous: Manifest | None, ours: Container[str]
) -> dict[str, str]:
    """The objects of earlier publishes that this one has not, as long as nobody else rewrote them."""
    if previous is None:
        return {}
    return {
        path: etag
        for path, etag in previous.with_etags().items()
        if path not in ours and path in rows and rows[path].etag == etag
    }


def rows_digest(rows: Mapping[str, ObjectStat]) -> str:
    """32 hex digits over the versions that a listing shows."""
    digest = hashlib.sha256()
    for path, row in sorted(rows.items()):
        digest.update(f"{path}\0{row.size_bytes}\0{row.etag}\n".encode())
    return digest.hexdigest()[:32]


def _texts(value: Any) -> dict[str, str]:
    """A mapping of a sidecar, which is untrusted; empty where it is none."""
    if not isinstance(value, dict):
        return {}
    return {key: text for key, text in value.items() if isinstance(text, str)}


def _entries(
    rows: Mapping[str, ObjectStat], digests: Mapping[str, str | None]
) -> Iterable[FileEntry]:
    for path, row in rows.items():
        by_etag = f"etag:{row.etag}:{row.size_bytes}"
        yield FileEntry(path, row.size_bytes, digests.get(path) or by_etag)
