"""`S3ObjectTarget`: one object on S3."""

from __future__ import annotations

import io
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from luigi.format import FileWrapper, get_default_format

from superluigi.files import new_temporary_directory, remove_tree
from superluigi.s3.cache import CachedObject
from superluigi.s3.checksums import Digests
from superluigi.s3.client import ClientSpec
from superluigi.s3.hand_out import local_name
from superluigi.s3.objects import ObjectStat
from superluigi.targets.base import Stash
from superluigi.targets.s3 import S3TargetWithMetadata, bucket_and_key
from superluigi.targets.s3_observe import observation_of, observe_objects
from superluigi.targets.s3_open import UploadOnClose
from superluigi.targets.s3_publish import PendingObject, S3PendingOutput
from superluigi.targets.s3_stash import ObjectStash, S3Stash
from superluigi.targets.state import Content, Observation

__all__ = ["S3ObjectTarget"]


class S3ObjectTarget(S3TargetWithMetadata):
    """An object, with its sidecar at `<key>.metadata.json`.

    Args:
        bucket: The bucket, or the whole URI.
        object_key: The key: any text of up to 1,024 bytes.
        uri: `s3://bucket/key`, instead of the two.
        metadata_bucket: The sidecar's bucket, if it is another.
        metadata_object_key: The sidecar's key, if it is another.
        profile: A profile of the AWS config files.
        role_arn: A role to assume.
        region: The bucket's region, where the profile does not say it.
        endpoint_url: Another S3 than Amazon's.
        addressing_style: `path` or `virtual`, where that other S3 needs it.
        requester_pays: Pay for the requests, where the bucket asks for it.
        sse: How the store is to encrypt: `AES256`, `aws:kms` or `aws:kms:dsse`.
        sse_kms_key_id: The key, with `aws:kms`.
        format: A Luigi format for `open()`.

    Example:
        >>> S3ObjectTarget("lake", "models/m.bin").metadata_path
        's3://lake/models/m.bin.metadata.json'
    """

    def __init__(
        self,
        bucket: str | None = None,
        object_key: str | None = None,
        *,
        uri: str | None = None,
        metadata_bucket: str | None = None,
        metadata_object_key: str | None = None,
        profile: str | None = None,
        role_arn: str | None = None,
        region: str | None = None,
        endpoint_url: str | None = None,
        addressing_style: str | None = None,
        requester_pays: bool = False,
        sse: str | None = None,
        sse_kms_key_id: str | None = None,
        format: Any = None,
    ) -> None:
        super().__init__(
            bucket_and_key(bucket, object_key, uri, kind="S3ObjectTarget"),
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
        self.format = get_default_format() if format is None else format

    @property
    def object_key(self) -> str:
        """The key."""
        return self._key

    def exists(self) -> bool:
        """Whether the object is there.

        Raises:
            AccessDenied, BucketMissing: it is not known.
        """
        return self.observe().exists

    def open(self, mode: str = "r", *, version_id: str | None = None) -> Any:
        """A file to read, from the local copy; or one to write, uploaded when it is closed.

        Nothing is uploaded when the `with` block ends with an exception.

        Args:
            mode: `r` or `w`; text or bytes as the format says.
            version_id: Read that version of the object, in a bucket with versions: `metadata()` and the
                catalog name those that runs consumed and wrote.
        """
        plain_mode = mode.replace("b", "").replace("t", "")
        if plain_mode == "w" and version_id is None:
            return self.format.pipe_writer(UploadOnClose(self))
        if plain_mode == "r":
            with self.reading():
                file = self.with_copies(
                    lambda: io.FileIO(self._fetched(version_id=version_id).path)
                )
            return self.format.pipe_reader(FileWrapper(io.BufferedReader(file)))
        past = "" if version_id is None else " A version of the past is only read."
        message = f"{self.path!r} is opened with 'r' or 'w', not with {mode!r}.{past}"
        raise ValueError(message)

    def remove(self) -> None:
        """Delete the object; nothing if there is none. Its sidecar stays."""
        self.store.delete_many(self.bucket, [self.object_key])

    def remove_own(self) -> None:
        """The same: an object is all its own."""
        self.remove()

    def observe(self) -> Observation:
        """One HEAD."""
        observed_ns = time.time_ns()
        found = self.store.head(self.bucket, self.object_key)
        return observation_of(found, observed_ns)

    @classmethod
    def observe_many(cls, targets: Sequence[S3ObjectTarget]) -> list[Observation]:
        """Pages of listings where many are in one bucket, else HEADs in threads."""
        return observe_objects(targets)

    def read_content(self, observation: Observation) -> Content:
        """The SHA-256 that the writer left with the object, else its ETag; it is not downloaded."""
        if not observation.exists or observation.fingerprint is None:
            observation = self.observe()  # a listing does not show the user metadata
        if not observation.exists or observation.fingerprint is None:
            raise self.missing()
        return Content(observation.fingerprint, observation.size_bytes)

    def hand_out(self, directory: str, *, force_download: bool = False) -> tuple[str, Observation]:
        """A clone, a read-only link or a copy of the local copy, which is fetched where it is not right."""
        observed_ns = time.time_ns()

        def hand_out() -> tuple[str, CachedObject]:
            copy = self._fetched(force=force_download)
            return self.cache.hand_out(copy, directory, self.object_key), copy

        with self.reading():
            path, copy = self.with_copies(hand_out)
        return path, observation_of(copy.stat, observed_ns)

    def begin_output(self, run_id: str) -> S3PendingOutput:
        """A path of the same base name in the project's temporary directory."""
        return PendingObject(self, run_id)

    def stash(self, run_id: str) -> Stash | None:
        """A copy beside it within the store."""
        self.drop_needless_stash()
        return self._stash_of(run_id) if self.exists() else None

    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """The local copy, read-only; or a copy of one's own at `to` (a file's path, or an existing folder)."""
        name = local_name(self.object_key)
        if to is None:
            with self.reading():
                return self.with_copies(
                    lambda: self.cache.local_copy(self._fetched(force=force), name)
                )
        destination = Path(to, name) if Path(to).is_dir() else Path(to)
        destination.parent.mkdir(parents=True, exist_ok=True)
        directory = new_temporary_directory(str(destination.parent))
        try:
            with self.reading():
                made = self.with_copies(
                    lambda: self.cache.hand_out(
                        self._fetched(force=force), directory, name, writable=True
                    )
                )
            os.replace(made, destination)  # noqa: PTH105
        finally:
            remove_tree(directory)
        return str(destination)

    def put(
        self,
        path: str,
        digests: Digests,
        metadata: dict[str, str],
        *,
        replaces: str | None = None,
    ) -> ObjectStat:
        """Make a finished local file the object.

        Args:
            replaces: Only over the version with this ETag; "" for over none.

        Raises:
            ObjectChanged: something else stands there.
        """
        return self.store.put_file(
            self.bucket,
            self.object_key,
            path,
            metadata=metadata,
            if_match=replaces or None,
            if_none_match=replaces == "",
            digests=digests,
        )

    def keep_copy(self, path: str, digests: Digests, put: ObjectStat) -> None:
        """Make the file that was just put, and that nobody needs any more, the local copy."""
        self.cache.add(self.store, path, put, digests.sha256, consume=True)

    def _stash_of(self, run_id: str) -> S3Stash:
        return ObjectStash(self.store, self.bucket, self.object_key, run_id)

    def _fetched(self, *, force: bool = False, version_id: str | None = None) -> CachedObject:
        return self.cache.fetch(
            self.store, self.bucket, self.object_key, force=force, version_id=version_id
        )
