"""What a store can do: the one thing that targets and the cache know of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from superluigi.s3.capabilities import Capabilities
from superluigi.s3.checksums import Digests
from superluigi.s3.objects import Downloaded, ObjectStat

__all__ = ["Store"]


class Store(Protocol):
    """Objects in buckets. `ObjectStore` is the one for S3.

    A missing object is None where one looks, and `TargetMissing` where one reads. Only the store's own
    "not there" counts as missing: a refusal is an error.
    """

    @property
    def identity(self) -> str:
        """Which store it is: bucket names are unique within it."""

    def capabilities(self, bucket: str, key: str) -> Capabilities:
        """Which conditions it keeps; tried once beside the key, and remembered."""

    def head(self, bucket: str, key: str, *, version_id: str | None = None) -> ObjectStat | None:
        """One object's state."""

    def head_many(self, objects: Sequence[tuple[str, str]]) -> list[ObjectStat | None]:
        """The states of (bucket, key), in their order."""

    def list_objects(
        self, bucket: str, prefix: str = "", *, start_after: str | None = None
    ) -> Iterator[ObjectStat]:
        """The objects below a prefix, in the order of their keys' UTF-8 bytes."""

    def list_versions(self, bucket: str, prefix: str = "") -> Iterator[ObjectStat]:
        """All versions of the objects below a prefix, those of a key newest first."""

    def get_bytes(
        self, bucket: str, key: str, *, max_bytes: int | None = None, version_id: str | None = None
    ) -> tuple[bytes, ObjectStat]:
        """A small object, verified; of a larger one, the first `max_bytes`, unverified."""

    def get_bytes_if_changed(
        self, bucket: str, key: str, *, etag: str, max_bytes: int | None = None
    ) -> tuple[bytes, ObjectStat] | None:
        """The same; None while the object still has `etag`."""

    def get_file(
        self,
        bucket: str,
        key: str,
        path: str,
        *,
        if_match: str | None = None,
        version_id: str | None = None,
    ) -> Downloaded:
        """An object as a verified file at `path`, which appears complete or not at all."""

    def get_many(self, bucket: str, files: Sequence[tuple[str, str]]) -> list[Downloaded]:
        """Several objects as files: (key, path)."""

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
        """Write a small object."""

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
        """Write a file as an object."""

    def put_many(
        self,
        bucket: str,
        files: Sequence[tuple[str, str]],
        *,
        metadata: Mapping[str, str] | None = None,
    ) -> list[ObjectStat]:
        """Write several files as objects: (key, path)."""

    def copy(
        self,
        bucket: str,
        key: str,
        to_bucket: str,
        to_key: str,
        *,
        version_id: str | None = None,
    ) -> ObjectStat:
        """Copy an object within the store, with its user metadata."""

    def delete_many(self, bucket: str, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are no error."""
