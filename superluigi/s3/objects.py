"""What is known of an object: by a look at it, after writing it, after reading it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from superluigi.s3.checksums import Digests
from superluigi.s3.uri import format_uri

__all__ = [
    "METADATA_CRC32",
    "METADATA_SHA256",
    "METADATA_SIZE",
    "METADATA_UPLOAD",
    "Downloaded",
    "ObjectStat",
    "claims_of",
    "stat_from_listing",
    "stat_from_response",
]

METADATA_SHA256 = "superluigi-sha256"
METADATA_CRC32 = "superluigi-crc32"
METADATA_SIZE = "superluigi-size"
METADATA_UPLOAD = "superluigi-upload"
"""A random word per upload, by which a writer knows its own object again."""

_MD5 = re.compile(r"[0-9a-f]{32}")
_CHECKSUMS = ("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256", "SHA512", "MD5")


@dataclass(frozen=True, slots=True)
class ObjectStat:
    """One version of an object, as one request showed it."""

    bucket: str
    key: str
    size_bytes: int
    etag: str
    """Without quotes. Opaque: it changes whenever the object does, and is the MD5 only where
    `etag_is_md5` says so."""
    version_id: str | None = None
    """None in buckets without versioning, and in listings of what stands now."""
    last_modified: datetime | None = field(default=None, compare=False)
    """None right after an upload: the store's answer does not tell."""
    metadata: Mapping[str, str] | None = field(default=None, compare=False)
    """The user metadata; None where the request does not show it (listings)."""
    checksums: Mapping[str, str] = field(default_factory=dict, compare=False, repr=False)
    """The store's checksums of the whole object, `CRC32` → Base64."""
    etag_is_md5: bool = field(default=False, compare=False, repr=False)

    @property
    def uri(self) -> str:
        """The object's URI."""
        return format_uri(self.bucket, self.key)

    @property
    def sha256(self) -> str | None:
        """The SHA-256 that the writer stored with the object, 64 hex digits.

        None where none is stored, and where the store shows by size or checksum that somebody wrote
        other bytes and kept the old metadata, as file systems mounted on S3 do.
        """
        claims = self.metadata or {}
        if claims.get(METADATA_SIZE) != str(self.size_bytes):
            return None
        if self.checksums and self.checksums.get("CRC32") != claims.get(METADATA_CRC32):
            return None
        return claims.get(METADATA_SHA256)

    def is_same_version(self, other: ObjectStat) -> bool:
        """Whether both looks saw the same bytes, as far as ETag, size and version tell."""
        if not self.etag or self.etag != other.etag or self.size_bytes != other.size_bytes:
            return False
        return self.version_id == other.version_id or None in (self.version_id, other.version_id)


@dataclass(frozen=True, slots=True)
class Downloaded:
    """A file that came from the store and was verified."""

    stat: ObjectStat
    """The version whose bytes they are."""
    sha256: str
    """Of the bytes as received, 64 hex digits."""
    verified_by: str
    """`sha256` (the writer's), `checksum` (the store's), `etag` (its MD5), or `length` only."""


def claims_of(digests: Digests) -> dict[str, str]:
    """The user metadata that lets a later reader verify an object."""
    return {
        METADATA_SHA256: digests.sha256,
        METADATA_CRC32: digests.crc32,
        METADATA_SIZE: str(digests.size_bytes),
    }


def stat_from_response(
    bucket: str,
    key: str,
    response: Mapping[str, Any],
    *,
    size_bytes: int | None = None,
    metadata: Mapping[str, str] | None = None,
) -> ObjectStat:
    """What the answer to a GET, HEAD or PUT says; a PUT's does not repeat size and metadata."""
    size = int(response["ContentLength"]) if size_bytes is None else size_bytes
    etag = _plain_etag(response.get("ETag"))
    return ObjectStat(
        bucket=bucket,
        key=key,
        size_bytes=size,
        etag=etag,
        version_id=response.get("VersionId"),
        last_modified=response.get("LastModified"),
        metadata=response.get("Metadata", {}) if metadata is None else metadata,
        checksums=_whole_object_checksums(response),
        etag_is_md5=_is_md5(bucket, etag, response),
    )


def stat_from_listing(bucket: str, row: Mapping[str, Any]) -> ObjectStat:
    """What one row of a listing says, of objects or of versions."""
    return ObjectStat(
        bucket=bucket,
        key=row["Key"],
        size_bytes=int(row["Size"]),
        etag=_plain_etag(row.get("ETag")),
        version_id=row.get("VersionId"),
        last_modified=row.get("LastModified"),
    )


def _plain_etag(etag: str | None) -> str:
    return (etag or "").removeprefix("W/").strip('"')


def _is_md5(bucket: str, etag: str, response: Mapping[str, Any]) -> bool:
    # Source: https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html
    opaque = (
        str(response.get("ServerSideEncryption", "")).startswith("aws:kms")
        or response.get("SSECustomerAlgorithm")
        or bucket.endswith("--x-s3")  # a directory bucket
    )
    return not opaque and _MD5.fullmatch(etag) is not None


def _whole_object_checksums(response: Mapping[str, Any]) -> dict[str, str]:
    """Without the checksums of checksums that multipart uploads have (`…==-3`)."""
    if response.get("ChecksumType") == "COMPOSITE":
        return {}
    found = {name: response.get(f"Checksum{name}") for name in _CHECKSUMS}
    return {name: value for name, value in found.items() if value and "-" not in value}
