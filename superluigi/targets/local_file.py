"""`LocalFileTarget`: one file on a local filesystem."""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path
from typing import Any

from luigi.local_target import LocalTarget

from superluigi.errors import OutputNotWritten, TargetConflict
from superluigi.files import (
    clone_or_copy,
    file_sha256,
    new_temporary_directory,
    remove_tree,
    sync_directory,
    sync_file,
)
from superluigi.targets.local import LocalPendingOutput, LocalTargetWithMetadata, local_path
from superluigi.targets.state import Content, Observation

__all__ = ["LocalFileTarget", "stat_token"]


class LocalFileTarget(LocalTargetWithMetadata, LocalTarget):
    """A file, with its sidecar at `<path>.metadata.json`.

    Args:
        path: Where the file is; relative to the working directory, or absolute.
        metadata_path: Where the sidecar is instead.
        format: A Luigi format for `open()`.

    Raises:
        ValueError: an empty path, or an S3 URI.

    Example:
        >>> LocalFileTarget("data/model.bin").metadata_path
        'data/model.bin.metadata.json'
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        metadata_path: str | os.PathLike[str] | None = None,
        format: Any = None,
    ) -> None:
        text = local_path(path, "LocalFileTarget", "S3ObjectTarget")
        LocalTarget.__init__(self, path=text, format=format)
        self._own_metadata_path = os.fspath(metadata_path) if metadata_path else None

    def exists(self) -> bool:
        """Whether the file is there.

        Raises:
            TargetConflict: a folder is.
        """
        return self.observe().exists

    def observe(self) -> Observation:
        """One `stat`."""
        observed_ns = time.time_ns()
        try:
            status = os.stat(self.path)  # noqa: PTH116 - hot: once per target and build
        except (FileNotFoundError, NotADirectoryError):
            return Observation(exists=False, observed_ns=observed_ns)
        if stat.S_ISDIR(status.st_mode):
            message = (
                f"{self.path!r} is a folder, but a file was meant. "
                "Use LocalFolderTarget, or move the folder away."
            )
            raise TargetConflict(message, target=self)
        return Observation(
            exists=True,
            token=stat_token(status),
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            observed_ns=observed_ns,
        )

    def read_content(self, observation: Observation) -> Content:
        """The SHA-256 of the file's bytes."""
        try:
            return Content(f"sha256:{file_sha256(self.path)}", observation.size_bytes)
        except FileNotFoundError as error:
            raise self._missing() from error

    def begin_output(self, run_id: str) -> LocalPendingOutput:
        """A path of the same base name in a temporary directory beside the file."""
        return _PendingFile(self)

    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """The file itself, or a copy at `to` (a file's path, or an existing folder)."""
        if not self.observe().exists:
            raise self._missing()
        if to is None:
            return self.path
        destination = Path(to, Path(self.path).name) if Path(to).is_dir() else Path(to)
        if destination.exists() and destination.samefile(self.path):
            return str(destination)
        destination.parent.mkdir(parents=True, exist_ok=True)
        directory = new_temporary_directory(str(destination.parent))
        try:
            clone_or_copy(self.path, f"{directory}/{destination.name}")
            os.replace(f"{directory}/{destination.name}", destination)  # noqa: PTH105
        finally:
            remove_tree(directory)
        return str(destination)

    def sync(self) -> None:
        """Force the file, its sidecar and their entries to the disk."""
        self._sync_sidecar()
        sync_file(self.uri)
        sync_directory(os.path.dirname(self.uri))  # noqa: PTH120

    def _copy_to(self, destination: str) -> None:
        clone_or_copy(self.path, destination)


class _PendingFile(LocalPendingOutput):
    """A new version of one file."""

    def seal(self) -> Content:
        """Its SHA-256."""
        try:
            status = os.stat(self.path)  # noqa: PTH116
        except FileNotFoundError:
            message = (
                f"run() wrote nothing to output_path, so {self.target.path!r} was not made. "
                "Write the result to the path that is passed as output_path."
            )
            raise OutputNotWritten(message, target=self.target) from None
        if stat.S_ISDIR(status.st_mode):
            message = (
                f"run() wrote a folder to output_path, but {self.target.path!r} is a file. "
                "Write one file, or declare a LocalFolderTarget."
            )
            raise OutputNotWritten(message, target=self.target)
        self._mtime_ns = status.st_mtime_ns
        return Content(f"sha256:{file_sha256(self.path)}", status.st_size)

    def discard(self) -> None:
        """As for all; where the file was moved into place, nothing is left."""
        if not (self.is_published and self._is_shared):
            super().discard()

    def prepare(self, document: dict[str, Any]) -> None:
        """Write the sidecar as `<sidecar>.next`."""
        document["output"]["mtime_ns"] = self._mtime_ns
        if self.durable:
            sync_file(self.path)
        self._announce(document)

    def commit(self) -> Observation:
        """Rename the file, then the sidecar."""
        if os.path.isdir(self.final_path):  # noqa: PTH112
            self.target.observe()  # raises: a folder appeared where the file belongs
        os.replace(self.path, self.final_path)  # noqa: PTH105
        self.is_published = True
        if self.durable:
            sync_directory(os.path.dirname(self.final_path))  # noqa: PTH120
        self._rename_sidecar()
        return self.target.observe()


def stat_token(status: os.stat_result) -> str:
    """The token of a file as `stat` shows it."""
    return f"stat:{status.st_size}:{status.st_mtime_ns}:{status.st_ino}:{status.st_ctime_ns}"
