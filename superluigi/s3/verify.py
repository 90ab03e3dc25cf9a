"""Whether the bytes that arrived are those that the store holds."""

from __future__ import annotations

from pathlib import Path

from superluigi.s3.checksums import checksum_of, digests_of, known_checksum, md5_of
from superluigi.s3.objects import METADATA_SHA256, Downloaded, ObjectStat

__all__ = ["BrokenTransfer", "verified"]


class BrokenTransfer(Exception):
    """What arrived is not the object: worth another try."""


def verified(stat: ObjectStat, received: Path | bytes) -> Downloaded:
    """What arrived, compared with the best evidence that there is.

    The writer's SHA-256 settles it when it is equal. When it differs, the metadata may be older than the
    bytes, so what the store computed itself decides: its checksum of the whole object, else an ETag that
    is an MD5. Without any of these only the length is known to be right.

    Raises:
        BrokenTransfer: the bytes are not the object's.
    """
    digests = digests_of(received)
    if digests.size_bytes != stat.size_bytes:
        message = f"{digests.size_bytes} of {stat.size_bytes} bytes arrived"
        raise BrokenTransfer(message)
    if stat.sha256 == digests.sha256:
        return Downloaded(stat, digests.sha256, "sha256")
    name = known_checksum(stat.checksums)
    if name is not None:
        _compare(checksum_of(received, name), stat.checksums[name], f"{name} of the store")
        return Downloaded(stat, digests.sha256, "checksum")
    if stat.etag_is_md5:
        _compare(md5_of(received), stat.etag, "MD5 that its ETag is")
        return Downloaded(stat, digests.sha256, "etag")
    if stat.sha256 is not None:
        _compare(digests.sha256, stat.sha256, f"{METADATA_SHA256} of its metadata")
    return Downloaded(stat, digests.sha256, "length")


def _compare(computed: str, expected: str, what: str) -> None:
    if computed != expected:
        message = f"the bytes have {computed}, not the {what}, {expected}"
        raise BrokenTransfer(message)
