"""What arrived is compared with the best evidence that there is."""

from __future__ import annotations

import base64
import hashlib
import zlib
from pathlib import Path
from typing import Any

import pytest

from superluigi.s3.checksums import digests_of
from superluigi.s3.objects import ObjectStat, claims_of, stat_from_response
from superluigi.s3.verify import BrokenTransfer, verified

DATA = b"data" * 100
FLIPPED = b"DATA" + DATA[4:]


def base64_of(digest: bytes) -> str:
    return base64.b64encode(digest).decode()


CRC32 = base64_of(zlib.crc32(DATA).to_bytes(4, "big"))
SHA1 = base64_of(hashlib.sha1(DATA, usedforsecurity=False).digest())
SHA256 = base64_of(hashlib.sha256(DATA).digest())
MD5 = hashlib.md5(DATA, usedforsecurity=False).hexdigest()
CLAIMS = claims_of(digests_of(DATA))


def stat(**response: Any) -> ObjectStat:
    return stat_from_response(
        "lake", "key", {"ContentLength": len(DATA), "ETag": '"opaque-3"', **response}
    )


EVIDENCE = {
    "the writer's digest": ({"Metadata": CLAIMS}, "sha256"),
    "the store's CRC-32": ({"ChecksumCRC32": CRC32}, "checksum"),
    "the store's SHA-1": ({"ChecksumSHA1": SHA1, "ChecksumCRC32C": "unknown"}, "checksum"),
    "the store's SHA-256": ({"ChecksumSHA256": SHA256, "ETag": f'"{MD5}"'}, "checksum"),
    "an ETag that is an MD5": ({"ETag": f'"{MD5}"'}, "etag"),
    "an ETag and a checksum of checksums": (
        {"ETag": f'"{MD5}"', "ChecksumCRC32": "AAAAAA==-3"},
        "etag",
    ),
}


@pytest.mark.parametrize(("response", "verified_by"), EVIDENCE.values(), ids=EVIDENCE)
def test_each_evidence_accepts_the_bytes_and_refuses_others(
    response: dict[str, Any], verified_by: str, tmp_path: Path
) -> None:
    (tmp_path / "right").write_bytes(DATA)
    (tmp_path / "wrong").write_bytes(FLIPPED)

    assert verified(stat(**response), DATA).verified_by == verified_by
    assert verified(stat(**response), tmp_path / "right").verified_by == verified_by
    for wrong in (FLIPPED, DATA[:-1], DATA + b"!", tmp_path / "wrong"):
        with pytest.raises(BrokenTransfer):
            verified(stat(**response), wrong)


OPAQUE = {
    "nothing": {},
    "a checksum that no library here computes": {"ChecksumCRC64NVME": "AAAAAAAAAAA="},
    "an ETag of an object under a customer's key": {
        "ETag": f'"{"0" * 32}"',
        "ServerSideEncryption": "aws:kms",
    },
    "a composite checksum": {"ChecksumSHA256": "AAAA==", "ChecksumType": "COMPOSITE"},
}


@pytest.mark.parametrize("response", OPAQUE.values(), ids=OPAQUE)
def test_without_evidence_only_the_length_is_known(response: dict[str, Any]) -> None:
    assert verified(stat(**response), DATA).verified_by == "length"
    with pytest.raises(BrokenTransfer, match="399 of 400 bytes"):
        verified(stat(**response), DATA[:-1])


def test_metadata_that_outlived_its_bytes_yields_to_what_the_store_computed() -> None:
    old = claims_of(digests_of(FLIPPED))

    assert verified(stat(Metadata=old, ETag=f'"{MD5}"'), DATA).verified_by == "etag"
    assert stat(Metadata=old, ChecksumCRC32=CRC32).sha256 is None
    assert stat(Metadata={**old, "superluigi-size": "3"}).sha256 is None
    assert stat(Metadata=CLAIMS, ChecksumCRC32=CRC32).sha256 == hashlib.sha256(DATA).hexdigest()


def test_a_directory_buckets_etag_is_no_md5() -> None:
    response = {"ContentLength": 4, "ETag": f'"{"0" * 32}"'}
    assert not stat_from_response("lake--use1-az4--x-s3", "key", response).etag_is_md5
    assert stat_from_response("lake", "key", response).etag_is_md5


def test_versions_are_told_apart_by_etag_size_and_version() -> None:
    one = ObjectStat("lake", "key", 4, "etag", "v1")
    assert one.is_same_version(ObjectStat("lake", "key", 4, "etag"))
    assert not one.is_same_version(ObjectStat("lake", "key", 4, "etag", "v2"))
    assert not one.is_same_version(ObjectStat("lake", "key", 5, "etag", "v1"))
    assert not one.is_same_version(ObjectStat("lake", "key", 4, "other", "v1"))
    nameless = ObjectStat("lake", "key", 4, "")
    assert not nameless.is_same_version(nameless)
    assert one.uri == "s3://lake/key"
