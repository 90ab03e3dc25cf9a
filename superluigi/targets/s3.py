"""What S3 objects and prefixes share: where they are, their sidecars as objects, their local copies."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import time
from abc import abstractmethod
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, TypeVar

from superluigi.errors import InputChanged, ObjectChanged, SidecarError, TargetMissing
from superluigi.project import Project, current_project
from superluigi.s3.cache import Cache
from superluigi.s3.client import ClientSpec
from superluigi.s3.objects import ObjectStat
from superluigi.s3.store import ObjectStore
from superluigi.s3.uri import check_bucket, check_key, format_uri, parse_uri
from superluigi.settings import load_settings
from superluigi.sidecar import MAX_SIDECAR_BYTES, decode_sidecar, encode_sidecar
from superluigi.targets.base import SIDECAR_SUFFIX, TargetWithMetadata
from superluigi.targets.s3_stash import NEXT_SUFFIX, STASH_SUFFIX, S3Stash, key_beside
from superluigi_catalog.owner import is_alive, this_owner

__all__ = [
    "METADATA_BUILD",
    "METADATA_PLACE",
    "METADATA_RUN",
    "S3TargetWithMetadata",
    "bucket_and_key",
    "cache_of",
    "claimed_run_id",
    "is_of_living_other",
    "place_digest",
]

METADATA_RUN = "superluigi-run-id"
METADATA_BUILD = "superluigi-build-id"
METADATA_PLACE = "superluigi-place"
"""Where a run published the object: user metadata goes along when others copy it elsewhere."""

_SHOWN_COUNTS_FOR_S = 60.0
_EVICTED_TRIES = 10

_Result = TypeVar("_Result")


class S3TargetWithMetadata(TargetWithMetadata):
    """A target on S3, with its sidecar as an object beside it or at a place of its own.

    Args:
        place: The bucket, and the key or prefix.
        metadata_place: The sidecar's bucket and key; None for the usual ones.
        spec: Which account, through which endpoint.
    """

    announces_before_missing = True

    def __init__(
        self,
        place: tuple[str, str],
        *,
        metadata_place: tuple[str | None, str | None],
        spec: ClientSpec,
    ) -> None:
        self.bucket, self._key = place
        self.metadata_bucket = check_bucket(metadata_place[0] or self.bucket)
        self.metadata_object_key = check_key(
            metadata_place[1] or key_beside(self._key.removesuffix("/"), SIDECAR_SUFFIX)
        )
        check_key(self.next_key)
        self.spec = spec
        self.path = self.uri
        self._shown: dict[str, bool] = {}
        self._shown_at = 0.0

    def __str__(self) -> str:
        return self.path

    @property
    def uri(self) -> str:
        """The `s3://` URI."""
        return format_uri(self.bucket, self._key)

    @property
    def metadata_path(self) -> str:
        """The sidecar's `s3://` URI."""
        return format_uri(self.metadata_bucket, self.metadata_object_key)

    @property
    def store(self) -> ObjectStore:
        """The account's objects."""
        return _store_for(self.spec)

    @property
    def cache(self) -> Cache:
        """The project's local copies."""
        return cache_of(current_project())

    def read_sidecar(self) -> bytes | None:
        """The sidecar's bytes; None when there is none."""
        return self._read_small(self.metadata_object_key)[0]

    def sidecar_version(
        self, *, as_listed: bool = False
    ) -> tuple[dict[str, Any] | None, str | None]:
        """The sidecar's document, None where it cannot be used, and its ETag, None where there is none.

        Args:
            as_listed: Do not ask for one that a listing has just shown to be absent.
        """
        if not as_listed:
            self._shown.pop(self.metadata_object_key, None)
        data, etag = self._read_small(self.metadata_object_key)
        document = None
        if data is not None:
            with contextlib.suppress(SidecarError):
                document = decode_sidecar(data, path=self.metadata_path)
        return document, etag

    def has_sidecar(self) -> bool | None:
        """Whether the sidecar stands there, where a listing has just shown it."""
        return self._as_shown(self.metadata_object_key)

    def write_sidecar(self, document: dict[str, Any]) -> None:
        """Replace the sidecar with one PUT."""
        self._write_small(self.metadata_object_key, document)

    def restore_sidecar(self, document: dict[str, Any]) -> None:
        """Write it, unless somebody has done so since it was found missing."""
        with contextlib.suppress(ObjectChanged):
            self.switch_sidecar(document, None)

    def switch_sidecar(self, document: dict[str, Any], etag: str | None) -> None:
        """Replace the version of the sidecar that has an ETag; None where there was none.

        Raises:
            ObjectChanged: another writer was faster.
        """
        self._write_small(self.metadata_object_key, document, replaces=etag, is_conditional=True)

    def read_next(self) -> bytes | None:
        """The bytes of `<sidecar>.next`."""
        return self._read_small(self.next_key)[0]

    def write_next(self, document: dict[str, Any]) -> None:
        """Announce a publish or a run that writes in place."""
        self._write_small(self.next_key, document)

    def is_announced(self) -> bool | None:
        """Whether a `<sidecar>.next` stands there, where a listing has just shown it."""
        return self._as_shown(self.next_key)

    def remove_next(self) -> None:
        """Withdraw the announcement."""
        self._shown.clear()
        self.store.delete_many(self.metadata_bucket, [self.next_key])

    def announced(self) -> dict[str, Any]:
        """What `<sidecar>.next` says; empty when there is none that can be read."""
        try:
            document = json.loads(self.read_next() or b"{}")
        except (ValueError, RecursionError):
            return {}
        return document if isinstance(document, dict) else {}

    def drop_needless_stash(self) -> None:
        """Remove what a dead run had put aside without touching the original, which still stands."""
        announced = self.announced()
        if not is_of_living_other(announced):
            self.drop_stashed(str(announced.get("stash") or ""))

    def drop_stashed(self, location: str) -> None:
        """Remove a stashed version."""
        stash = self._stash_at(location)
        if stash is not None:
            stash.drop()

    def put_back(self, location: str) -> bool:
        """Copy a stashed version back over whatever stands there."""
        stash = self._stash_at(location)
        return stash is not None and stash.put_back()

    @abstractmethod
    def _stash_of(self, run_id: str) -> S3Stash:
        """Where a run puts the old version aside."""

    def _stash_at(self, location: str) -> S3Stash | None:
        """The stash at a place that a sidecar names.

        A sidecar is untrusted text: only our own stashes of this very target count.
        """
        head, separator, run_id = location.rpartition(STASH_SUFFIX)
        if not (head and separator):
            return None
        stash = self._stash_of(run_id.removesuffix("/"))
        return stash if stash.location == location else None

    @property
    def next_key(self) -> str:
        """The key of `<sidecar>.next`, in the sidecar's bucket."""
        return self.metadata_object_key + NEXT_SUFFIX

    def remember_shown(self, found: Mapping[str, object]) -> None:
        """Take over from a listing whether the sidecar and the announcement exist.

        It is believed for a moment: a plan that just looked at a thousand targets in one request shall
        not ask a thousand times for what it saw was not there.

        Args:
            found: Keys of the sidecar's bucket, with None for those that do not exist.
        """
        own = (self.metadata_object_key, self.next_key)
        self._shown = {key: found[key] is not None for key in own if key in found}
        self._shown_at = time.monotonic()

    def _as_shown(self, key: str) -> bool | None:
        is_recent = time.monotonic() - self._shown_at < _SHOWN_COUNTS_FOR_S
        return self._shown.get(key) if is_recent else None

    def _read_small(self, key: str) -> tuple[bytes | None, str | None]:
        exists = self._as_shown(key)
        self._shown.pop(key, None)
        if exists is False:
            return None, None
        try:
            data, stat = self.store.get_bytes(
                self.metadata_bucket, key, max_bytes=MAX_SIDECAR_BYTES + 1
            )
        except TargetMissing:
            return None, None
        return data, stat.etag

    def _write_small(
        self,
        key: str,
        document: dict[str, Any],
        *,
        replaces: str | None = None,
        is_conditional: bool = False,
    ) -> None:
        self._shown.clear()
        self.store.put_bytes(
            self.metadata_bucket,
            key,
            encode_sidecar(document),
            content_type="application/json",
            if_match=replaces,
            if_none_match=is_conditional and replaces is None,
        )

    def with_copies(self, use: Callable[[], _Result]) -> _Result:
        """Fetch and use local copies, again where a copy made room for another in between."""
        for _ in range(_EVICTED_TRIES - 1):
            try:
                return use()
            except TargetMissing:
                raise
            except FileNotFoundError:
                continue
        return use()

    @contextlib.contextmanager
    def reading(self) -> Iterator[None]:
        """While inside, what the store says is said of this target."""
        try:
            yield
        except ObjectChanged as error:
            raise InputChanged(str(error), target=self) from error
        except TargetMissing as error:
            raise self.missing() from error

    def missing(self) -> TargetMissing:
        """The error that it does not exist."""
        message = (
            f"{self.path!r} does not exist. Run the task that makes it, or put the data there."
        )
        return TargetMissing(message, target=self)

    def run_metadata(self, key: str, run_id: str) -> dict[str, str]:
        """The user metadata by which an object says which run wrote it here."""
        return {METADATA_RUN: run_id, METADATA_PLACE: place_digest(self.bucket, key)}


def bucket_and_key(
    bucket: str | None, key: str | None, uri: str | None, *, kind: str
) -> tuple[str, str]:
    """The bucket and the key, given as two names or as one URI.

    Raises:
        ValueError: both or neither, or no valid names.
    """
    if bucket is not None and "://" in bucket:
        if key is not None or uri is not None:
            message = (
                f"{kind} was given the URI {bucket!r} and {uri or key!r} besides. Give the URI alone, or a "
                "bucket's name and a key."
            )
            raise ValueError(message)
        bucket, uri = None, bucket
    if uri is not None and bucket is None and key is None:
        found = parse_uri(uri)
    elif uri is None and bucket is not None and key is not None:
        found = (check_bucket(bucket), key)
    else:
        message = f"Give {kind} a bucket and a key, or one URI such as 's3://bucket/key'."
        raise ValueError(message)
    check_key(found[1])
    return found


def place_digest(bucket: str, key: str) -> str:
    """A place as user metadata can hold it, which takes ASCII only."""
    return hashlib.sha256(format_uri(bucket, key).encode()).hexdigest()[:32]


def claimed_run_id(stat: ObjectStat) -> str | None:
    """The run that wrote the object at this place, as its user metadata says."""
    metadata = stat.metadata or {}
    if metadata.get(METADATA_PLACE) != place_digest(stat.bucket, stat.key):
        return None
    return metadata.get(METADATA_RUN)


def is_of_living_other(announced: Mapping[str, Any]) -> bool:
    """Whether another process announced it that may still be at work."""
    owner = str(announced.get("owner") or "")
    return owner != this_owner() and is_alive(owner)


@functools.lru_cache(maxsize=64)
def _store_for(spec: ClientSpec) -> ObjectStore:
    return ObjectStore(spec)


def cache_of(project: Project) -> Cache:
    """A project's local copies, within the limits of its settings."""
    return _cache_at(str(project.ensure_home() / "cache"), project.root)


@functools.lru_cache(maxsize=16)
def _cache_at(directory: str, root: Path | None) -> Cache:
    settings = load_settings(root)
    return Cache(
        directory,
        max_bytes=settings.cache_max_bytes or None,
        min_free_bytes=settings.cache_min_free_bytes,
    )
