"""From one version of a prefix to the next: what lies in the staging area, and how it gets into place.

An object that would overwrite one of the old version is uploaded beside the prefix. The sidecar then names
it with what it is to replace, and that one PUT is the switch: from then on readers take it from there.
Copies within the store bring it into place, and a second PUT of the sidecar forgets the staging area.
Whoever finds a switch whose process died goes on with it; each step may be done twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from superluigi.errors import ObjectChanged
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.s3.store import ObjectStore
from superluigi.targets.s3 import claimed_run_id
from superluigi.targets.s3_manifest import Manifest, rows_digest
from superluigi.targets.s3_stash import key_beside

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["STAGING_SUFFIX", "Staging", "finish_switch", "withdraw_uploads"]

STAGING_SUFFIX = ".superluigi-new-"
_THREADS = 16


class Staging:
    """Where one run's objects wait for the switch: beside the prefix, by digests of their paths."""

    def __init__(self, store: ObjectStore, bucket: str, prefix: str, run_id: str) -> None:
        self._store, self._bucket = store, bucket
        name = f"{STAGING_SUFFIX}{hashlib.sha256(run_id.encode()).hexdigest()[:32]}/"
        room_for_a_path = "0" * 32
        key = key_beside(prefix.removesuffix("/"), name + room_for_a_path)
        self._prefix = key.removesuffix(room_for_a_path)

    def key_of(self, path: str) -> str:
        """Where the object of a path below the prefix waits."""
        return self._prefix + hashlib.sha256(path.encode()).hexdigest()[:32]

    def rows(self, paths: Sequence[str]) -> dict[str, ObjectStat]:
        """Those of the paths whose objects wait there; one LIST."""
        listed = {stat.key: stat for stat in self._store.list_objects(self._bucket, self._prefix)}
        keys = {path: self.key_of(path) for path in paths}
        return {path: listed[key] for path, key in keys.items() if key in listed}

    def drop(self) -> None:
        """Remove whatever waits there."""
        keys = [stat.key for stat in self._store.list_objects(self._bucket, self._prefix)]
        self._store.delete_many(self._bucket, keys)


def finish_switch(target: S3PrefixTarget) -> dict[str, Any] | None:
    """Bring into place what the sidecar says is staged, and remove what it says is obsolete.

    What others wrote into the place of a staged object since the switch stays.

    Returns:
        The sidecar as it is then; None where it is no manifest.
    """
    document, etag = target.sidecar_version()
    manifest = Manifest.of(document)
    if manifest is None or document is None:
        return None
    if manifest.staged:
        staging = target.staging(manifest.run_id)
        _copy_into_place(target, manifest, staging)
        if not _forget_staging(target, manifest, document, etag):
            return None  # a newer publish has taken over, and what is obsolete is its to say
        staging.drop()
    target.delete_versions(manifest.obsolete, keep=manifest.files)
    return document


def withdraw_uploads(target: S3PrefixTarget, announced: Mapping[str, Any]) -> None:
    """Remove what a publish that never switched had uploaded."""
    run_id, names = str(announced.get("run_id")), announced.get("uploading")
    target.staging(run_id).drop()
    rows = target.rows()
    listed = [rows[path] for path in names if path in rows] if isinstance(names, list) else []
    stats = target.store.head_many([(row.bucket, row.key) for row in listed])
    manifest = target.manifest()  # last: somebody else may have switched to the same bytes
    start, ours = len(target.prefix), manifest.etags if manifest is not None else {}
    target.store.delete_many(
        target.bucket,
        [
            stat.key
            for stat in stats
            if stat is not None
            and claimed_run_id(stat) == run_id
            and ours.get(stat.key[start:]) != stat.etag
        ],
    )


def _copy_into_place(target: S3PrefixTarget, manifest: Manifest, staging: Staging) -> None:
    rows, waiting = target.rows(), staging.rows(list(manifest.staged))
    paths = [
        path
        for path, row in waiting.items()
        if manifest.digest_of(path, row) is not None
        and manifest.digest_of(path, rows.get(path)) is None
        and target.may_replace(manifest, path, rows.get(path))
    ]
    in_threads(
        lambda path: target.store.copy(
            target.bucket, waiting[path].key, target.bucket, target.prefix + path
        ),
        paths,
        threads=_THREADS,
    )


def _forget_staging(
    target: S3PrefixTarget, manifest: Manifest, document: dict[str, Any], etag: str | None
) -> bool:
    """Let the sidecar name the objects as they are in place: a store may give copies other ETags."""
    rows = target.rows()
    renamed = [
        path
        for path in manifest.staged
        if path in rows and manifest.digest_of(path, rows[path]) is None
    ]
    digests = dict(zip(renamed, target.claimed_digests(renamed), strict=True))
    output = document["output"]
    for row in output["contents"]:
        path = row["path"]
        if path in digests and digests[path] == row["fingerprint"]:
            row["etag"] = rows[path].etag
    del output["staged"]
    output["etag"] = rows_digest(
        {path: row for path, row in rows.items() if manifest.obsolete.get(path) != row.etag}
    )
    try:
        target.switch_sidecar(document, etag)
    except ObjectChanged:
        return False
    return True
