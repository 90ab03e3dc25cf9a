"""`LocalFolderTarget`: a folder of files on a local filesystem, published as one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from luigi.local_target import LocalTarget

from superluigi.errors import InputChanged, OutputNotWritten, TargetConflict
from superluigi.files import (
    STASH_PREFIX,
    TEMPORARY_PREFIX,
    clone_or_copy_tree,
    file_sha256,
    remove_tree,
    sync_directory,
    sync_file,
    tree_files,
)
from superluigi.targets.base import SIDECAR_SUFFIX
from superluigi.targets.exchange import exchange
from superluigi.targets.local import (
    NEXT_SUFFIX,
    LocalPendingOutput,
    LocalTargetWithMetadata,
    local_path,
)
from superluigi.targets.local_file import stat_token
from superluigi.targets.refusals import folder_is_empty, no_folder
from superluigi.targets.state import Content, FileEntry, Observation, tree_content

__all__ = ["LocalFolderTarget"]

_OWN_NAMES = (SIDECAR_SUFFIX, SIDECAR_SUFFIX + NEXT_SUFFIX)
_LOOKS = 5

_Seen = TypeVar("_Seen")


class LocalFolderTarget(LocalTargetWithMetadata, LocalTarget):
    """A folder, with its sidecar at `<path>.metadata.json` or inside.

    Args:
        path: Where the folder is; relative to the working directory, or absolute.
        metadata_path: Where the sidecar is instead.
        metadata_inside: Keep it in the folder, as `.metadata.json`.

    Raises:
        ValueError: an empty path, an S3 URI, or two places for the sidecar.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        metadata_path: str | os.PathLike[str] | None = None,
        metadata_inside: bool = False,
    ) -> None:
        text = local_path(path, "LocalFolderTarget", "S3PrefixTarget")
        LocalTarget.__init__(self, path=text)
        if metadata_path and metadata_inside:
            message = f"{path!r}: give metadata_path or metadata_inside, not both."
            raise ValueError(message)
        self.metadata_inside = metadata_inside
        if metadata_inside:
            self._own_metadata_path = f"{self.path.rstrip('/')}/{SIDECAR_SUFFIX}"
        elif metadata_path:
            self._own_metadata_path = os.fspath(metadata_path)

    def exists(self) -> bool:
        """Whether the folder is there.

        Raises:
            TargetConflict: a file is.
        """
        self._refuse_file()
        return os.path.isdir(self.path)  # noqa: PTH112

    def open(self, mode: str = "r") -> Any:
        """Refused: a folder is not opened; open the files in `path`."""
        message = f"{self.path!r} is a folder. Open a file in it: open(f'{{target.path}}/part.csv', {mode!r})."
        raise TargetConflict(message, target=self)

    def files(self) -> list[str]:
        """The paths of its files, relative to the folder, sorted."""
        return [relative for relative, _ in self._rows_now() or []]

    def observe(self) -> Observation:
        """One walk; no file is read.

        Raises:
            TargetConflict: a file stands there.
            InputChanged: files keep vanishing while they are looked at.
        """
        observed_ns = time.time_ns()
        rows = self._rows_now()
        if rows is None:
            return Observation(exists=False, observed_ns=observed_ns)
        digest = hashlib.sha256()
        for relative, status in rows:
            digest.update(f"{relative}\0{stat_token(status)}\n".encode("utf-8", "surrogateescape"))
        return Observation(
            exists=True,
            token=f"stat-tree:{digest.hexdigest()[:32]}",
            size_bytes=sum(status.st_size for _, status in rows),
            mtime_ns=max((status.st_mtime_ns for _, status in rows), default=None),
            file_count=len(rows),
            observed_ns=observed_ns,
        )

    def read_content(self, observation: Observation) -> Content:
        """The digest over the digests of its files."""
        content = self._of_one_version(lambda: self.content_of(self.path))
        if content is None:
            raise self._missing()
        return content

    def begin_output(self, run_id: str) -> LocalPendingOutput:
        """An empty folder of the same base name in a temporary directory beside it."""
        return _PendingFolder(self)

    def download(self, to: str | None = None, *, force: bool = False) -> str:
        """The folder itself, or a copy at `to`, which must not exist yet."""
        if not self.exists():
            raise self._missing()
        if to is None:
            return self.path
        if os.path.lexists(to):
            message = f"{to!r} exists already. Name a new folder to copy {self.path!r} to."
            raise TargetConflict(message, target=self)
        clone_or_copy_tree(self.path, to)
        return to

    def sync(self) -> None:
        """Force the files, the sidecar and all their entries to the disk."""
        self._sync_sidecar()
        _sync_tree(self.uri)
        sync_directory(os.path.dirname(self.uri))  # noqa: PTH120

    def content_of(self, folder: str) -> Content:
        """The content of `folder`, as if it stood at this target's place."""
        return tree_content(
            FileEntry(relative, status.st_size, f"sha256:{file_sha256(f'{folder}/{relative}')}")
            for relative, status in tree_files(folder)
            if not self.is_own_sidecar(relative)
        )

    def is_own_sidecar(self, relative: str) -> bool:
        """Whether a file of the folder is its sidecar, and so no part of its content."""
        return self.metadata_inside and relative in _OWN_NAMES

    def _rows(self) -> list[tuple[str, os.stat_result]]:
        return [row for row in tree_files(self.path) if not self.is_own_sidecar(row[0])]

    def _rows_now(self) -> list[tuple[str, os.stat_result]] | None:
        """The rows, sorted; None when there is no folder."""
        return self._of_one_version(lambda: sorted(self._rows(), key=lambda row: row[0]))

    def _of_one_version(self, look: Callable[[], _Seen]) -> _Seen | None:
        """What a walk finds, when the folder was not replaced while it was walked; None when there is none."""
        for _ in range(_LOOKS):
            self._refuse_file()
            try:
                before = os.stat(self.path)  # noqa: PTH116
                seen = look()
                if os.path.samestat(before, os.stat(self.path)):  # noqa: PTH116
                    return seen
            except (FileNotFoundError, NotADirectoryError):
                if not os.path.isdir(self.path):  # noqa: PTH112
                    return None
        message = (
            f"{self.path!r} kept changing while it was looked at. "
            "Let whatever writes it finish, and run again."
        )
        raise InputChanged(message, target=self)

    def _refuse_file(self) -> None:
        if os.path.isfile(self.path.rstrip("/")):  # noqa: PTH113
            message = (
                f"{self.path!r} is a file, but a folder was meant. "
                "Use LocalFileTarget, or move the file away."
            )
            raise TargetConflict(message, target=self)

    def _copy_to(self, destination: str) -> None:
        clone_or_copy_tree(self.path, destination)
        for name in _OWN_NAMES if self.metadata_inside else ():
            remove_tree(f"{destination}/{name}")


class _PendingFolder(LocalPendingOutput):
    """A new version of a folder."""

    target: LocalFolderTarget

    def __init__(self, target: LocalFolderTarget) -> None:
        super().__init__(target)
        Path(self.path).mkdir()

    def seal(self) -> Content:
        """The digest over its files."""
        if not os.path.isdir(self.path):  # noqa: PTH112
            raise no_folder(self.path, self.target, "a folder", "a LocalFileTarget")
        self._refuse_own_names()
        content = self.target.content_of(self.path)
        if not content.file_count:
            raise folder_is_empty(self.target)
        return content

    def prepare(self, document: dict[str, Any]) -> None:
        """Write the sidecar: into the new folder, or beside the target as `<sidecar>.next`."""
        document["output"]["mtime_ns"] = max(
            status.st_mtime_ns for _, status in tree_files(self.path)
        )
        if self.target.metadata_inside:
            LocalFolderTarget(self.path, metadata_inside=True).write_sidecar(document)
        else:
            # Where the platform cannot swap two folders at once, the old one lies here for an instant.
            announced = document["output"] | {"stash": self._old_path}
            self._announce(document | {"output": announced})
            self._document = document
        if self.durable:
            _sync_tree(self.path)

    def commit(self) -> Observation:
        """Swap the folders, then rename the sidecar."""
        self.target._refuse_file()
        if os.path.isdir(self.final_path):  # noqa: PTH112
            self._swap()
        else:
            os.rename(self.path, self.final_path)  # noqa: PTH104
        self.is_published = True
        if self.durable:
            sync_directory(os.path.dirname(self.final_path))  # noqa: PTH120
        if not self.target.metadata_inside:
            self.target.write_sidecar(self._document)
            if self.durable:
                self.target._sync_sidecar()
            self.target.remove_next()
        return self.target.observe()

    def _refuse_own_names(self) -> None:
        taken = next((name for name in _OWN_NAMES if os.path.lexists(f"{self.path}/{name}")), None)
        if self.target.metadata_inside and taken is not None:
            message = (
                f"run() wrote {taken!r} into output_path, but that is the name of the sidecar. "
                "Choose another name."
            )
            raise OutputNotWritten(message, target=self.target)

    def _swap(self) -> None:
        if exchange(self.path, self.final_path):
            return
        old = self._old_path
        os.makedirs(os.path.dirname(old), exist_ok=True)  # noqa: PTH103, PTH120 - may be shared
        os.rename(self.final_path, old)  # noqa: PTH104
        try:
            os.rename(self.path, self.final_path)  # noqa: PTH104
        except OSError:
            os.rename(old, self.final_path)  # noqa: PTH104
            raise
        remove_tree(old)
        with contextlib.suppress(OSError):
            os.rmdir(os.path.dirname(old))  # noqa: PTH106, PTH120

    @property
    def _old_path(self) -> str:
        """Where the old folder lies for an instant, on platforms that cannot swap two."""
        beside, own = os.path.split(self.directory)
        own = own.replace(TEMPORARY_PREFIX, STASH_PREFIX)
        return f"{beside}/{own}/{os.path.basename(self.final_path)}"  # noqa: PTH119


def _sync_tree(root: str) -> None:
    folders = {root}
    for relative, _ in tree_files(root):
        sync_file(f"{root}/{relative}")
        folders.add(os.path.dirname(f"{root}/{relative}"))  # noqa: PTH120
    for folder in folders:
        sync_directory(folder)
