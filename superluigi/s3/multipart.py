"""A large file as one object, in parts: all of it or nothing, under a condition where one is given.

Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, ExitStack
from typing import Any

from superluigi.s3.checksums import Digests
from superluigi.s3.parallel import in_threads
from superluigi.s3.transfers import note_moved

__all__ = ["MIN_PART_BYTES", "Announce", "part_size", "put_in_parts"]

MIN_PART_BYTES = 32 << 20
_MAX_PARTS = 9_000
_PART_THREADS = 8

Announce = Callable[[str, str, str], AbstractContextManager[None]]
"""Called with bucket, key and upload id: what is entered while the upload exists."""


def put_in_parts(
    client: Any,
    bucket: str,
    key: str,
    path: str,
    digests: Digests,
    carried: Mapping[str, str],
    conditions: Mapping[str, str],
    announce: Announce | None = None,
) -> None:
    """Upload a file in parts; the store compares the checksum of the whole before it accepts the object.

    Args:
        carried: The user metadata.
        announce: For finding the upload again if this process dies.
    """
    place = {"Bucket": bucket, "Key": key}
    created = client.create_multipart_upload(
        **place,
        Metadata=dict(carried),
        ChecksumAlgorithm="CRC32",
        ChecksumType="FULL_OBJECT",
    )
    upload = {**place, "UploadId": created["UploadId"]}
    with ExitStack() as while_it_exists:
        if announce is not None:
            while_it_exists.enter_context(announce(bucket, key, created["UploadId"]))
        try:
            client.complete_multipart_upload(
                **upload,
                MultipartUpload={"Parts": _upload_parts(client, upload, path, digests.size_bytes)},
                ChecksumCRC32=digests.crc32,
                ChecksumType="FULL_OBJECT",
                **conditions,
            )
        except Exception:
            # A NoSuchUpload here says that the upload is complete after all: whoever knows, looks.
            client.abort_multipart_upload(**upload)
            raise


def part_size(size_bytes: int) -> int:
    """Bytes of a part, such that an object of 5 TiB has no more parts than S3 takes.

    Example:
        >>> part_size(1) == 32 << 20, math.ceil((5 << 40) / part_size(5 << 40)) <= 10_000
        (True, True)
    """
    return max(MIN_PART_BYTES, math.ceil(size_bytes / _MAX_PARTS))


def _upload_parts(
    client: Any, upload: Mapping[str, str], path: str, size_bytes: int
) -> list[dict[str, Any]]:
    from s3transfer.utils import ReadFileChunk

    step = part_size(size_bytes)

    def put(start: int) -> dict[str, Any]:
        number = start // step + 1
        with ReadFileChunk.from_filename(path, start, step) as body:
            answer = client.upload_part(
                **upload, PartNumber=number, Body=body, ChecksumAlgorithm="CRC32"
            )
        note_moved(min(step, size_bytes - start))
        part = {"PartNumber": number, "ETag": answer["ETag"]}
        if "ChecksumCRC32" in answer:
            part["ChecksumCRC32"] = answer["ChecksumCRC32"]
        return part

    return in_threads(put, range(0, size_bytes, step), threads=_PART_THREADS)
