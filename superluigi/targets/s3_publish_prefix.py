"""A new version of a prefix on its way to S3: all objects first, then the sidecar that names them."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superluigi.errors import (
    MetadataError,
    ObjectChanged,
    OutputNotWritten,
    SyncFailed,
    TargetError,
    TargetMissing,
)
from superluigi.files import tree_files
from superluigi.s3.checksums import digests_of
from superluigi.s3.hand_out import local_name
from superluigi.s3.objects import ObjectStat
from superluigi.s3.parallel import in_threads
from superluigi.s3.transfers import expecting
from superluigi.s3.uri import check_key
from superluigi.sidecar import encode_sidecar
from superluigi.targets.refusals import folder_is_empty, no_folder
from superluigi.targets.s3 import S3TargetWithMetadata, claimed_run_id, is_of_living_other
from superluigi.targets.s3_manifest import (
    PUBLISHING,
    obsolete_versions,
    rows_digest,
    unchanged_rows,
)
from superluigi.targets.s3_publish import S3PendingOutput, identity_of
from superluigi.targets.s3_switch import finish_switch, withdraw_uploads
from superluigi.targets.state import Content, FileEntry, Observation, tree_content
from superluigi_catalog.owner import this_owner

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget
    from superluigi.targets.s3_standing import Standing

__all__ = ["PendingPrefix", "fill_in"]

_THREADS = 16
_PATIENCE_S = 30.0
_PAUSE_S = 0.5


class PendingPrefix(S3PendingOutput):
    """A new version of a prefix."""

    def __init__(self, target: S3PrefixTarget, run_id: str) -> None:
        super().__init__(target, local_name(target.prefix))
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
        self._content = tree_content(
            FileEntry(path, digests.size_bytes, f"sha256:{digests.sha256}")
            for path, digests in self._digests.items()
        )
        return self._content

    def prepare(self, document: dict[str, Any]) -> None:
        """Keep the document, with room for all objects: what cannot be published must fail here."""
        self._document = document
        self._fill_in(dict.fromkeys(self._digests, "0" * 48), {}, {})
        try:
            encode_sidecar(document)
        except MetadataError as error:
            message = (
                f"{self.target} has {len(self._digests):,} files, more than its sidecar can name. "
                "Write fewer, larger files, or several prefixes."
            )
            raise TargetError(message, target=self.target) from error

    def commit(self) -> Observation:
        """Upload what is new, switch the sidecar, bring what waited into place, remove what is obsolete."""
        target = self.target
        self._refuse_late_changes()
        standing = self._settled()
        self._refuse_others(standing)
        observed_ns = time.time_ns()
        kept = unchanged_rows(self._digests, standing.rows, standing.manifest)
        self._direct = _unoccupied(self._digests, standing)
        # Tried here, where needed, for the probe to lie beside the prefix, not in it.
        target.store.capabilities(target.metadata_bucket, target.metadata_object_key)
        target.write_next(self._document | self._announcement())
        try:
            uploaded, waiting = self._upload([path for path in self._digests if path not in kept])
            ours = {**kept, **uploaded, **waiting}
            obsolete = obsolete_versions(standing.rows, standing.manifest, ours)
            rows = {path: row for path, row in standing.rows.items() if path not in obsolete}
            replaced = {path: _etag(standing.rows.get(path)) for path in waiting}
            self._fill_in({path: row.etag for path, row in ours.items()}, obsolete, replaced)
            self._document["output"] |= {"etag": rows_digest(rows | ours), "version_id": None}
        except Exception:
            self._withdraw()
            raise
        self._switch(standing.sidecar_etag)
        self.is_published = True
        if waiting or obsolete:
            self._finish_switch()
        S3TargetWithMetadata.remove_next(target)
        rows = self._complete()
        self._keep_copies({path: rows[path] for path in (*uploaded, *waiting) if path in rows})
        return target.observation(rows, observed_ns)

    def _settled(self) -> Standing:
        """What stands there, once what earlier publishes left has been finished or undone.

        A switch that somebody else is at, on this host or another, is waited for as long as it gets on,
        then finished for him.
        """
        target, standing = self.target, self.target.standing()
        give_up = time.monotonic() + _PATIENCE_S
        while True:
            if standing.is_switching:
                is_at_it = standing.switcher and is_of_living_other({"owner": standing.switcher})
                if is_at_it and time.monotonic() < give_up:
                    time.sleep(_PAUSE_S)
                else:
                    finish_switch(target)
            elif standing.announced.get("state") != PUBLISHING or is_of_living_other(
                standing.announced
            ):
                return standing
            else:
                target.settle(standing.announced)
            before, standing = standing, target.standing()
            if standing.rows != before.rows:
                give_up = time.monotonic() + _PATIENCE_S

    def _switch(self, etag: str | None) -> None:
        try:
            self.target.switch_sidecar(self._document, etag)
        except (ObjectChanged, SyncFailed) as error:
            self._withdraw()
            message = (
                f"{self.target} was published by another writer while this run was uploading, so nothing "
                "of this run was published. Run again, to see what stands there now."
            )
            raise ObjectChanged(message, target=self.target) from error

    def _finish_switch(self) -> None:
        """Bring into place what waits, unless somebody who thought this process dead has done so."""
        try:
            final = finish_switch(self.target) or {}
        except (ObjectChanged, TargetMissing):
            final = self.target.sidecar_version()[0] or {}
            if final.get("run_id") == self._run_id and final["output"].get("staged"):
                raise
        if final.get("run_id") == self._run_id:
            self._document["output"] = final["output"]
        else:  # he has switched on, and looked after his own only
            self.target.staging(self._run_id).drop()

    def _complete(self) -> dict[str, ObjectStat]:
        """What is listed in the end; what another run removed or overwrote while it gave way is put again.

        That run looked before it removed what it had uploaded, and the switch came in between.
        """
        target, rows = self.target, self.target.rows()
        etags = {row["path"]: row["etag"] for row in self._document["output"]["contents"]}
        lost = [path for path, etag in etags.items() if _etag(rows.get(path)) != etag]
        stats = dict(zip(lost, target.heads(lost), strict=True))
        lost = [
            path for path, stat in stats.items() if stat is None or claimed_run_id(stat) is not None
        ]
        if not lost or (target.sidecar_version()[0] or {}).get("run_id") != self._run_id:
            return rows
        for path in lost:
            self._put(path, target.prefix + path, target.prefix + path)
        return target.rows()

    def _refuse_others(self, standing: Standing) -> None:
        """Publish nothing over what was published, or otherwise written, since the build was planned."""
        target, planned = self.target, self.replaces
        if planned is None or planned == (target.observation(standing.rows, 0).token or ""):
            return
        made_by = (standing.document or {}).get("build_id")
        is_ours = made_by is not None and made_by == self._document.get("build_id")
        is_same = standing.content.fingerprint == self._content.fingerprint
        published = standing.published or {}
        is_as_planned = published and planned == target.observation(published, 0).token
        if not (is_ours or is_same or is_as_planned):
            message = (
                f"{target} was written or deleted by somebody else since this build was planned, so "
                "nothing was uploaded. Run again, to see what stands there now."
            )
            raise ObjectChanged(message, target=target)

    def _withdraw(self) -> None:
        """Remove what was uploaded; where the store refuses that too, the next build does it."""
        with contextlib.suppress(TargetError):
            announced = self.target.announced()
            if announced.get("run_id") == self._run_id:
                self.target.settle(announced)
            else:
                withdraw_uploads(self.target, self._announcement())

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

    def _fill_in(
        self, etags: Mapping[str, str], obsolete: Mapping[str, str], staged: Mapping[str, str]
    ) -> None:
        """Let the document name every object, which is what makes it a manifest."""
        output = self._document["output"]
        fill_in(output, self._content, etags)
        output["obsolete"] = dict(obsolete)
        if staged:
            output["staged"] = dict(staged)

    def _announcement(self) -> dict[str, Any]:
        output = {
            key: value
            for key, value in self._document["output"].items()
            if key not in ("contents", "obsolete", "staged")
        }
        return {
            "state": PUBLISHING,
            "run_id": self._run_id,
            "owner": this_owner(),
            "output": output,
            "uploading": sorted(self._direct),
        }

    def _upload(self, paths: Sequence[str]) -> tuple[dict[str, ObjectStat], dict[str, ObjectStat]]:
        """Put objects where no reader looks yet: in place, where nothing is, else into the staging area.

        Returns:
            What is in place, and what waits.
        """
        target, staging = self.target, self.target.staging(self._run_id)

        def put(path: str) -> tuple[bool, ObjectStat]:
            key = target.prefix + path
            if path in self._direct:
                with contextlib.suppress(ObjectChanged):  # another writer was faster there
                    return False, self._put(path, key, key, if_none_match=True)
            return True, self._put(path, key, staging.key_of(path))

        with expecting(sum(self._digests[path].size_bytes for path in paths)):
            results = dict(zip(paths, in_threads(put, paths, threads=_THREADS), strict=True))
        return (
            {path: stat for path, (waits, stat) in results.items() if not waits},
            {path: stat for path, (waits, stat) in results.items() if waits},
        )

    def _put(self, path: str, key: str, to: str, *, if_none_match: bool = False) -> ObjectStat:
        target = self.target
        return target.store.put_file(
            target.bucket,
            to,
            f"{self.path}/{path}",
            metadata=target.run_metadata(key, self._run_id),
            if_none_match=if_none_match,
            digests=self._digests[path],
        )

    def _keep_copies(self, published: Mapping[str, ObjectStat]) -> None:
        etags = {row["path"]: row["etag"] for row in self._document["output"]["contents"]}
        for path, put in published.items():
            if put.etag != etags[path]:
                continue  # somebody else's by now
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


def fill_in(output: dict[str, Any], content: Content, etags: Mapping[str, str]) -> None:
    """Let a sidecar's `output` name every object of a prefix."""
    output["file_count"] = content.file_count
    output["contents"] = [
        {
            "path": entry.path,
            "size_bytes": entry.size_bytes,
            "fingerprint": entry.digest,
            "etag": etags[entry.path],
        }
        for entry in content.contents
    ]


def _unoccupied(paths: Iterable[str], standing: Standing) -> set[str]:
    """The paths whose objects no reader looks at before the switch.

    Where no manifest names what belongs to the old version, everything that is listed does.
    """
    if standing.rows and standing.published is None:
        return set()
    return set(paths) - standing.rows.keys()


def _etag(row: ObjectStat | None) -> str:
    return "" if row is None else row.etag
