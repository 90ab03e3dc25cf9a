"""A prefix as it was: in a bucket with versions, an old sidecar names what belonged together."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from superluigi.errors import SidecarError, TargetMissing
from superluigi.s3.cache import CachedObject
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.sidecar import MAX_SIDECAR_BYTES, decode_sidecar
from superluigi.targets.s3_manifest import Manifest

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["copies_as_of"]

_THREADS = 16


def copies_as_of(target: S3PrefixTarget, fingerprint: str) -> list[tuple[str, CachedObject]] | None:
    """Copies of the objects that had a fingerprint together, by their keys after the prefix.

    Returns:
        None where no version of the sidecar names them, or where some of them are gone for good.
    """
    manifest = _manifest_of(target, fingerprint)
    if manifest is None:
        return None
    versions = _versions(target, manifest)
    if len(versions) < len(manifest.files):
        return None
    paths = sorted(manifest.files)

    def fetch(path: str) -> CachedObject:
        row = versions[path]
        return target.cache.fetch(target.store, row.bucket, row.key, version_id=row.version_id)

    try:
        copies = dict(zip(paths, in_threads(fetch, paths, threads=_THREADS), strict=True))
    except TargetMissing:
        return None
    if any(f"sha256:{copies[path].sha256}" != manifest.files[path].digest for path in paths):
        return None
    return list(copies.items())


def _manifest_of(target: S3PrefixTarget, fingerprint: str) -> Manifest | None:
    """The manifest of the newest version of the sidecar that is about these bytes."""
    for document in _past_sidecars(target):
        output = document.get("output") or {}
        manifest = Manifest.of(document) if output.get("fingerprint") == fingerprint else None
        if manifest is not None:
            return manifest
    return None


def _past_sidecars(target: S3PrefixTarget) -> Iterator[dict[str, Any]]:
    bucket, key = target.metadata_bucket, target.metadata_object_key
    for row in target.store.list_versions(bucket, key):
        if row.key != key or row.size_bytes > MAX_SIDECAR_BYTES:
            continue
        data, _ = target.store.get_bytes(bucket, key, version_id=row.version_id)
        try:
            yield decode_sidecar(data, path=target.metadata_path)
        except SidecarError:
            continue


def _versions(target: S3PrefixTarget, manifest: Manifest) -> dict[str, ObjectStat]:
    """The versions that the manifest names, as far as they are still there."""
    start, found = len(target.prefix), dict[str, ObjectStat]()
    for row in target.store.list_versions(target.bucket, target.prefix):
        path = row.key[start:]
        if path not in found and manifest.digest_of(path, row) is not None:
            found[path] = row
    return found
