"""Digests of files and bytes, several in one pass."""

from __future__ import annotations

import base64
import hashlib
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = ["Digests", "checksum_of", "digests_of", "known_checksum", "md5_of"]

_CHUNK_BYTES = 1 << 20
_HASHES = {"SHA1": "sha1", "SHA256": "sha256", "SHA512": "sha512", "MD5": "md5"}
_STRONGEST_FIRST = ("SHA512", "SHA256", "SHA1", "MD5", "CRC32")


@dataclass(frozen=True, slots=True)
class Digests:
    """Of one file's bytes."""

    sha256: str
    """64 hex digits."""
    crc32: str
    """Base64 of the big-endian CRC-32, as S3 writes it."""
    size_bytes: int


def digests_of(source: Path | bytes) -> Digests:
    """The digests of a file, or of bytes in memory, in one pass."""
    sha256, crc32, size_bytes = hashlib.sha256(), 0, 0
    for chunk in _chunks(source):
        sha256.update(chunk)
        crc32 = zlib.crc32(chunk, crc32)
        size_bytes += len(chunk)
    crc32_text = base64.b64encode(crc32.to_bytes(4, "big")).decode()
    return Digests(sha256.hexdigest(), crc32_text, size_bytes)


def known_checksum(names: Iterable[str]) -> str | None:
    """The strongest of S3's checksums in `names` that can be computed without a further library."""
    offered = set(names)
    return next((name for name in _STRONGEST_FIRST if name in offered), None)


def checksum_of(source: Path | bytes, name: str) -> str:
    """A checksum by S3's name for it, in Base64."""
    if name == "CRC32":
        return digests_of(source).crc32
    return base64.b64encode(_hashed(source, name).digest()).decode()


def md5_of(source: Path | bytes) -> str:
    """The MD5, 32 hex digits."""
    return str(_hashed(source, "MD5").hexdigest())


def _hashed(source: Path | bytes, name: str) -> Any:
    digest = hashlib.new(_HASHES[name], usedforsecurity=False)
    for chunk in _chunks(source):
        digest.update(chunk)
    return digest


def _chunks(source: Path | bytes) -> Iterator[bytes]:
    if isinstance(source, bytes):
        yield source
        return
    with source.open("rb", buffering=0) as file:
        while chunk := file.read(_CHUNK_BYTES):
            yield chunk
