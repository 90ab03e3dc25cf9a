"""What local files and folders share: their paths, their sidecars, putting old versions aside."""

from __future__ import annotations

import contextlib
import os
import secrets
import time
from functools import lru_cache
from typing import Any

from superluigi.errors import InputChanged, TargetConflict, TargetMissing
from superluigi.files import (
    STASH_PREFIX,
    new_temporary_directory,
    remove_tree,
    replace_file,
    sync_directory,
    sync_file,
    temporary_place,
)
from superluigi.s3.uri import is_s3_uri
from superluigi.sidecar import MAX_SIDECAR_BYTES, encode_sidecar
from superluigi.targets.base import SIDECAR_SUFFIX, PendingOutput, Stash, TargetWithMetadata
from superluigi.targets.state import Observation

__all__ = [
    "NEXT_SUFFIX",
    "LocalPendingOutput",
    "LocalStash",
    "LocalTargetWithMetadata",
    "local_path",
]

NEXT_SUFFIX = ".next"

_HAND_OUT_TRIES = 3
_KEPT_NAME_BYTES = 200
"""Of a name, so that what is added to it does not make it too long."""


def local_path(path: str | os.PathLike[str], kind: str, counterpart: str) -> str:
    """The path of a local target as text.

    Args:
        kind: The target's class.
        counterpart: The class for the same thing on S3.

    Raises:
        ValueError: it is empty, or a URI.
    """
    text = os.fspath(path)
    if not text:
        message = f"{kind} was given an empty path. Name a place, such as 'data/table.csv'."
        raise ValueError(message)
    if is_s3_uri(text):
        message = f"{kind} takes a local path, and {text!r} is on S3. Use {counterpart}({text!r})."
        raise ValueError(message)
    return text


class LocalTargetWithMetadata(TargetWithMetadata):
    """A target on a local filesystem, with its sidecar beside it or at `metadata_path`."""

    path: str
    _own_metadata_path: str | None = None

    @property
    def uri(self) -> str:
        """The absolute path."""
        path = self.path
        return _absolute(path, "" if os.path.isabs(path) else os.getcwd())  # noqa: PTH109, PTH117

    @property
    def metadata_path(self) -> str:
        """The sidecar: `<path>.metadata.json` unless another place was asked for."""
        return self._own_metadata_path or f"{self.path.rstrip('/')}{SIDECAR_SUFFIX}"

    def read_sidecar(self) -> bytes | None:
        """The sidecar's bytes; None when there is none."""
        return _read_small(self.metadata_path)

    def write_sidecar(self, document: dict[str, Any]) -> None:
        """Replace the sidecar at once."""
        data = encode_sidecar(document)
        try:
            replace_file(self.metadata_path, data)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.metadata_path), exist_ok=True)  # noqa: PTH103, PTH120
            replace_file(self.metadata_path, data)

    def read_next(self) -> bytes | None:
        """The bytes of `<sidecar>.next`."""
        return _read_small(self.metadata_path + NEXT_SUFFIX)

    def has_sidecar(self) -> bool:
        """Whether the sidecar is there."""
        return os.path.lexists(self.metadata_path)

    def is_announced(self) -> bool:
        """Whether a `<sidecar>.next` stands there."""
        return os.path.lexists(self.metadata_path + NEXT_SUFFIX)

    def write_next(self, document: dict[str, Any]) -> None:
        """Announce a publish or a run that writes in place."""
        data = encode_sidecar(document)
        path = self.metadata_path + NEXT_SUFFIX
        try:
            _write(path, data)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120
            _write(path, data)

    def remove_next(self) -> None:
        """Withdraw the announcement."""
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self.metadata_path + NEXT_SUFFIX)  # noqa: PTH108

    def hand_out(
        self,
        directory: str,
        *,
        force_download: bool = False,
    ) -> tuple[str, Observation]:
        """A clone, else a copy, of what stands there."""
        destination = f"{directory}/{os.path.basename(self.uri)}"  # noqa: PTH119
        for _ in range(_HAND_OUT_TRIES):
            before = self.observe()
            if not before.exists:
                raise self._missing()
            # A file that vanishes in between is a change as well.
            with contextlib.suppress(FileNotFoundError):
                self._copy_to(destination)
                if self.observe().token == before.token:
                    return destination, before
            remove_tree(destination)
        message = (
            f"{self.path!r} kept changing while it was copied for a task. "
            "Let whatever writes it finish, and run again."
        )
        raise InputChanged(message, target=self)

    def stash(self, run_id: str) -> Stash | None:
        """Move what stands there into a temporary directory beside it."""
        if not self.observe().exists:
            return None
        directory = new_temporary_directory(os.path.dirname(self.uri), prefix=STASH_PREFIX)  # noqa: PTH120
        return LocalStash(self.uri, directory)

    def put_back(self, location: str) -> bool:
        """Move a stashed version back over whatever stands there."""
        directory = self._stash_directory(location)
        if directory is None:
            return False
        _move_over(f"{directory}/{os.path.basename(self.uri)}", self.uri)  # noqa: PTH119
        remove_tree(directory)
        return True

    def drop_stashed(self, location: str) -> None:
        """Remove a stashed version."""
        directory = self._stash_directory(location)
        if directory is not None:
            remove_tree(directory)

    def _stash_directory(self, location: str) -> str | None:
        """Where a stash that was announced at `location` lies; None when it is not one of ours, or gone."""
        # A sidecar is untrusted text, and the project may have moved since: of the location only the name
        # of the folder counts, and only if it is one of ours beside the target.
        parent, name = os.path.split(self.uri)
        folder = os.path.basename(os.path.dirname(location))  # noqa: PTH119, PTH120
        directory = f"{parent}/{folder}"
        is_ours = folder.startswith(STASH_PREFIX)
        return directory if is_ours and os.path.lexists(f"{directory}/{name}") else None

    def makedirs(self) -> None:
        """Create the folders above the target."""
        self._parent_made()

    def _copy_to(self, destination: str) -> None:
        raise NotImplementedError

    def _sync_sidecar(self) -> None:
        """Force the sidecar to the disk, where there is one: plain targets may have none."""
        with contextlib.suppress(FileNotFoundError):
            sync_file(self.metadata_path)
            sync_directory(os.path.dirname(self.metadata_path))  # noqa: PTH120

    def _missing(self) -> TargetMissing:
        message = f"{self.path!r} does not exist. Run the task that makes it, or put it there."
        return TargetMissing(message, target=self)

    def _parent_made(self) -> str:
        parent = os.path.dirname(self.uri)  # noqa: PTH120
        try:
            os.makedirs(parent, exist_ok=True)  # noqa: PTH103
        except (FileExistsError, NotADirectoryError) as error:
            message = (
                f"{self.path!r} cannot be made: {_file_above(parent)!r} is a file where a folder is "
                "needed. Move the file away, or change the path."
            )
            raise TargetConflict(message, target=self) from error
        return parent


@lru_cache(maxsize=100_000)
def _absolute(path: str, folder: str) -> str:
    return os.path.normpath(os.path.join(folder, path))  # noqa: PTH118 - asked some times for each target


def _file_above(folder: str) -> str:
    """The file that stands where `folder`, or a folder above it, should be."""
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)  # noqa: PTH120
    return folder


class LocalPendingOutput(PendingOutput):
    """A new version in a temporary directory beside the target: one rename makes it the target."""

    def __init__(self, target: LocalTargetWithMetadata) -> None:
        self.target = target
        self.final_path = target.uri
        parent, name = os.path.split(self.final_path)
        try:
            self.directory, self._is_shared = temporary_place(parent, name)
        except (FileExistsError, NotADirectoryError):
            target.makedirs()  # raises the error that says which file is in the way
            raise
        self.path = f"{self.directory}/{name}"
        self._is_announced = False
        self._document: dict[str, Any] = {}

    def _announce(self, document: dict[str, Any]) -> None:
        self._is_announced = True
        self._document = document
        self.target.write_next(document)
        if self.durable:
            sync_file(self.target.metadata_path + NEXT_SUFFIX)

    def _rename_sidecar(self) -> None:
        sidecar = self.target.metadata_path
        try:
            os.replace(sidecar + NEXT_SUFFIX, sidecar)  # noqa: PTH105
        except FileNotFoundError:
            # A build with another catalog, on another host, published the same target in this instant: its
            # rename took the announcement along. The last one to publish has the last word.
            self.target.write_sidecar(self._document)
        self._is_announced = False
        if self.durable:
            sync_directory(os.path.dirname(sidecar))  # noqa: PTH120

    def discard(self) -> None:
        """Remove whatever is left of what was written, and an announcement that came to nothing."""
        if self._is_announced and not self.is_published:
            with contextlib.suppress(OSError):
                self.target.remove_next()
        if self._is_shared:
            _remove(self.path)
            return
        try:
            os.rmdir(self.directory)  # noqa: PTH106 - after a commit it is empty
        except OSError:
            remove_tree(self.directory)

    def keep(self) -> str:
        """Move what was written out of the way of the sweep; its path."""
        if not os.path.lexists(self.path):
            return self.directory
        now = time.strftime("%Y%m%dT%H%M%S")
        parent, name = os.path.split(self.final_path)
        short = os.fsdecode(os.fsencode(name)[:_KEPT_NAME_BYTES])
        kept = f"{parent}/{short}.unpublished-{now}-{secrets.token_hex(2)}"
        os.replace(self.path, kept)  # noqa: PTH105
        self.discard()
        return kept


class LocalStash(Stash):
    """An old version in a temporary directory beside its place."""

    def __init__(self, path: str, directory: str) -> None:
        self._path = path
        self._directory = directory
        self.location = f"{directory}/{os.path.basename(path)}"  # noqa: PTH119

    def take(self) -> None:
        """Rename it into the temporary directory."""
        os.replace(self._path, self.location)  # noqa: PTH105

    def restore(self) -> None:
        """Put it back over whatever the task left."""
        if os.path.lexists(self.location):
            _move_over(self.location, self._path)
        remove_tree(self._directory)

    def drop(self) -> None:
        """Remove it."""
        remove_tree(self._directory)


def _remove(path: str) -> None:
    try:
        os.unlink(path)  # noqa: PTH108
    except FileNotFoundError:
        pass
    except OSError:
        remove_tree(path)


def _move_over(stashed: str, path: str) -> None:
    if os.path.isdir(path) or os.path.isdir(stashed):  # noqa: PTH112 - only files replace files
        remove_tree(path)
    os.replace(stashed, path)  # noqa: PTH105


def _read_small(path: str) -> bytes | None:
    try:
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123 - hot
            return file.read(MAX_SIDECAR_BYTES + 1) or b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except IsADirectoryError:
        return b""  # which is no sidecar


def _write(path: str, data: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    finally:
        os.close(descriptor)
