"""Multipart uploads that are under way, written down locally: those of dead processes cost money for ever.

S3 does not say whose an unfinished upload is, so only what is written down here is ours to abort. A process
that dies between the store's answer and the note leaves one that only a lifecycle rule of the bucket removes.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from superluigi.errors import BucketMissing, TargetError, TargetMissing
from superluigi.files import replace_file
from superluigi.project import current_project
from superluigi.s3.client import ClientSpec, client_for
from superluigi.s3.errors import DELETE, error_code, s3_errors
from superluigi.s3.uri import format_uri
from superluigi_catalog.owner import is_alive, this_owner

__all__ = [
    "OrphanedUpload",
    "abort_orphaned_uploads",
    "abort_upload",
    "announced_upload",
    "orphaned_uploads",
]


@dataclass(frozen=True, slots=True)
class OrphanedUpload:
    """An unfinished multipart upload of a process of ours that is dead."""

    bucket: str
    key: str
    upload_id: str
    spec: ClientSpec
    started: float
    """Seconds since the epoch."""
    note: Path

    @property
    def uri(self) -> str:
        """Where the object would have been."""
        return format_uri(self.bucket, self.key)


@contextlib.contextmanager
def announced_upload(spec: ClientSpec, bucket: str, key: str, upload_id: str) -> Iterator[None]:
    """Write an upload down while it exists; what fails for good is aborted inside."""
    name = hashlib.sha256(f"{bucket}\0{key}\0{upload_id}".encode()).hexdigest()[:32]
    note = _directory() / f"{name}.json"
    note.parent.mkdir(parents=True, exist_ok=True)
    document = {
        "owner": this_owner(),
        "spec": asdict(spec),
        "bucket": bucket,
        "key": key,
        "upload_id": upload_id,
        "started": time.time(),
    }
    replace_file(str(note), json.dumps(document).encode())
    yield
    note.unlink(missing_ok=True)


def orphaned_uploads() -> list[OrphanedUpload]:
    """The uploads that processes of this project began and died in; no request is made."""
    found = [_read(note) for note in sorted(_directory().glob("*.json"))]
    return [upload for upload in found if upload is not None]


def abort_orphaned_uploads() -> list[OrphanedUpload]:
    """Abort them, so that their parts cost nothing any more.

    Returns:
        Those that were aborted, or were not there any more.

    Raises:
        TargetError: the store refused one; all others were tried, and are not listed again.
    """
    aborted, refused = [], None
    for upload in orphaned_uploads():
        try:
            abort_upload(upload)
        except TargetError as error:
            refused = refused or error
        else:
            aborted.append(upload)
    if refused is not None:
        raise refused
    return aborted


def abort_upload(upload: OrphanedUpload) -> None:
    """Abort one; nothing where it is gone: its process died after all was complete, or the bucket was deleted.

    Raises:
        TargetError: the store refused.
    """
    place = {"Bucket": upload.bucket, "Key": upload.key, "UploadId": upload.upload_id}
    try:
        with s3_errors(DELETE, upload.bucket, upload.key):
            client_for(upload.spec).abort_multipart_upload(**place)
    except (TargetMissing, BucketMissing):
        pass
    except TargetError as error:
        if error_code(error.__cause__ or error) != "NoSuchUpload":
            raise
    upload.note.unlink(missing_ok=True)


def _directory() -> Path:
    return current_project().ensure_home() / "uploads"


def _read(note: Path) -> OrphanedUpload | None:
    """None for an upload whose process may still be at it, and for what is no note."""
    try:
        document: dict[str, Any] = json.loads(note.read_bytes())
        if is_alive(document["owner"]):
            return None
        return OrphanedUpload(
            bucket=str(document["bucket"]),
            key=str(document["key"]),
            upload_id=str(document["upload_id"]),
            spec=ClientSpec(**document["spec"]),
            started=float(document["started"]),
            note=note,
        )
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return None
