"""A new version of a prefix on its way to S3: all objects first, then the sidecar that names them."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superluigi.errors import MetadataError, OutputNotWritten, SyncFailed, TargetError
from superluigi.files import tree_files
from superluigi.s3.checksums import Digests, digests_of
from superluigi.s3.hand_out import local_name
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.s3.uri import check_key
from superluigi.sidecar import encode_sidecar
from superluigi.targets.refusals import folder_is_empty, no_folder
from superluigi.targets.s3 import S3TargetWithMetadata, claimed_run_id
from superluigi.targets.s3_manifest import PUBLISHING, Manifest
from superluigi.targets.s3_publish import S3PendingOutput, identity_of
from superluigi.targets.state import Content, FileEntry, Observation, tree_content
from superluigi_catalog.owner import this_owner

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["PendingPrefix"]

_THREADS = 16


class PendingPrefix(S3PendingOutput):
    """A new version of a prefix."""

    def __init__(self, target: S3PrefixTarget, run_id: str) -> None:
        super().__init__(local_name(target.prefix))
        self.target = target
        self._run_id = run_id
        Path(self.path).mkdir()

    def seal(self) -> Content:
        """The digest over its files."""
        if not Path(self.path).is_dir():
            raise no_folder(self.path, self.target, "a prefix", "an S3ObjectTarget")
        self._identities = self._identities_now()
        if not self._identities:
            raise folder_is_empty(self.target)
        for path in self._identities:
            self._check_key(path)
        self._digests = {
            path: digests_of(Path(self.path, path)) for path in sorted(self._identities)
        }
        return tree_content(
            FileEntry(path, digests.size_bytes, f"sha256:{digests.sha256}")
            for path, digests in self._digests.items()
        )

    def prepare(self, document: dict[str, Any]) -> None:
        """Keep the document, with room for all objects: what cannot be published must fail here."""
        self._document = document
        self._fill_in(dict.fromkeys(self._digests, "0" * 48), {})
        try:
            encode_sidecar(document)
        except MetadataError as error:
            message = (
                f"{self.target} has {len(self._digests):,} files, more than its sidecar can name. "
                "Write fewer, larger files, or several prefixes."
            )
            raise TargetError(message, target=self.target) from error

    def commit(self) -> Observation:
        """Upload what is new, write the sidecar, remove what the old version had and this one has not."""
        target = self.target
        self._refuse_late_changes()
        observed_ns = time.time_ns()
        rows, previous = target.rows(), target.manifest()
        standing = _unchanged(self._digests, rows, previous)
        dead = self._left_by_dead_run(rows)
        self._announce()
        uploaded = self._upload([path for path in self._digests if path not in standing])
        ours = {**standing, **uploaded}
        obsolete = _obsolete(rows, previous, ours) | {
            path: etag for path, etag in dead.items() if path not in ours
        }
        rows = {path: row for path, row in rows.items() if path not in obsolete} | ours
        seen = target.observation(rows, observed_ns)
        self._fill_in({path: row.etag for path, row in ours.items()}, obsolete)
        self._document["output"] |= {"etag": seen.etag, "version_id": None}
        target.write_sidecar(self._document)
        self.is_published = True
        target.delete_versions(obsolete, keep=ours)
        S3TargetWithMetadata.remove_next(target)
        self._keep_copies(uploaded)
        return seen

    def _check_key(self, path: str) -> None:
        try:
            check_key(self.target.prefix + path)
        except ValueError as error:
            message = f"{path!r} in output_path cannot be an object: {error}"
            raise OutputNotWritten(message, target=self.target) from error
        if not self.target.is_file(
            ObjectStat(self.target.bucket, self.target.prefix + path, 1, "")
        ):
            message = (
                f"run() wrote {path!r} into output_path, but that is the name of the sidecar. "
                "Choose another name."
            )
            raise OutputNotWritten(message, target=self.target)

    def _fill_in(self, etags: Mapping[str, str], obsolete: Mapping[str, str]) -> None:
        """Let the document name every object, which is what makes it a manifest."""
        output = self._document["output"]
        output["file_count"] = len(self._digests)
        output["contents"] = [
            {
                "path": path,
                "size_bytes": digests.size_bytes,
                "fingerprint": f"sha256:{digests.sha256}",
                "etag": etags[path],
            }
            for path, digests in self._digests.items()
        ]
        output["obsolete"] = dict(obsolete)

    def _announce(self) -> None:
        output = {
            key: value
            for key, value in self._document["output"].items()
            if key not in ("contents", "obsolete")
        }
        announced = {
            "state": PUBLISHING,
            "owner": this_owner(),
            "output": output,
            "uploading": sorted(self._digests),
        }
        self.target.write_next(self._document | announced)

    def _left_by_dead_run(self, rows: Mapping[str, ObjectStat]) -> dict[str, str]:
        """The objects that a publish which died had uploaded, with their ETags: no manifest names them."""
        target = self.target
        announced = target.announced()
        if announced.get("state") != PUBLISHING:
            return {}
        names = announced.get("uploading")
        listed = [rows[path] for path in names if path in rows] if isinstance(names, list) else []
        stats = target.store.head_many([(row.bucket, row.key) for row in listed])
        start = len(target.prefix)
        return {
            stat.key[start:]: stat.etag
            for stat in stats
            if stat is not None and claimed_run_id(stat) == announced.get("run_id")
        }

    def _upload(self, paths: Sequence[str]) -> dict[str, ObjectStat]:
        target = self.target

        def put(path: str) -> ObjectStat:
            key = target.prefix + path
            return target.store.put_file(
                target.bucket,
                key,
                f"{self.path}/{path}",
                metadata=target.run_metadata(key, self._run_id),
                digests=self._digests[path],
            )

        return dict(zip(paths, in_threads(put, paths, threads=_THREADS), strict=True))

    def _keep_copies(self, uploaded: Mapping[str, ObjectStat]) -> None:
        for path, put in uploaded.items():
            self.target.cache.add(
                self.target.store,
                f"{self.path}/{path}",
                put,
                self._digests[path].sha256,
                consume=True,
            )

    def _identities_now(self) -> dict[str, tuple[int, int, int]]:
        return {path: identity_of(f"{self.path}/{path}") for path, _ in tree_files(self.path)}

    def _refuse_late_changes(self) -> None:
        if self._identities_now() != self._identities:
            message = (
                f"{self.path!r} changed after run() ended, so {self.target} was not uploaded. "
                "Let run() wait for whatever it started."
            )
            raise SyncFailed(message, target=self.target)


def _unchanged(
    digests: Mapping[str, Digests], rows: Mapping[str, ObjectStat], previous: Manifest | None
) -> dict[str, ObjectStat]:
    """The objects that need no upload: published before with the same bytes, and untouched since."""
    if previous is None:
        return {}
    return {
        path: rows[path]
        for path, wanted in digests.items()
        if path in rows and previous.digest_of(path, rows[path]) == f"sha256:{wanted.sha256}"
    }


def _obsolete(
    rows: Mapping[str, ObjectStat], previous: Manifest | None, ours: Mapping[str, ObjectStat]
) -> dict[str, str]:
    """The objects of earlier publishes that this one has not, as long as nobody else rewrote them."""
    if previous is None:
        return {}
    return {
        path: etag
        for path, etag in previous.with_etags().items()
        if path not in ours and path in rows and rows[path].etag == etag
    }
