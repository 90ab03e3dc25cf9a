"""Writing an object so that the store itself checks what it received, and a reader can check it again.

The user metadata carries SHA-256, CRC-32 and size; the CRC-32 goes along as S3's own checksum, which a
store compares before it accepts the object. For a multipart upload it is the one checksum of the whole
that S3 takes.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
"""

from __future__ import annotations

import random
import secrets
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from superluigi.errors import ObjectChanged, SyncFailed
from superluigi.s3.capabilities import capabilities_of, is_not_known
from superluigi.s3.checksums import Digests, digests_of
from superluigi.s3.errors import (
    COPY,
    WRITE,
    error_code,
    is_missing,
    is_precondition,
    s3_errors,
)
from superluigi.s3.multipart import Announce, part_size, put_in_parts
from superluigi.s3.objects import METADATA_UPLOAD, ObjectStat, claims_of, stat_from_response
from superluigi.s3.transfers import note_expected, note_moved
from superluigi.s3.uri import format_uri

__all__ = ["MULTIPART_FROM_BYTES", "copy_object", "upload_bytes", "upload_file"]

MULTIPART_FROM_BYTES = 64 << 20
_SINGLE_MAX_BYTES = 5 << 30
"""S3's limit on one PutObject or CopyObject."""
_PART_THREADS = 8
_CONFLICT_ATTEMPTS = 5


def upload_bytes(
    client: Any,
    bucket: str,
    key: str,
    data: bytes,
    *,
    metadata: Mapping[str, str] | None = None,
    conditions: Mapping[str, str] | None = None,
    content_type: str | None = None,
) -> ObjectStat:
    """Write bytes as an object.

    Raises:
        ObjectChanged: a condition does not hold.
    """
    digests = digests_of(data)
    request: dict[str, Any] = {"Body": data}
    if content_type is not None:
        request["ContentType"] = content_type
    return _put(client, bucket, key, request, digests, metadata, conditions)


def upload_file(
    client: Any,
    bucket: str,
    key: str,
    path: str,
    *,
    metadata: Mapping[str, str] | None = None,
    conditions: Mapping[str, str] | None = None,
    digests: Digests | None = None,
    announce: Announce | None = None,
) -> ObjectStat:
    """Write a file as an object, a large one in parts.

    Args:
        digests: The file's, if they are known already.
        announce: For finding an upload in parts again if this process dies.

    Raises:
        ObjectChanged: a condition does not hold.
        SyncFailed: the file changed during the upload, or another writer replaced the object at once.
    """
    before = _identity(path)
    digests = digests or digests_of(Path(path))
    note_expected(digests.size_bytes)
    if digests.size_bytes < MULTIPART_FROM_BYTES:
        with Path(path).open("rb") as body:
            request = {"Body": body}
            stat = _put(client, bucket, key, request, digests, metadata, conditions)
        note_moved(digests.size_bytes)
    else:
        carried = _metadata(digests, metadata)

        def put(under: Mapping[str, str]) -> ObjectStat:
            put_in_parts(client, bucket, key, path, digests, carried, under, announce)
            # The answer may be cut after its status, and is then without an ETag.
            stat = _own_object(client, bucket, key, carried)
            if stat is None:
                raise _replaced_at_once(bucket, key)
            return stat

        # Several stores that keep the conditions of a PUT ignore those of an upload in parts.
        stat = _knowing_its_own(client, bucket, key, carried, conditions, put, keeps=None)
    if _identity(path) != before:
        message = (
            f"{path!r} changed while it was uploaded to {stat.uri!r}, which now holds neither version. "
            "Let whatever writes it finish, and run again."
        )
        raise SyncFailed(message, target=stat.uri)
    return stat


def copy_object(client: Any, source: ObjectStat, to_bucket: str, to_key: str) -> ObjectStat:
    """Copy that version of an object within the store, with its user metadata.

    Raises:
        ObjectChanged: the source is no longer that version.
    """
    origin = {"Bucket": source.bucket, "Key": source.key}
    if source.version_id is not None:
        origin["VersionId"] = source.version_id
    expected = f'"{source.etag}"'
    with s3_errors(COPY, to_bucket, to_key):
        if source.size_bytes <= _SINGLE_MAX_BYTES:
            client.copy_object(
                Bucket=to_bucket, Key=to_key, CopySource=origin, CopySourceIfMatch=expected
            )
        else:
            extra = {"Metadata": dict(source.metadata or {}), "CopySourceIfMatch": expected}
            with _manager(client, source.size_bytes) as manager:
                manager.copy(origin, to_bucket, to_key, extra_args=extra).result()
        # Its metadata and checksums are the store's to tell.
        response = client.head_object(Bucket=to_bucket, Key=to_key, ChecksumMode="ENABLED")
    return stat_from_response(to_bucket, to_key, response)


def _replaced_at_once(bucket: str, key: str) -> SyncFailed:
    uri = format_uri(bucket, key)
    message = (
        f"{uri!r} was overwritten or deleted by another writer as soon as it was uploaded. "
        "Give one of the two another key."
    )
    return SyncFailed(message, target=uri)


def _put(
    client: Any,
    bucket: str,
    key: str,
    request: dict[str, Any],
    digests: Digests,
    metadata: Mapping[str, str] | None,
    conditions: Mapping[str, str] | None,
) -> ObjectStat:
    carried = _metadata(digests, metadata)

    def put(under: Mapping[str, str]) -> ObjectStat:
        body = request["Body"]
        if hasattr(body, "seek"):
            body.seek(0)
        response = client.put_object(
            Bucket=bucket,
            Key=key,
            Metadata=carried,
            ChecksumAlgorithm="CRC32",
            ChecksumCRC32=digests.crc32,
            **request,
            **under,
        )
        return stat_from_response(
            bucket, key, response, size_bytes=digests.size_bytes, metadata=carried
        )

    keeps = capabilities_of(client, bucket, key).keep(conditions) if conditions else True
    return _knowing_its_own(client, bucket, key, carried, conditions, put, keeps=keeps)


def _knowing_its_own(
    client: Any,
    bucket: str,
    key: str,
    carried: Mapping[str, str],
    conditions: Mapping[str, str] | None,
    put: Callable[[Mapping[str, str]], ObjectStat],
    *,
    keeps: bool | None,
) -> ObjectStat:
    """Write; where the answer to a first try was lost and the second one was refused, that is success.

    Args:
        keeps: Whether the store keeps the conditions; None where that is not known.
    """

    def guarded() -> ObjectStat:
        if not conditions or keeps:
            return put(conditions or {})
        _look_before(client, bucket, key, conditions)
        stat = _put_unless_unknown(put, conditions) if keeps is None else put({})
        if _own_object(client, bucket, key, carried) is None:
            raise _replaced_at_once(bucket, key)
        return stat

    with s3_errors(WRITE, bucket, key):
        try:
            return _through_conflicts(guarded)
        except Exception as error:
            _raise_if_gone(error, conditions or {}, bucket, key)
            may_be_done = is_precondition(error) or error_code(error) == "NoSuchUpload"
            stat = _own_object(client, bucket, key, carried) if may_be_done else None
            if stat is None:
                raise
            return stat


def _look_before(client: Any, bucket: str, key: str, conditions: Mapping[str, str]) -> None:
    """Do what the store may not do: refuse to write over another version than the expected one."""
    try:
        answer = client.head_object(Bucket=bucket, Key=key)
        stands = stat_from_response(bucket, key, answer).etag
    except Exception as error:
        if not is_missing(error):
            raise
        stands = None
    if stands != conditions.get("IfMatch"):
        uri = format_uri(bucket, key)
        message = (
            f"Writing {uri!r} was not tried: another version stands there than the one expected. "
            "Something else wrote it meanwhile; look again, then repeat."
        )
        raise ObjectChanged(message, target=uri)


def _put_unless_unknown(
    put: Callable[[Mapping[str, str]], ObjectStat], conditions: Mapping[str, str]
) -> ObjectStat:
    try:
        return put(conditions)
    except Exception as error:
        if not is_not_known(error):
            raise
    return put({})


def _raise_if_gone(error: Exception, conditions: Mapping[str, str], bucket: str, key: str) -> None:
    if "IfMatch" in conditions and is_missing(error):
        uri = format_uri(bucket, key)
        message = (
            f"Writing {uri!r} was refused: the version that was to be replaced is not there any more. "
            "Something else deleted it meanwhile; look again, then repeat."
        )
        raise ObjectChanged(message, target=uri) from error


def _through_conflicts(put: Callable[[], ObjectStat]) -> ObjectStat:
    """Repeat what S3 answers with 409: two conditional writes met, and neither has won."""
    for attempt in range(_CONFLICT_ATTEMPTS - 1):
        try:
            return put()
        except Exception as error:
            if error_code(error) not in ("409", "ConditionalRequestConflict"):
                raise
            time.sleep(0.1 * 2**attempt * random.random())
    return put()


def _own_object(
    client: Any, bucket: str, key: str, carried: Mapping[str, str]
) -> ObjectStat | None:
    """The object, if it is the one that was just uploaded.

    A refused condition may be the answer to the second try of an upload whose first one was applied and
    whose answer was lost.
    """
    try:
        response = client.head_object(Bucket=bucket, Key=key, ChecksumMode="ENABLED")
    except Exception as error:
        if is_missing(error):
            return None
        raise
    stat = stat_from_response(bucket, key, response)
    is_own = (stat.metadata or {}).get(METADATA_UPLOAD) == carried[METADATA_UPLOAD]
    return stat if is_own else None


def _metadata(digests: Digests, metadata: Mapping[str, str] | None) -> dict[str, str]:
    return {**(metadata or {}), **claims_of(digests), METADATA_UPLOAD: secrets.token_hex(16)}


def _identity(path: str) -> tuple[int, int, int]:
    status = Path(path).stat()
    return status.st_size, status.st_mtime_ns, status.st_ino


def _manager(client: Any, size_bytes: int) -> Any:
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    return create_transfer_manager(
        client,
        TransferConfig(
            multipart_threshold=MULTIPART_FROM_BYTES,
            multipart_chunksize=part_size(size_bytes),
            max_concurrency=_PART_THREADS,
            # "auto" may choose a client that goes to Amazon whatever the endpoint is.
            # Source: https://github.com/boto/boto3/issues/4839
            preferred_transfer_client="classic",
        ),
    )
