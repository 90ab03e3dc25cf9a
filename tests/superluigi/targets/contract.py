"""The kinds of target that keep the contract of `test_contract.py`, and what a run does to them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from superluigi.project import current_project
from superluigi.sidecar import output_row
from superluigi.targets import LocalFileTarget, LocalFolderTarget, S3ObjectTarget, S3PrefixTarget
from superluigi.targets.base import PendingOutput, TargetWithMetadata
from tests.s3_server import BUCKET

OLD = {"a.txt": b"old a", "only old.txt": b"gone later", "deep/b.bin": b"\0\1"}
NEW = {"a.txt": b"new a", "deep/b.bin": b"\0\1", "deep/er/c": b""}
"""Two versions; of a file only `a.txt` counts."""

Version = Mapping[str, bytes]

_RUN_ID = "01900000-0000-7000-8000-{:012d}"
_TIME = "2026-01-05T08:12:31.123456Z"


class Kind(ABC):
    """One kind of target."""

    name: str
    is_folder: bool
    is_remote: bool

    @abstractmethod
    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> TargetWithMetadata:
        """A target of this name, whose sidecar may be elsewhere."""

    @abstractmethod
    def put(self, target: TargetWithMetadata, version: Version) -> None:
        """What another program does: make or replace the target without us."""

    @abstractmethod
    def everything(self) -> set[str]:
        """All that stands in the store: paths or keys, without the project's own folder."""

    def write(self, path: str, version: Version) -> None:
        """What `run()` does with its output path."""
        if not self.is_folder:
            Path(path).write_bytes(version["a.txt"])
            return
        for name, data in version.items():
            file = Path(path, name)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(data)

    def read(self, path: str) -> Version:
        """What a task finds at its input path."""
        if not self.is_folder:
            return {"a.txt": Path(path).read_bytes()}
        files = [file for file in Path(path).rglob("*") if file.is_file()]
        return {str(file.relative_to(path)): file.read_bytes() for file in files}

    def part(self, version: Version) -> Version:
        """What of a version a target of this kind holds."""
        return version if self.is_folder else {"a.txt": version["a.txt"]}

    def content(self, target: TargetWithMetadata) -> Version:
        """What stands there now."""
        return {
            name: data
            for name, data in self.read(target.download(force=True)).items()
            if not name.startswith(".metadata.json")
        }

    def __repr__(self) -> str:
        return self.name


class LocalKind(Kind):
    is_remote = False

    def put(self, target: TargetWithMetadata, version: Version) -> None:
        Path(target.path).parent.mkdir(parents=True, exist_ok=True)
        self.write(target.path, version)

    def everything(self) -> set[str]:
        files = (path for path in Path().rglob("*") if path.is_file())
        return {
            str(path) for path in files if path.parts[0] not in (".superluigi", "superluigi.toml")
        }


class FileKind(LocalKind):
    name = "file"
    is_folder = False

    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> LocalFileTarget:
        return LocalFileTarget(name, metadata_path=sidecar)


class FolderKind(LocalKind):
    name = "folder"
    is_folder = True

    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> LocalFolderTarget:
        return LocalFolderTarget(name, metadata_path=sidecar)


class FolderWithSidecarInsideKind(FolderKind):
    name = "folder with its sidecar inside"

    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> LocalFolderTarget:
        return LocalFolderTarget(name, metadata_path=sidecar, metadata_inside=sidecar is None)


class RemoteKind(Kind):
    is_remote = True
    client: Any
    """A plain boto3 client; the test's fixture sets it."""

    def everything(self) -> set[str]:
        listed = self.client.list_objects_v2(Bucket=BUCKET).get("Contents", [])
        return {entry["Key"] for entry in listed}


class ObjectKind(RemoteKind):
    name = "object"
    is_folder = False

    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> S3ObjectTarget:
        return S3ObjectTarget(BUCKET, name, metadata_object_key=sidecar)

    def put(self, target: TargetWithMetadata, version: Version) -> None:
        key = target.uri.removeprefix(f"s3://{BUCKET}/")
        self.client.put_object(Bucket=BUCKET, Key=key, Body=version["a.txt"])


class PrefixKind(RemoteKind):
    name = "prefix"
    is_folder = True

    def target(self, name: str = "out/result", *, sidecar: str | None = None) -> S3PrefixTarget:
        return S3PrefixTarget(BUCKET, name, metadata_object_key=sidecar)

    def put(self, target: TargetWithMetadata, version: Version) -> None:
        prefix = target.uri.removeprefix(f"s3://{BUCKET}/")
        for name, data in version.items():
            self.client.put_object(Bucket=BUCKET, Key=prefix + name, Body=data)


KINDS: list[Kind] = [
    FileKind(),
    FolderKind(),
    FolderWithSidecarInsideKind(),
    ObjectKind(),
    PrefixKind(),
]


def begun(kind: Kind, target: TargetWithMetadata, version: Version, run: int = 1) -> PendingOutput:
    """A new version that was written, but not yet published."""
    pending = target.begin_output(_RUN_ID.format(run))
    kind.write(pending.path, version)
    return pending


def sealed(
    kind: Kind, target: TargetWithMetadata, version: Version, run: int = 1
) -> tuple[PendingOutput, dict[str, Any]]:
    """A new version that is ready for `prepare()`, with its document."""
    pending = begun(kind, target, version, run)
    row = output_row(target.kind, "", current_project().stored_path(target.uri), pending.seal())
    return pending, document(run, output=row)


def published(
    kind: Kind, target: TargetWithMetadata, version: Version, run: int = 1
) -> dict[str, Any]:
    """Publish a version as a run does; the document that was published."""
    pending, sidecar = sealed(kind, target, version, run)
    pending.prepare(sidecar)
    pending.commit()
    pending.discard()
    return sidecar


def document(run: int = 1, **more: Any) -> dict[str, Any]:
    """A small sidecar."""
    row = {"type": "", "place": "", "path": "out/result", "fingerprint": f"sha256:{'0' * 64}"}
    return {
        "format": "superluigi-sidecar/1",
        "task_hash": f"{run:032x}",
        "family": "Made",
        "run_id": _RUN_ID.format(run),
        "params": {},
        "upstream": {},
        "inputs": [],
        "output": row,
        "started_at": _TIME,
        "ended_at": _TIME,
        **more,
    }
