"""Sidecars and targets on S3, for the catalog; with the account that the project's settings name."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from superluigi.errors import BucketMissing, SuperLuigiError, TargetMissing
from superluigi.places.accounts import Accounts
from superluigi.places.looking import (
    Standing,
    Wanted,
    fingerprint_at,
    look_at,
    read_at,
    why_kept,
    write_acceptance,
)
from superluigi.project import Project
from superluigi.s3.client import ClientSpec
from superluigi.s3.parallel import in_threads
from superluigi.s3.store import ObjectStore
from superluigi.s3.uri import format_uri, parse_uri
from superluigi.sidecar import MAX_SIDECAR_BYTES
from superluigi.targets.s3_object import S3ObjectTarget
from superluigi.targets.s3_prefix import S3PrefixTarget
from superluigi.targets.s3_stash import STASH_SUFFIX
from superluigi_catalog.errors import PlaceUnknown
from superluigi_catalog.places import SIDECAR_SUFFIX, FoundSidecar
from superluigi_catalog.records import JsonObject, Observed

__all__ = ["S3Places"]

_THREADS = 16


class S3Places:
    """Looks at objects and prefixes."""

    def __init__(self, project: Project) -> None:
        self._accounts = Accounts(project)
        self._stores: dict[str, ObjectStore] = {}

    def sidecars(self, root: str) -> Iterator[FoundSidecar]:
        """List a bucket, or what is at a key or below it, a thousand objects in one request.

        Raises:
            PlaceUnknown: no such bucket.
        """
        try:
            bucket, key = parse_uri(root)
            for row in self._store(bucket).list_objects(bucket, key):
                if _is_sidecar_at(row.key, key):
                    token = f"etag:{row.etag}:{row.size_bytes}"
                    yield FoundSidecar(format_uri(bucket, row.key), token, row.size_bytes)
        except (BucketMissing, ValueError) as error:
            raise PlaceUnknown(str(error), path=root) from error
        except SuperLuigiError as error:
            yield FoundSidecar(root, problem=str(error))

    def read_sidecars(self, uris: Sequence[str]) -> list[bytes | Exception | None]:
        """One GET for each, in threads."""
        return in_threads(self._read, uris, threads=_THREADS)

    def look(self, targets: Sequence[Wanted]) -> list[Observed]:
        """Pages of listings where many are in one bucket, else a HEAD for each; a LIST for each prefix."""
        return look_at(targets, self._target)

    def read(self, targets: Sequence[Wanted]) -> list[Observed]:
        """A HEAD for each besides: what the writer left with the object, else its ETag; none is downloaded."""
        return read_at(targets, self._target, _fingerprints)

    def remove_target(self, uri: str, kind: str, fingerprint: str) -> str:
        """Delete an object, or the objects that a run published below a prefix, while they are just that."""
        try:
            target = self._target(uri, kind)
            kept = why_kept(target, fingerprint)
            if not kept:
                target.remove_own()
        except (SuperLuigiError, ValueError) as error:
            return str(error)
        return kept

    def write_acceptance(self, uri: str, kind: str, acceptance: JsonObject | None) -> str:
        """Put the sidecar of an object or prefix anew."""
        try:
            return write_acceptance(self._target(uri, kind), acceptance)
        except (SuperLuigiError, ValueError) as error:
            return str(error)

    def remove_sidecar(self, uri: str) -> str:
        """Delete an object."""
        try:
            bucket, key = parse_uri(uri)
            self._store(bucket).delete_many(bucket, [key])
        except (SuperLuigiError, ValueError) as error:
            return str(error)
        return ""

    def _read(self, uri: str) -> bytes | Exception | None:
        try:
            bucket, key = parse_uri(uri)
            return self._store(bucket).get_bytes(bucket, key, max_bytes=MAX_SIDECAR_BYTES + 1)[0]
        except TargetMissing:
            return None
        except (SuperLuigiError, ValueError) as error:
            return error

    def _target(self, uri: str, kind: str) -> S3ObjectTarget | S3PrefixTarget:
        bucket, key = parse_uri(uri)
        account = self._accounts.of_bucket(bucket)
        if not uri.endswith("/"):
            return S3ObjectTarget(uri=uri, **account)
        inside = self._store(bucket).head(bucket, key + SIDECAR_SUFFIX) is not None
        return S3PrefixTarget(uri=uri, metadata_inside=inside, **account)

    def _store(self, bucket: str) -> ObjectStore:
        store = self._stores.get(bucket)
        if store is None:
            spec = ClientSpec(**self._accounts.of_bucket(bucket))
            store = self._stores[bucket] = ObjectStore(spec)
        return store


def _is_sidecar_at(key: str, root: str) -> bool:
    """Whether a key is that of a sidecar of `root` itself, or of something below it."""
    if not key.endswith(SIDECAR_SUFFIX) or STASH_SUFFIX in key:
        return False
    rest = key[len(root) :]
    is_below = not root or root.endswith("/") or rest[:1] in ("", "/")
    return is_below or rest == SIDECAR_SUFFIX


def _fingerprints(standing: Standing) -> list[str | Exception]:
    return in_threads(lambda each: fingerprint_at(*each), standing, threads=_THREADS)
