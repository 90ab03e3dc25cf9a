"""`S3PrefixTarget`: all objects below a prefix, published as one.

S3 has no way to switch several objects at once, so the sidecar does it: it names every object with its
digest and ETag, and is written when all of them stand. Until then `<sidecar>.next` says that a publish is
under way, and `exists()` is False while the two disagree. What the old version had and the new one has
not is removed last; objects that others put below the prefix are left alone, and count as no part of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from superluigi_catalog.owner import this_owner

from superluigi.errors import (
    InputChanged,
    MetadataError,
    OutputNotWritten,
    SidecarError,
    SyncFailed,
    TargetConflict,
    TargetError,
)
from superluigi.files import tree_files
from superluigi.s3.cache import CachedObject, local_name
from superluigi.s3.checksums import Digests, digests_of
from superluigi.s3.client import ClientSpec
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.s3.tree import build_tree
from superluigi.s3.uri import check_key
from superluigi.sidecar import encode_sidecar
from superluigi.targets.base import SIDECAR_SUFFIX, Stash
from superluigi.targets.s3 import S3PendingOutput, S3TargetWithMetadata, bucket_and_key
from superluigi.targets.s3_manifest import Manifest, content_by_listing, rows_digest
from superluigi.targets.s3_stash import STASH_SUFFIX, PrefixStash
from superluigi.targets.state import Content, FileEntry, Observation, tree_content

__all__ = ["S3PrefixTarget"]

_THREADS = 16
_HAND_OUT_TRIES = 3
_PUBLISHING = "publishing"


class S3PrefixTarget(S3TargetWithMetadata):
    """The objects below a prefix, with their sidecar at `<prefix>.metadata.json`, or inside.

    Args:
        bucket: The bucket, or the whole URI.
        prefix: The prefix; a `/` is added at its end if there is none.
        uri: `s3://bucket/prefix/`, instead of the two.
        metadata_bucket: The sidecar's bucket, if it is another.
        metadata_object_key: The sidecar's key, if it is another.
        metadata_inside: Keep it below the prefix, as `.metadata.json`.
        profile: A profile of the AWS config files.
        role_arn: A role to assume.
        region: The bucket's region, where the profile does not say it.
        endpoint_url: Another S3 than Amazon's.
        addressing_style: `path` or `virtual`, where that other S3 needs it.

    Example:
        >>> S3PrefixTarget("lake", "events/2026").path
        's3://lake/events/2026/'
    """

    def __init__(
        self,
        bucket: str | None = None,
        prefix: str | None = None,
        *,
        uri: str | None = None,
        metadata_bucket: str | None = None,
        metadata_object_key: str | None = None,
        metadata_inside: bool = False,
        profile: str | None = None,
        role_arn: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        addressing_style: str | None = None,
    ) -> None:
        found, key = bucket_and_key(bucket, prefix, uri, kind="S3PrefixTarget")
        key = key if key.endswith("/") else f"{key}/"
        if metadata_inside:
            if metadata_bucket or metadata_object_key:
                message = f"'s3://{found}/{key}': give metadata_inside or a place, not both."
                raise ValueError(message)
            metadata_object_key = f"{key}{SIDECAR_SUFFIX}"
        super().__init__(
            (found, key),
            metadata_place=(metadata_bucket, metadata_object_key),
            spec=ClientSpec(profile, role_arn, region, endpoint_url, addressing_style),
        )

    @property
    def prefix(self) -> str:
        """The prefix, with its `/` at the end."""
        return self._key

    def exists(self) -> bool:
        """Whether objects are there, and no publish of them is unfinished.

        Raises:
            AccessDenied, BucketMissing: it is not known.
        """
        is_filled = any(self.is_file(stat) for stat in self._listing())
        return is_filled and self._unfinished_run() is None

    def open(self, mode: str = "r") -> Any:
        """Refused: a prefix is not opened; open the objects below it."""
        message = (
            f"{self.path!r} is a prefix. Open one of its objects: "
            f"S3ObjectTarget({self.bucket!r}, f'{{target.prefix}}part.csv').open({mode!r})."
        )
        raise TargetConflict(message, target=self)

    def files(self) -> list[str]:
        """The keys of its objects, without the prefix, sorted."""
        return sorted(self._standing(self.rows())[0])

    def remove(self) -> None:
        """Delete all objects below the prefix, whoever put them there. The sidecar stays."""
        self.store.delete_many(self.bucket, [stat.key for stat in self.rows().values()])

    def observe(self) -> Observation:
        """One LIST, and a look for an unfinished publish."""
        seen = self._look()
        run_id = self._unfinished_run() if seen.exists else None
        return _with_run_id(seen, run_id)

    @classmethod
    def observe_many(cls, targets: Sequence[S3PrefixTarget]) -> list[Observation]:
        """One LIST each, in threads."""
        return in_threads(_look_quietly, targets, threads=_THREADS)

    def read_content(self, observation: Observation) -> Content:  # noqa: ARG002
        """The digest over its objects: as published where that stands, else by ETags; none is read."""
        rows = self.rows()
        if not rows:
            raise self._missing()
        return self._standing(rows)[1]

    def hand_out(self, directory: str, *, force_download: bool = False) -> tuple[str, Observation]:
        """A folder of clones, read-only links or copies of the local copies."""
        folder = f"{directory}/{local_name(self.prefix)}"
        observed_ns = time.time_ns()
        rows, copies = self._fetched(force=force_download)
        self._place_all(copies, folder)
        return folder, self.observation(rows, observed_ns)

    def begin_output(self, run_id: str) -> S3PendingOutput:
        """An empty folder of the same base name in the project's temporary directory."""
        return PendingPrefix(self, run_id)

    def stash(self, run_id: str) -> Stash | None:
        """Copies below another prefix within the store."""
        if not self.rows():
            return None
        return PrefixStash(self.store, self.bucket, self.prefix, run_id)

    def put_back(self, location: str) -> bool:
        """Copy a stashed version back over whatever stands there."""
        run_id = location.rpartition(STASH_SUFFIX)[2].removesuffix("/")
        stash = PrefixStash(self.store, self.bucket, self.prefix, run_id)
        # A sidecar is untrusted text: only our own stashes of this very prefix count.
        return stash.location == location and stash.put_back()

    def remove_next(self) -> None:
        """Finish the removal of what the published version has not, then withdraw the announcement."""
        manifest = self.manifest()
        if manifest is not None and manifest.obsolete:
            self.delete_versions(manifest.obsolete, keep=manifest.files)
        super().remove_next()

    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """The local copy, a read-only folder; or a copy of one's own at `to`, which must not exist yet."""
        if to is not None and os.path.lexists(to):
            message = f"{to!r} exists already. Name a new folder to copy {self.path!r} to."
            raise TargetConflict(message, target=self)
        copies = self._fetched(force=force)[1]
        if to is None:
            return self.cache.local_tree(copies, self.prefix)
        Path(to).parent.mkdir(parents=True, exist_ok=True)
        self._place_all(copies, to, writable=True)
        return to

    def _listing(self) -> Any:
        return self.store.list_objects(self.bucket, self.prefix)

    def is_file(self, stat: ObjectStat) -> bool:
        """Not the sidecar inside, nor a placeholder that some tools make for a folder."""
        is_own = self.metadata_bucket == self.bucket and stat.key in (
            self.metadata_object_key,
            self.next_key,
        )
        return not is_own and not (stat.size_bytes == 0 and stat.key.endswith("/"))

    def rows(self) -> dict[str, ObjectStat]:
        start = len(self.prefix)
        return {stat.key[start:]: stat for stat in self._listing() if self.is_file(stat)}

    def _look(self) -> Observation:
        observed_ns = time.time_ns()
        return self.observation(self.rows(), observed_ns)

    def observation(self, rows: Mapping[str, ObjectStat], observed_ns: int) -> Observation:
        if not rows:
            return Observation(exists=False, observed_ns=observed_ns)
        digest = rows_digest(rows)
        return Observation(
            exists=True,
            token=f"etag-tree:{digest}",
            size_bytes=sum(row.size_bytes for row in rows.values()),
            etag=digest,
            file_count=len(rows),
            observed_ns=observed_ns,
        )

    def manifest(self) -> Manifest | None:
        with contextlib.suppress(SidecarError):
            return Manifest.of(self.metadata())
        return None

    def _announcement(self) -> dict[str, Any]:
        """What `<sidecar>.next` says; empty when there is none that can be read."""
        data = self.read_next()
        try:
            document = json.loads(data or b"{}")
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def _unfinished_run(self) -> str | None:
        """The run whose publish is under way or died before its sidecar was written."""
        announced = self._announcement()
        if announced.get("state") != _PUBLISHING:
            return None
        with contextlib.suppress(SidecarError):
            standing = self.metadata() or {}
            if standing.get("run_id") == announced.get("run_id"):
                return None
        return str(announced.get("run_id"))

    def _standing(self, rows: Mapping[str, ObjectStat]) -> tuple[dict[str, ObjectStat], Content]:
        """The objects that are the target's content, and that content.

        Where all that was published stands, it is that, whatever others put beside it. Otherwise it is
        everything: nobody can tell what belongs together.
        """
        manifest = self.manifest()
        if manifest is None or self._announcement().get("state") in ("running", "failed"):
            return dict(rows), content_by_listing(rows)
        digests = {path: manifest.digest_of(path, row) for path, row in rows.items()}
        rewritten = [path for path in manifest.files if path in rows and digests[path] is None]
        digests |= zip(
            rewritten, in_threads(self._claimed, rewritten, threads=_THREADS), strict=True
        )
        if all(digests.get(path) == entry.digest for path, entry in manifest.files.items()):
            own = {path: rows[path] for path in manifest.files}
            return own, tree_content(manifest.files.values())
        return dict(rows), content_by_listing(rows, digests)

    def _claimed(self, path: str) -> str | None:
        """The digest in an object's user metadata: the same bytes may have been written again."""
        found = self.store.head(self.bucket, self.prefix + path)
        return f"sha256:{found.sha256}" if found is not None and found.sha256 else None

    def _fetched(
        self, *, force: bool
    ) -> tuple[dict[str, ObjectStat], list[tuple[str, CachedObject]]]:
        """All listed rows, and local copies of exactly those versions of the content's objects."""
        for _ in range(_HAND_OUT_TRIES):
            rows = self.rows()
            if not rows:
                raise self._missing()
            if self._unfinished_run() is not None:
                break
            own = self._standing(rows)[0]
            with contextlib.suppress(FileNotFoundError), self._reading():
                copies = self.cache.fetch_many(self.store, list(own.values()), force=force)
                if all(
                    copy.stat.is_same_version(row)
                    for copy, row in zip(copies, own.values(), strict=True)
                ):
                    return rows, list(zip(own, copies, strict=True))
        message = (
            f"{self.path!r} is being written, or its last publish was interrupted. "
            "Let whatever writes it finish, or run its task again."
        )
        raise InputChanged(message, target=self)

    def _place_all(
        self, copies: list[tuple[str, CachedObject]], folder: str, *, writable: bool = False
    ) -> None:
        cache = self.cache
        build_tree(
            folder,
            [path for path, _ in copies],
            lambda index, to: cache.place(copies[index][1], to, writable=writable),
        )

    def delete_versions(self, etags: Mapping[str, str], *, keep: Mapping[str, Any]) -> None:
        """Remove objects that are still the versions that we made: others' stay."""
        doomed = [path for path in etags if path not in keep]
        rows = self.rows() if doomed else {}
        self.store.delete_many(
            self.bucket,
            [rows[path].key for path in doomed if path in rows and rows[path].etag == etags[path]],
        )


def _with_run_id(seen: Observation, run_id: str | None) -> Observation:
    from dataclasses import replace

    return seen if run_id is None else replace(seen, run_id=run_id)


def _look_quietly(target: S3PrefixTarget) -> Observation:
    try:
        return target._look()
    except Exception as error:
        return Observation(exists=False, error=f"{error}")
