"""`S3PrefixTarget`: all objects below a prefix, published as one.

S3 has no way to switch several objects at once, so the sidecar does it: it names every object with its
digest and ETag, and whoever reads through this target reads what it names. What would overwrite an object
of the old version waits beside the prefix until the sidecar has switched (`s3_switch`), so that a reader
finds the whole old version or the whole new one at every instant. What the old version had and the new one
has not is removed last; objects that others put below the prefix are left alone, and are no part of it.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from superluigi.errors import TargetConflict
from superluigi.files import new_temporary_directory, remove_tree
from superluigi.s3.client import ClientSpec
from superluigi.s3.hand_out import local_name
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.targets.base import SIDECAR_SUFFIX, Stash
from superluigi.targets.s3 import (
    S3TargetWithMetadata,
    bucket_and_key,
    claimed_run_id,
    is_of_living_other,
)
from superluigi.targets.s3_listing import list_with_sidecar
from superluigi.targets.s3_manifest import (
    PUBLISHING,
    Manifest,
    rows_digest,
)
from superluigi.targets.s3_prefix_copies import build_folder, fetch_prefix
from superluigi.targets.s3_publish import S3PendingOutput
from superluigi.targets.s3_publish_prefix import PendingPrefix, fill_in
from superluigi.targets.s3_standing import Standing, claimed_digest, look_at_standing
from superluigi.targets.s3_stash import PrefixStash, S3Stash
from superluigi.targets.s3_switch import Staging, finish_switch, withdraw_uploads
from superluigi.targets.state import Content, FileEntry, Observation, tree_content

__all__ = ["S3PrefixTarget"]

_THREADS = 16
_TRIES = 3
_ONE_PAGE = 900


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
        requester_pays: Pay for the requests, where the bucket asks for it.
        sse: How the store is to encrypt: `AES256`, `aws:kms` or `aws:kms:dsse`.
        sse_kms_key_id: The key, with `aws:kms`.

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
        requester_pays: bool = False,
        sse: str | None = None,
        sse_kms_key_id: str | None = None,
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
            spec=ClientSpec(
                profile,
                role_arn,
                region,
                endpoint_url,
                addressing_style,
                requester_pays,
                sse,
                sse_kms_key_id,
            ),
        )

    @property
    def prefix(self) -> str:
        """The prefix, with its `/` at the end."""
        return self._key

    def exists(self) -> bool:
        """Whether objects are there that are more than the beginning of a first publish.

        Raises:
            AccessDenied, BucketMissing: it is not known.
        """
        standing = self.standing()
        return bool(standing.rows) and standing.unfinished_run is None

    def open(self, mode: str = "r") -> Any:
        """Refused: a prefix is not opened; open the objects below it."""
        message = (
            f"{self.path!r} is a prefix. Open one of its objects: "
            f"S3ObjectTarget({self.bucket!r}, f'{{target.prefix}}part.csv').open({mode!r})."
        )
        raise TargetConflict(message, target=self)

    def files(self) -> list[str]:
        """The keys of its objects, without the prefix, sorted."""
        return sorted(self.standing().own)

    def remove(self) -> None:
        """Delete all objects below the prefix, whoever put them there. The sidecar stays."""
        self.store.delete_many(self.bucket, [stat.key for stat in self.rows().values()])

    def remove_own(self) -> None:
        """Delete the objects that are its content: what others put beside what was published stays."""
        own = self.standing().own
        self.store.delete_many(self.bucket, [stat.key for stat in own.values()])

    def observe(self) -> Observation:
        """One LIST, and a look for an unfinished publish."""
        observed_ns = time.time_ns()
        rows = self.rows()
        seen = self.observation(rows, observed_ns)
        if not seen.exists or self.is_announced() is False:
            return seen
        return replace(seen, run_id=self.standing(rows).unfinished_run)

    @classmethod
    def observe_many(cls, targets: Sequence[S3PrefixTarget]) -> list[Observation]:
        """One LIST each, in threads."""
        return in_threads(_look_quietly, targets, threads=_THREADS)

    def read_content(self, observation: Observation) -> Content:
        """The digest over its objects: as published where that stands, else by ETags; none is read."""
        if observation.fingerprint is not None:  # of what was handed out
            return Content(observation.fingerprint, observation.size_bytes, observation.file_count)
        standing = self.standing()
        if not standing.rows:
            raise self.missing()
        return standing.content

    def hand_out(self, directory: str, *, force_download: bool = False) -> tuple[str, Observation]:
        """A folder of clones, read-only links or copies of the local copies."""
        folder = f"{directory}/{local_name(self.prefix)}"

        def hand_out() -> Observation:
            seen, copies = fetch_prefix(self, force=force_download)
            remove_tree(folder)
            build_folder(copies, folder, writable=False)
            return seen

        return folder, self.with_copies(hand_out)

    def begin_output(self, run_id: str) -> S3PendingOutput:
        """An empty folder of the same base name in the project's temporary directory."""
        return PendingPrefix(self, run_id)

    def stash(self, run_id: str) -> Stash | None:
        """Copies below another prefix within the store."""
        self.drop_needless_stash()
        return self._stash_of(run_id) if self.rows() else None

    def remove_next(self) -> None:
        """Finish or undo the publish that it announces, then withdraw it; a living one goes on."""
        announced = self.announced()
        if announced.get("state") != PUBLISHING or not is_of_living_other(announced):
            self.settle(announced)

    def settle(self, announced: Mapping[str, Any]) -> None:
        """The same for what was read of it: by now another publish may have announced itself."""
        if announced.get("state") == PUBLISHING:
            document = self.sidecar_version()[0]
            if (document or {}).get("run_id") == announced.get("run_id"):
                finish_switch(self)
                self.staging(str(announced.get("run_id"))).drop()
            else:
                withdraw_uploads(self, announced)
        if self.announced().get("run_id") == announced.get("run_id"):
            super().remove_next()

    def restore_sidecar(self, document: dict[str, Any]) -> None:
        """Write it with the names of all objects, where those that stand are what it is about."""
        rows = self.rows()
        paths = list(rows)
        digests = dict(zip(paths, self.claimed_digests(paths), strict=True))
        entries = [
            FileEntry(path, rows[path].size_bytes, digest)
            for path, digest in digests.items()
            if digest is not None
        ]
        content = tree_content(entries)
        if content.fingerprint == document["output"]["fingerprint"]:
            fill_in(document["output"], content, {path: row.etag for path, row in rows.items()})
        super().restore_sidecar(document)

    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """The local copy, a read-only folder; or a copy of one's own at `to`, which must not exist yet."""
        if to is not None and os.path.lexists(to):
            message = f"{to!r} exists already. Name a new folder to copy {self.path!r} to."
            raise TargetConflict(message, target=self)
        if to is None:
            return self.with_copies(
                lambda: self.cache.local_tree(fetch_prefix(self, force=force)[1], self.prefix)
            )
        Path(to).parent.mkdir(parents=True, exist_ok=True)
        directory = new_temporary_directory(str(Path(to).parent))

        def build() -> None:
            remove_tree(f"{directory}/new")
            build_folder(fetch_prefix(self, force=force)[1], f"{directory}/new", writable=True)

        try:
            self.with_copies(build)
            Path(directory, "new").rename(to)
        finally:
            remove_tree(directory)
        return to

    # -- for publishing ------------------------------------------------------------------------

    def look(self) -> Observation:
        """One LIST alone."""
        observed_ns = time.time_ns()
        return self.observation(self.rows(), observed_ns)

    def rows(self) -> dict[str, ObjectStat]:
        """The objects below the prefix, by their keys after it.

        Where the sidecar and the announcement stand beside them, the same pages show whether they do.
        """
        start, beside = len(self.prefix), dict[str, ObjectStat | None]()
        rows = {}
        for stat in list_with_sidecar(self, beside):
            if self.is_file(stat):
                rows[stat.key[start:]] = stat
        if len(rows) > _ONE_PAGE:
            beside = self._still_absent(beside)
        self.remember_shown(beside)
        return rows

    def standing(self, rows: dict[str, ObjectStat] | None = None) -> Standing:
        """What stands there for a reader.

        Where it is not what the sidecar names, it is looked at again: a publish may have been between the
        listing and the sidecar.

        Args:
            rows: What a listing has just shown.
        """
        found = look_at_standing(self, rows)
        for _ in range(_TRIES):
            if found.manifest is None or found.published is not None:
                return found
            before, found = found, look_at_standing(self, None)
            if (before.sidecar_etag, before.rows) == (found.sidecar_etag, found.rows):
                return found
        return replace(found, is_settled=False)

    def staging(self, run_id: str) -> Staging:
        """Where a run's objects wait for the switch."""
        return Staging(self.store, self.bucket, self.prefix, run_id)

    def claimed_digests(self, paths: Sequence[str]) -> list[str | None]:
        """The digests in the objects' user metadata."""
        return [claimed_digest(stat) for stat in self.heads(paths)]

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

    def may_replace(self, manifest: Manifest, path: str, row: ObjectStat | None) -> bool:
        """Whether a staged object is to take the place of what is listed.

        What others wrote there since the switch stays; what another run of ours wrote there that never
        switched does not.
        """
        if manifest.is_untouched(path, row):
            return True
        (found,) = self.heads([path])
        return found is None or claimed_run_id(found) is not None

    def manifest(self) -> Manifest | None:
        """What the sidecar names; None where it is missing or names not all."""
        return Manifest.of(self.sidecar_version()[0])

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

    def _still_absent(self, beside: Mapping[str, ObjectStat | None]) -> dict[str, Any]:
        """What the first page did not show may be there when the last one comes: the sidecar is looked at."""
        shown: dict[str, Any] = {key: stat for key, stat in beside.items() if stat is not None}
        key = self.metadata_object_key
        if key in beside and key not in shown and not self.store.head(self.metadata_bucket, key):
            shown[key] = None
        return shown

    def heads(self, paths: Sequence[str]) -> list[ObjectStat | None]:
        """A look at each of its objects."""
        return self.store.head_many([(self.bucket, self.prefix + path) for path in paths])


def _look_quietly(target: S3PrefixTarget) -> Observation:
    try:
        return target.look()
    except Exception as error:
        return Observation(exists=False, error=f"{error}")
