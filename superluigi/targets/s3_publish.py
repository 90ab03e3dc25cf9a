"""A new version of an object on its way to S3, and what it shares with that of a prefix."""

from __future__ import annotations

import contextlib
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superluigi.errors import ObjectChanged, OutputNotWritten, StoreUnavailable, SyncFailed
from superluigi.files import new_temporary_directory, remove_tree
from superluigi.project import current_project
from superluigi.s3.checksums import digests_of
from superluigi.s3.hand_out import local_name
from superluigi.s3.objects import ObjectStat
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline
from superluigi.targets.base import PendingOutput
from superluigi.targets.s3 import METADATA_BUILD, S3TargetWithMetadata, claimed_run_id
from superluigi.targets.s3_observe import etag_in, observation_of
from superluigi.targets.state import Content, Observation

if TYPE_CHECKING:
    from superluigi.targets.s3_object import S3ObjectTarget

__all__ = ["PendingObject", "S3PendingOutput", "identity_of"]


class S3PendingOutput(PendingOutput):
    """A new version in a temporary directory of the project, uploaded as a whole when it is complete.

    `durable` is of no consequence here: what S3 has accepted is on its disks.
    """

    def __init__(self, target: S3TargetWithMetadata, basename: str) -> None:
        if is_offline():
            message = (
                f"{target} cannot be made: nothing is uploaded while offline. "
                f"Go online (offline in the settings, {OFFLINE_VARIABLE})."
            )
            raise StoreUnavailable(message, target=target)
        home = current_project().ensure_home()
        self.directory = new_temporary_directory(str(home / "tmp"))
        self.path = f"{self.directory}/{basename}"
        self._unpublished = home / "unpublished"

    def discard(self) -> None:
        """Remove the temporary directory with whatever is in it."""
        remove_tree(self.directory)

    def keep(self) -> str:
        """Move what was written out of the way of the sweep; its path."""
        if not os.path.lexists(self.path):
            return self.directory
        source = Path(self.path)
        folder = (
            self._unpublished / f"{time.strftime('%Y%m%dT%H%M%S')}-{Path(self.directory).name[-8:]}"
        )
        folder.mkdir(parents=True, exist_ok=True)
        kept = source.rename(folder / source.name)
        with contextlib.suppress(OSError):
            self.discard()
        return str(kept)


class PendingObject(S3PendingOutput):
    """A new version of one object."""

    def __init__(self, target: S3ObjectTarget, run_id: str) -> None:
        super().__init__(target, local_name(target.object_key))
        self.target = target
        self._run_id = run_id

    def seal(self) -> Content:
        """Its SHA-256."""
        try:
            self._identity = identity_of(self.path)
        except FileNotFoundError:
            message = (
                f"run() wrote nothing to output_path, so {self.target} was not made. "
                "Write the result to the path that is passed as output_path."
            )
            raise OutputNotWritten(message, target=self.target) from None
        if Path(self.path).is_dir():
            message = (
                f"run() wrote a folder to output_path, but {self.target} is an object. "
                "Write one file, or declare an S3PrefixTarget."
            )
            raise OutputNotWritten(message, target=self.target)
        self._digests = digests_of(Path(self.path))
        return Content(f"sha256:{self._digests.sha256}", self._digests.size_bytes)

    def prepare(self, document: dict[str, Any]) -> None:
        """Keep the document: the object itself will say which run wrote it."""
        self._document = document

    def commit(self) -> Observation:
        """Upload the object, then the sidecar."""
        target = self.target
        if identity_of(self.path) != self._identity:
            message = (
                f"{self.path!r} changed after run() ended, so {target} was not uploaded. "
                "Let run() wait for whatever it started."
            )
            raise SyncFailed(message, target=target)
        observed_ns = time.time_ns()
        put = self._put(str(self._document.get("build_id") or ""))
        self.is_published = True
        self._document["output"] |= {"etag": put.etag, "version_id": put.version_id}
        target.write_sidecar(self._document)
        target.keep_copy(self.path, self._digests, put)
        return observation_of(put, observed_ns)

    def _put(self, build_id: str) -> ObjectStat:
        """Upload it over what the plan saw, or over what an earlier try of the same build left."""
        target = self.target
        metadata = target.run_metadata(target.object_key, self._run_id)
        metadata |= {METADATA_BUILD: build_id} if build_id else {}
        replaces = None if self.replaces is None else etag_in(self.replaces)
        try:
            return target.put(self.path, self._digests, metadata, replaces=replaces)
        except ObjectChanged as error:
            found = target.store.head(target.bucket, target.object_key)
            if found is not None and found.sha256 == self._digests.sha256:
                return found  # whoever was faster wrote the same bytes
            is_ours = found is not None and claimed_run_id(found) is not None
            if found and is_ours and (found.metadata or {}).get(METADATA_BUILD) == build_id != "":
                return target.put(self.path, self._digests, metadata, replaces=found.etag)
            message = (
                f"{target} was written or deleted by somebody else since this build was planned, so "
                "nothing was uploaded. Run again, to see what stands there now."
            )
            raise ObjectChanged(message, target=target) from error


def identity_of(path: str) -> tuple[int, int, int]:
    """What changes when a file does."""
    status = os.stat(path)  # noqa: PTH116
    return status.st_size, status.st_mtime_ns, status.st_ino
