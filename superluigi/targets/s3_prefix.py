"""`S3PrefixTarget`: all objects below a prefix, published as one.

S3 has no way to switch several objects at once, so the sidecar does it: it names every object with its
digest and ETag, and is written when all of them stand. Until then `<sidecar>.next` says that a publish is
under way, and `exists()` is False while the two disagree. What the old version had and the new one has
not is removed last; objects that others put below the prefix are left alone, and count as no part of it.
"""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from superluigi.errors import InputChanged, SidecarError, TargetConflict
from superluigi.s3.cache import CachedObject
from superluigi.s3.client import ClientSpec
from superluigi.s3.hand_out import local_name, place_file
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.s3.tree import build_tree
from superluigi.targets.base import SIDECAR_SUFFIX, Stash
from superluigi.targets.s3 import S3TargetWithMetadata, bucket_and_key
from superluigi.targets.s3_manifest import (
    Manifest,
    rows_digest,
    standing_content,
    unfinished_run,
)
from superluigi.targets.s3_publish import S3PendingOutput
from superluigi.targets.s3_publish_prefix import PendingPrefix
from superluigi.targets.s3_stash import PrefixStash, S3Stash
from superluigi.targets.state import Content, Observation

__all__ = ["S3PrefixTarget"]

_THREADS = 16
_HAND_OUT_TRIES = 3


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
        return is_filled and self._unfinished_run(self.announced()) is None

    def open(self, mode: str = "r") -> Any:
        """Refused: a prefix is not opened; open the objects below it."""
        message = (
            f"{self.path!r} is a prefix. Open one of its objects: "
            f"S3ObjectTarget({self.bucket!r}, f'{{target.prefix}}part.csv').open({mode!r})."
        )
        raise TargetConflict(message, target=self)

    def files(self) -> list[str]:
        """The keys of its objects, without the prefix, sorted."""
        return sorted(self._standing(self.rows(), self.announced())[0])

    def remove(self) -> None:
        """Delete all objects below the prefix, whoever put them there. The sidecar stays."""
        self.store.delete_many(self.bucket, [stat.key for stat in self.rows().values()])

    def remove_own(self) -> None:
        """Delete the objects that are its content: what others put beside what was published stays."""
        own, _ = self._standing(self.rows(), self.announced())
        self.store.delete_many(self.bucket, [stat.key for stat in own.values()])

    def observe(self) -> Observation:
        """One LIST, and a look for an unfinished publish."""
        seen = self.look()
        return replace(seen, run_id=self._unfinished_run(self.announced())) if seen.exists else seen

    @classmethod
    def observe_many(cls, targets: Sequence[S3PrefixTarget]) -> list[Observation]:
        """One LIST each, in threads."""
        return in_threads(_look_quietly, targets, threads=_THREADS)

    def read_content(self, observation: Observation) -> Content:
        """The digest over its objects: as published where that stands, else by ETags; none is read."""
        rows = self.rows()
        if not rows:
            raise self._missing()
        return self._standing(rows, self.announced())[1]

    def hand_out(self, directory: str, *, force_download: bool = False) -> tuple[str, Observation]:
        """A folder of clones, read-only links or copies of the local copies."""
        folder = f"{directory}/{local_name(self.prefix)}"
        observed_ns = time.time_ns()
        rows, copies = self._fetched(force=force_download)
        _build(copies, folder, writable=False)
        return folder, self.observation(rows, observed_ns)

    def begin_output(self, run_id: str) -> S3PendingOutput:
        """An empty folder of the same base name in the project's temporary directory."""
        return PendingPrefix(self, run_id)

    def stash(self, run_id: str) -> Stash | None:
        """Copies below another prefix within the store."""
        self.drop_needless_stash()
        return self._stash_of(run_id) if self.rows() else None

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
        _build(copies, to, writable=True)
        return to

    # -- for publishing ------------------------------------------------------------------------

    def look(self) -> Observation:
        """One LIST alone."""
        observed_ns = time.time_ns()
        return self.observation(self.rows(), observed_ns)

    def rows(self) -> dict[str, ObjectStat]:
        """The objects below the prefix, by their keys after it."""
        start = len(self.prefix)
        return {stat.key[start:]: stat for stat in self._listing() if self.is_file(stat)}

    def is_file(self, stat: ObjectStat) -> bool:
        """Not the sidecar inside, nor a placeholder that some tools make for a folder."""
        is_own = self.metadata_bucket == self.bucket and stat.key in (
            self.metadata_object_key,
            self.next_key,
        )
        return not is_own and not (stat.size_bytes == 0 and stat.key.endswith("/"))

    def observation(self, rows: Mapping[str, ObjectStat], observed_ns: int) -> Observation:
        """What a look that finds these rows shows; its ETag is a digest over theirs."""
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
        """What the sidecar names; None where it is missing or names not all."""
        return Manifest.of(self._standing_document())

    def delete_versions(self, etags: Mapping[str, str], *, keep: Mapping[str, Any]) -> None:
        """Remove objects that are still the versions of these ETags: what others wrote over them stays."""
        doomed = [path for path in etags if path not in keep]
        rows = self.rows() if doomed else {}
        self.store.delete_many(
            self.bucket,
            [rows[path].key for path in doomed if path in rows and rows[path].etag == etags[path]],
        )

    def _stash_of(self, run_id: str) -> S3Stash:
        return PrefixStash(self.store, self.bucket, self.prefix, run_id)

    def _listing(self) -> Iterator[ObjectStat]:
        return self.store.list_objects(self.bucket, self.prefix)

    def _standing_document(self) -> dict[str, Any] | None:
        with contextlib.suppress(SidecarError):
            return self.metadata()
        return None

    def _unfinished_run(self, announced: Mapping[str, Any]) -> str | None:
        return unfinished_run(announced, self._standing_document)

    def _standing(
        self, rows: Mapping[str, ObjectStat], announced: Mapping[str, Any]
    ) -> tuple[dict[str, ObjectStat], Content]:
        in_place = announced.get("state") in ("running", "failed")
        manifest = None if in_place else self.manifest()
        return standing_content(rows, manifest, self._claimed)

    def _claimed(self, paths: Sequence[str]) -> list[str | None]:
        stats = self.store.head_many([(self.bucket, self.prefix + path) for path in paths])
        return [f"sha256:{stat.sha256}" if stat and stat.sha256 else None for stat in stats]

    def _fetched(
        self, *, force: bool
    ) -> tuple[dict[str, ObjectStat], list[tuple[str, CachedObject]]]:
        """All listed rows, and local copies of exactly those versions of the content's objects."""
        for _ in range(_HAND_OUT_TRIES):
            rows, announced = self.rows(), self.announced()
            if not rows:
                raise self._missing()
            if self._unfinished_run(announced) is not None:
                break
            own = self._standing(rows, announced)[0]
            with contextlib.suppress(FileNotFoundError), self._reading():
                copies = self.cache.fetch_many(self.store, list(own.values()), force=force)
                if all(map(_is_as_listed, copies, own.values())):
                    return rows, list(zip(own, copies, strict=True))
        message = (
            f"{self.path!r} is being written, or its last publish was interrupted. "
            "Let whatever writes it finish, or run its task again."
        )
        raise InputChanged(message, target=self)


def _is_as_listed(copy: CachedObject, row: ObjectStat) -> bool:
    return copy.stat.is_same_version(row)


def _build(copies: list[tuple[str, CachedObject]], folder: str, *, writable: bool) -> None:
    build_tree(
        folder,
        [path for path, _ in copies],
        lambda index, to: place_file(copies[index][1].path, to, writable=writable),
    )


def _look_quietly(target: S3PrefixTarget) -> Observation:
    try:
        return target.look()
    except Exception as error:
        return Observation(exists=False, error=f"{error}")
