"""Local sidecars and targets, for the catalog."""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from superluigi.files import STASH_PREFIX, TEMPORARY_PREFIX, remove_tree
from superluigi.places.looking import (
    Standing,
    Wanted,
    fingerprint_at,
    look_at,
    read_at,
    why_kept,
    write_acceptance,
)
from superluigi.project import Project
from superluigi.sidecar import MAX_SIDECAR_BYTES
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import local_target_at
from superluigi.targets.local_file import stat_token
from superluigi_catalog.errors import PlaceUnknown
from superluigi_catalog.places import SIDECAR_SUFFIX, FoundSidecar
from superluigi_catalog.records import JsonObject, Observed

__all__ = ["LocalPlaces"]


class LocalPlaces:
    """Looks at files and folders.

    Args:
        project: How their paths are stored.
    """

    def __init__(self, project: Project) -> None:
        self._project = project

    def sidecars(self, root: str) -> Iterator[FoundSidecar]:
        """Walk a folder. Links are not followed; the project's home and what runs keep aside are left out.

        Raises:
            PlaceUnknown: there is nothing at `root`.
        """
        start = self._absolute(root)
        if os.path.isfile(start):  # noqa: PTH113
            yield from self._around_file(start)
            return
        if not os.path.isdir(start):  # noqa: PTH112
            message = f"There is no folder {root!r} to look for sidecars in. Correct the path."
            raise PlaceUnknown(message, path=root)
        pending = [start]
        while pending:
            yield from self._in_folder(pending.pop(), pending)

    def read_sidecars(self, uris: Sequence[str]) -> list[bytes | Exception | None]:
        """Read files."""
        return [_read(self._project.absolute_path(uri)) for uri in uris]

    def look(self, targets: Sequence[Wanted]) -> list[Observed]:
        """Ask for the status of each file, and of each file in a folder."""
        looks = [self._look_at_file(uri, kind) for uri, kind in targets]
        others = [target for target, look in zip(targets, looks, strict=True) if look is None]
        looked = iter(look_at(others, self._target))
        return [look or next(looked) for look in looks]

    def read(self, targets: Sequence[Wanted]) -> list[Observed]:
        """Read each file whole."""
        return read_at(targets, self._target, _fingerprints)

    def remove_target(self, uri: str, kind: str, fingerprint: str) -> str:
        """Remove a file or folder, once it was read and found to be what it should be."""
        target = self._target(uri, kind)
        kept = why_kept(target, fingerprint)
        if kept:
            return kept
        remove_tree(target.uri)
        return f"{uri!r} could not be removed." if os.path.lexists(target.uri) else ""

    def write_acceptance(self, uri: str, kind: str, acceptance: JsonObject | None) -> str:
        """Replace the sidecar beside a file or folder."""
        return write_acceptance(self._target(uri, kind), acceptance)

    def remove_sidecar(self, uri: str) -> str:
        """Remove a file."""
        try:
            Path(self._project.absolute_path(uri)).unlink(missing_ok=True)
        except OSError as error:
            return str(error)
        return ""

    def _look_at_file(self, uri: str, kind: str) -> Observed | None:
        """The look at a plain file, which most are, by nothing but one `stat`; None for anything else."""
        observed_ns = time.time_ns()
        try:
            status = os.stat(self._project.absolute_path(uri))  # noqa: PTH116
        except (OSError, ValueError):
            return None
        if not stat.S_ISREG(status.st_mode):
            return None
        return Observed(
            uri=uri,
            kind=kind,
            state="present",
            token=stat_token(status),
            size_bytes=status.st_size,
            mtime_ns=status.st_mtime_ns,
            observed_ns=observed_ns,
        )

    def _target(self, uri: str, kind: str) -> TargetWithMetadata:
        return local_target_at(self._absolute(uri))

    def _absolute(self, uri: str) -> str:
        return self._project.absolute_path(self._project.stored_path(uri))

    def _in_folder(self, folder: str, pending: list[str]) -> Iterator[FoundSidecar]:
        stored = self._project.stored_path(folder)
        prefix = "" if stored == "." else f"{stored.rstrip('/')}/"
        home = os.path.basename(self._project.home)  # noqa: PTH119
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    name = entry.name
                    if name.endswith(SIDECAR_SUFFIX) and entry.is_file(follow_symlinks=False):
                        status = entry.stat(follow_symlinks=False)
                        yield FoundSidecar(prefix + name, stat_token(status), status.st_size)
                    elif entry.is_dir(follow_symlinks=False) and not (
                        name.startswith((TEMPORARY_PREFIX, STASH_PREFIX))
                        or (name == home and entry.path == str(self._project.home))
                    ):
                        pending.append(entry.path)
        except OSError as error:
            yield FoundSidecar(stored, problem=f"{error.strerror or error}")

    def _around_file(self, path: str) -> Iterator[FoundSidecar]:
        """The sidecar of one target, or the one that is named itself."""
        path = path if path.endswith(SIDECAR_SUFFIX) else path + SIDECAR_SUFFIX
        if os.path.isfile(path):  # noqa: PTH113
            status = os.stat(path)  # noqa: PTH116
            yield FoundSidecar(self._project.stored_path(path), stat_token(status), status.st_size)


def _fingerprints(standing: Standing) -> list[str | Exception]:
    return [fingerprint_at(target, seen) for target, seen in standing]


def _read(path: str) -> bytes | Exception | None:
    try:
        # A sidecar that is a pipe or a device would never end.
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW)
        try:
            status = os.fstat(descriptor)
            if not stat.S_ISREG(status.st_mode):
                return IsADirectoryError(f"{path!r} is no file")
            return os.read(descriptor, min(status.st_size, MAX_SIDECAR_BYTES) + 1)
        finally:
            os.close(descriptor)
    except FileNotFoundError:
        return None
    except OSError as error:
        return error
