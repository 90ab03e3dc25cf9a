"""`ObjectStore`: the operations on S3 that targets and the cache use."""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from superluigi.errors import (
    AccessDenied,
    BucketMissing,
    StoreUnavailable,
    TargetError,
    TargetMissing,
)
from superluigi.s3.capabilities import Capabilities, capabilities_of
from superluigi.s3.checksums import Digests
from superluigi.s3.client import POOL_CONNECTIONS, ClientSpec, client_for, store_identity
from superluigi.s3.delete import delete_objects
from superluigi.s3.download import download_bytes, download_file
from superluigi.s3.errors import (
    DELETE,
    LIST,
    LIST_VERSIONS,
    LOOK,
    READ,
    WRITE,
    Action,
    error_code,
    is_denied,
    is_missing,
    s3_errors,
)
from superluigi.s3.objects import (
    Downloaded,
    ObjectStat,
    stat_from_listing,
    stat_from_response,
)
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline
from superluigi.s3.parallel import in_threads
from superluigi.s3.upload import copy_object, upload_bytes, upload_file
from superluigi.s3.uploads import announced_upload
from superluigi.s3.uri import format_uri

__all__ = ["ObjectStore"]

_TRANSFER_THREADS = 16
_BUCKET_SEEN_FOR_S = 60.0


class ObjectStore:
    """The objects that one `ClientSpec` reaches.

    It holds no connection, so it can be pickled, shared by threads and carried across a fork.

    Args:
        spec: Which account, through which endpoint; by default what boto3 itself would take.
    """

    def __init__(self, spec: ClientSpec | None = None) -> None:
        self.spec = spec or ClientSpec()
        self._bucket_seen: dict[str, float] = {}

    def __repr__(self) -> str:
        return f"ObjectStore({self.spec!r})"

    @property
    def identity(self) -> str:
        """Amazon's partition, such as `aws`, or the endpoint's URL."""
        with self._requests(LOOK, "") as client:
            return store_identity(client)

    def capabilities(self, bucket: str, key: str) -> Capabilities:
        """Which conditions the store keeps; tried once beside the key, and remembered in the project."""
        with self._requests(WRITE, bucket, key) as client:
            return capabilities_of(client, bucket, key)

    def head(self, bucket: str, key: str, *, version_id: str | None = None) -> ObjectStat | None:
        """One object's state; None when the store says that there is none.

        Raises:
            AccessDenied: refused, which does not tell whether it exists.
            BucketMissing: there is no such bucket.
        """
        stat = self._head(bucket, key, version_id)
        if stat is None:
            self._require_bucket(bucket)
        return stat

    def head_many(self, objects: Sequence[tuple[str, str]]) -> list[ObjectStat | None]:
        """The states of (bucket, key), in their order; raises as `head` does."""
        stats = in_threads(
            lambda place: self._head(place[0], place[1], None), objects, threads=POOL_CONNECTIONS
        )
        missing_in = {bucket for (bucket, _), stat in zip(objects, stats, strict=True) if not stat}
        for bucket in missing_in:
            self._require_bucket(bucket)
        return stats

    def list_objects(
        self, bucket: str, prefix: str = "", *, start_after: str | None = None
    ) -> Iterator[ObjectStat]:
        """The objects whose keys begin with `prefix`, in the order of their UTF-8 bytes.

        Raises:
            AccessDenied, BucketMissing: on the first row.
        """
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        if start_after is not None:
            request["StartAfter"] = start_after
        while True:
            with self._requests(LIST, bucket, prefix) as client:
                page = client.list_objects_v2(**request)
            for row in page.get("Contents", ()):
                yield stat_from_listing(bucket, row)
            if not page.get("IsTruncated"):
                return
            request["ContinuationToken"] = page["NextContinuationToken"]

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectStat]:
        """All versions of the objects whose keys begin with `prefix`, those of a key newest first.

        Raises:
            AccessDenied, BucketMissing: on the first row.
        """
        request: dict[str, Any] = {"Bucket": bucket, "Prefix": prefix}
        while True:
            with self._requests(LIST_VERSIONS, bucket, prefix) as client:
                page = client.list_object_versions(**request)
            for row in page.get("Versions", ()):
                yield stat_from_listing(bucket, row)
            if not page.get("IsTruncated"):
                return
            request["KeyMarker"] = page["NextKeyMarker"]
            request["VersionIdMarker"] = page.get("NextVersionIdMarker", "")

    def get_bytes(
        self, bucket: str, key: str, *, max_bytes: int | None = None, version_id: str | None = None
    ) -> tuple[bytes, ObjectStat]:
        """A small object, verified; of one beyond `max_bytes`, its beginning, unverified.

        Raises:
            TargetMissing: there is no such object.
            SyncFailed: what arrived never was what the store holds.
        """
        request = {**_request(bucket, key, version_id=version_id), "ChecksumMode": "ENABLED"}
        with self._requests(READ, bucket, key) as client:
            return download_bytes(client, request, max_bytes=max_bytes)

    def get_bytes_if_changed(
        self, bucket: str, key: str, *, etag: str, max_bytes: int | None = None
    ) -> tuple[bytes, ObjectStat] | None:
        """The same in one request; None while the object still has `etag`.

        Raises:
            TargetMissing: there is no such object any more.
        """
        # No ChecksumMode: botocore fails on a 304 that carries a checksum.
        request = {**_request(bucket, key), "IfNoneMatch": f'"{etag}"'}
        try:
            with self._requests(READ, bucket, key) as client:
                return download_bytes(client, request, max_bytes=max_bytes)
        except TargetError as error:
            if error_code(error.__cause__ or error) in ("304", "NotModified"):
                return None
            raise

    def get_file(
        self,
        bucket: str,
        key: str,
        path: str,
        *,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> Downloaded:
        """An object as a verified file at `path`, which appears complete or not at all.

        Raises:
            TargetMissing: there is no such object.
            ObjectChanged: it does not have the ETag `if_match`, or was overwritten during every try.
            SyncFailed: what arrived never was what the store holds.
        """
        request = _request(bucket, key, version_id=version_id, if_match=if_match)
        with self._requests(READ, bucket, key) as client:
            return download_file(client, request, path)

    def get_many(self, bucket: str, files: Sequence[tuple[str, str]]) -> list[Downloaded]:
        """Several objects as files, (key, path); raises as `get_file` does."""
        return in_threads(
            lambda file: self.get_file(bucket, file[0], file[1]), files, threads=_TRANSFER_THREADS
        )

    def put_bytes(
        self,
        bucket: str,
        key: str,
        data: bytes,
        *,
        metadata: Mapping[str, str] | None = None,
        content_type: str | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
    ) -> ObjectStat:
        """Write bytes as an object.

        Args:
            if_match: Only over the version with this ETag. Some stores ignore conditions.
            if_none_match: Only where there is none yet.

        Raises:
            ObjectChanged: a condition does not hold.
        """
        conditions = _conditions(if_match, if_none_match)
        with self._requests(WRITE, bucket, key) as client:
            return upload_bytes(
                client,
                bucket,
                key,
                data,
                metadata=metadata,
                conditions=conditions,
                content_type=content_type,
            )

    def put_file(
        self,
        bucket: str,
        key: str,
        path: str,
        *,
        metadata: Mapping[str, str] | None = None,
        if_match: str | None = None,
        if_none_match: bool = False,
        digests: Digests | None = None,
    ) -> ObjectStat:
        """Write a file as an object, conditions as for `put_bytes`.

        Args:
            digests: The file's, if they are known already.

        Raises:
            ObjectChanged: a condition does not hold.
            SyncFailed: the file changed meanwhile.
        """
        conditions = _conditions(if_match, if_none_match)
        with self._requests(WRITE, bucket, key) as client:
            return upload_file(
                client,
                bucket,
                key,
                path,
                metadata=metadata,
                conditions=conditions,
                digests=digests,
                announce=functools.partial(announced_upload, self.spec),
            )

    def put_many(
        self,
        bucket: str,
        files: Sequence[tuple[str, str]],
        *,
        metadata: Mapping[str, str] | None = None,
    ) -> list[ObjectStat]:
        """Write several files as objects, (key, path); the first failure leaves what was written."""
        return in_threads(
            lambda file: self.put_file(bucket, file[0], file[1], metadata=metadata),
            files,
            threads=_TRANSFER_THREADS,
        )

    def copy(
        self,
        bucket: str,
        key: str,
        to_bucket: str,
        to_key: str,
        *,
        version_id: str | None = None,
    ) -> ObjectStat:
        """Copy an object within the store, with its user metadata.

        Raises:
            TargetMissing: there is no such object.
            ObjectChanged: it changed meanwhile.
        """
        source = self.head(bucket, key, version_id=version_id)
        if source is None:
            uri = format_uri(bucket, key)
            message = f"{uri!r} cannot be copied: it does not exist. Correct the name."
            raise TargetMissing(message, target=uri)
        with self._requests(READ, bucket, key) as client:
            return copy_object(client, source, to_bucket, to_key)

    def delete_many(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are no error.

        Raises:
            AccessDenied, TargetError: some could not be removed; the message names them.
        """
        with self._requests(DELETE, bucket) as client:
            delete_objects(client, bucket, keys)

    @contextmanager
    def _requests(self, action: Action, bucket: str, key: str = "") -> Iterator[Any]:
        if bucket and is_offline():
            uri = format_uri(bucket, key)
            message = (
                f"{action.text} {uri!r} was not tried: no request is made while offline. "
                f"Go online (offline in the settings, {OFFLINE_VARIABLE})."
            )
            raise StoreUnavailable(message, target=uri)
        with s3_errors(action, bucket, key):
            yield client_for(self.spec)

    def _head(self, bucket: str, key: str, version_id: str | None) -> ObjectStat | None:
        request = _request(bucket, key, version_id=version_id)
        with self._requests(LOOK, bucket, key) as client:
            try:
                response = _head_with_checksums(client, request)
            except Exception as error:
                if is_missing(error):
                    return None
                _ask_why(client, request, error)
                raise
        return stat_from_response(bucket, key, response)

    def _require_bucket(self, bucket: str) -> None:
        """Tell a missing object from a missing bucket, which a HEAD's 404 does not."""
        now = time.monotonic()
        if now - self._bucket_seen.get(bucket, -_BUCKET_SEEN_FOR_S) < _BUCKET_SEEN_FOR_S:
            return
        try:
            with self._requests(LOOK, bucket) as client:
                client.head_bucket(Bucket=bucket)
        except TargetMissing as error:
            message = (
                f"There is no bucket {bucket!r}. "
                "Create it, or correct the bucket's name, the profile or the endpoint."
            )
            raise BucketMissing(message, target=format_uri(bucket)) from error
        except AccessDenied:
            pass  # it cannot be asked for, but it answers
        self._bucket_seen[bucket] = now


def _head_with_checksums(client: Any, request: Mapping[str, str]) -> Any:
    try:
        return client.head_object(**request, ChecksumMode="ENABLED")
    except Exception as error:
        if not is_denied(error):
            raise
    # Of an encrypted object the checksums are shown only to those who may decrypt it.
    return client.head_object(**request)


def _ask_why(client: Any, request: Mapping[str, str], error: Exception) -> None:
    """Raise what says more than a HEAD's 400, which has no body: an expired token, say."""
    if error_code(error) != "400":
        return
    try:
        client.get_object(**request, Range="bytes=0-0")["Body"].close()
    except Exception as reason:
        if error_code(reason) not in ("", "400"):
            raise


def _request(
    bucket: str, key: str, *, version_id: str | None = None, if_match: str | None = None
) -> dict[str, str]:
    request = {"Bucket": bucket, "Key": key}
    if version_id is not None:
        request["VersionId"] = version_id
    if if_match is not None:
        request["IfMatch"] = f'"{if_match}"'
    return request


def _conditions(if_match: str | None, if_none_match: bool) -> dict[str, str]:
    # Unquoted: Ceph's RGW knows no other form here, and Amazon takes both.
    conditions = {}
    if if_match is not None:
        conditions["IfMatch"] = if_match
    if if_none_match:
        conditions["IfNoneMatch"] = "*"
    return conditions
