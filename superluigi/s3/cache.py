"""Local copies of objects, kept by their content: each version is downloaded once and never served stale.

    cas/v1/ab/<sha256>     the bytes, read-only, written once
    index/v1/ab/<…>.json   which object had which bytes (`cache_index`)
    tmp/                   what is being downloaded; swept when its process is dead
    locks/                 keeps processes from downloading the same object at once
    out/<sha256>/<name>    links to the bytes under the names that their keys have

No answer depends on a lock: whatever enters `cas` was verified under a name of its own, and then renamed.
The freshness of a copy is decided by the store's ETag and version, its integrity by size, times, inode
and boot, and by its digest as soon as one of those is not as recorded.
"""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from superluigi.errors import StoreUnavailable, TargetError, TargetMissing
from superluigi.files import (
    clone_or_copy,
    file_sha256,
    new_temporary_directory,
    remove_tree,
    sweep_temporaries,
)
from superluigi.s3.cache_index import BlobState, CacheIndex, Entry, Place
from superluigi.s3.cache_space import CacheSpace
from superluigi.s3.hand_out import READ_ONLY, local_name, place_file, take_over
from superluigi.s3.lock import patient_lock
from superluigi.s3.objects import ObjectStat
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline
from superluigi.s3.parallel import in_threads
from superluigi.s3.protocol import Store
from superluigi.s3.transfers import expecting, note_expected
from superluigi.s3.tree import build_tree, is_tree_of
from superluigi.s3.uri import format_uri
from superluigi_catalog.owner import this_owner

__all__ = ["Cache", "CachedObject"]

_THREADS = 16
_SHA256 = re.compile(r"[0-9a-f]{64}")
_CACHEDIR_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n"


@dataclass(frozen=True, slots=True)
class CachedObject:
    """A verified local copy of one version of an object."""

    path: str
    """The blob itself: never to be written to. `Cache.hand_out` gives a path to work with."""
    sha256: str
    """64 hex digits."""
    stat: ObjectStat
    """The version that it is."""


class Cache:
    """A directory of local copies, shared by any number of processes.

    Args:
        root: The directory; it is made when the first copy enters.
        max_bytes: What the copies may take together; what was not used for the longest time goes first.
        min_free_bytes: What is to stay free on the disk.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        max_bytes: int | None = None,
        min_free_bytes: int = 0,
    ) -> None:
        self.root = Path(root)
        self._index = CacheIndex(self.root / "index" / "v1")
        self.space = CacheSpace(
            self.root, self._index, max_bytes=max_bytes, min_free_bytes=min_free_bytes
        )
        self._scratch = (0, "")

    def __repr__(self) -> str:
        return f"Cache({str(self.root)!r})"

    def fetch(
        self,
        store: Store,
        bucket: str,
        key: str,
        *,
        version_id: str | None = None,
        seen: ObjectStat | None = None,
        force: bool = False,
    ) -> CachedObject:
        """A copy of what the object is now.

        It costs one request: a GET when nothing is known, a HEAD when the copy is still right, both
        when it is not.

        Args:
            version_id: That version instead; a copy of it costs no request at all.
            seen: A look at the object that is recent enough for the caller, instead of the HEAD.
            force: Download again, whatever is here.

        Raises:
            TargetMissing: there is no such object.
            SyncFailed: what arrived never was what the store holds.
            StoreUnavailable: offline, and there is no copy.
        """
        place = Place(store.identity, bucket, key, version_id)
        if is_offline():
            return self._as_kept(store, place)
        if force:
            return self._download(store, place)
        found = self._find_current(store, place, seen)
        if found is not None:
            return found
        with patient_lock(self._lock_path(place)) as waited:
            found = self._find_current(store, place, None) if waited else None
            return found or self._download(store, place)

    def fetch_many(
        self, store: Store, stats: Sequence[ObjectStat], *, force: bool = False
    ) -> list[CachedObject]:
        """Copies of objects that were just listed, in their order."""

        def fetch(seen: ObjectStat) -> CachedObject:
            found = None if force else self.find(store, seen)
            if found is not None:
                note_expected(-seen.size_bytes, is_certain=True)
                return found
            return self.fetch(store, seen.bucket, seen.key, seen=seen, force=force)

        with expecting(sum(seen.size_bytes for seen in stats)):
            return in_threads(fetch, stats, threads=_THREADS)

    def find(self, store: Store, seen: ObjectStat) -> CachedObject | None:
        """The copy of exactly the version that was seen, if it is here; no request."""
        place = Place(store.identity, seen.bucket, seen.key)
        entry = self._index.read(place)
        if entry is None or not entry.is_of(seen):
            return None
        return self._checked(entry, seen)

    def blob(self, sha256: str) -> str | None:
        """The bytes with a digest, whatever they are of; read before they are handed over."""
        if not _SHA256.fullmatch(sha256):
            return None  # it comes from a record, and becomes a path
        path = self._blob_path(sha256)
        try:
            return path if file_sha256(path) == sha256 else None
        except OSError:
            return None

    def local_name_for(self, blob: str, key: str) -> str:
        """A lasting path to a blob with a name like the key's, as `local_copy` makes it."""
        directory = self.root / "out" / Path(blob).name
        directory.mkdir(parents=True, exist_ok=True)
        with self._temporary_path() as made:
            place_file(blob, made)
            path = directory / local_name(key)
            os.replace(made, path)  # noqa: PTH105
        return str(path)

    def keep_listing(
        self, store: Store, bucket: str, prefix: str, document: dict[str, Any]
    ) -> None:
        """Keep which objects made up a prefix, for working offline."""
        place = Place(store.identity, bucket, prefix)
        if self._index.read_listing(place) != document:
            self._index.write_listing(place, document)

    def kept_listing(self, store: Store, bucket: str, prefix: str) -> dict[str, Any] | None:
        """What was last kept of a prefix."""
        return self._index.read_listing(Place(store.identity, bucket, prefix))

    def add(
        self, store: Store, path: str, stat: ObjectStat, sha256: str, *, consume: bool = False
    ) -> CachedObject | None:
        """Keep the file that was just uploaded, so that it is never downloaded.

        Args:
            path: The uploaded file.
            stat: What the upload returned.
            sha256: Of the file, as uploaded.
            consume: Move the file, which nobody needs any more, instead of cloning it.

        Returns:
            The copy; None when the file is not what was uploaded any more, or the disk is full.
        """
        try:
            with self._temporary_path() as held:
                take_over(path, held) if consume else clone_or_copy(path, held)
                if os.stat(held).st_size != stat.size_bytes:  # noqa: PTH116
                    return None
                if not consume and file_sha256(held) != sha256:
                    return None
                place = Place(store.identity, stat.bucket, stat.key)
                return self._keep(held, place, stat, sha256, "sha256")
        except OSError:
            return None

    def hand_out(
        self, cached: CachedObject, directory: str, basename: str, *, writable: bool = False
    ) -> str:
        """A path in `directory` with the bytes of a copy, as `place_file` makes it.

        Args:
            basename: A name to be kept as far as it can be a file's name; a whole key will do.
        """
        destination = f"{directory}/{local_name(basename)}"
        place_file(cached.path, destination, writable=writable)
        return destination

    def local_tree(self, files: Sequence[tuple[str, CachedObject]], basename: str) -> str:
        """A lasting folder in the cache with these files, read-only; the same one for the same files.

        Args:
            files: (relative path, copy), as `s3.tree` accepts them.
            basename: The folder's name.

        Raises:
            TargetConflict: the paths cannot be those of files.
        """
        names = "".join(f"{path}\0{copy.sha256}\n" for path, copy in sorted(files, key=_path_of))
        directory = self.root / "out" / hashlib.sha256(names.encode()).hexdigest()
        folder = directory / local_name(basename)
        if is_tree_of(str(folder), [(path, copy.path) for path, copy in files]):
            return str(folder)
        directory.mkdir(parents=True, exist_ok=True)
        with self._temporary_path() as temporary:
            Path(temporary).mkdir()
            made = f"{temporary}/new"
            build_tree(
                made, [path for path, _ in files], lambda i, to: place_file(files[i][1].path, to)
            )
            with contextlib.suppress(OSError):
                os.rename(folder, f"{temporary}/old")  # noqa: PTH104
            with contextlib.suppress(OSError):  # another process has just made the same one
                os.rename(made, folder)  # noqa: PTH104
        return str(folder)

    def local_copy(self, cached: CachedObject, basename: str) -> str:
        """A lasting path in the cache with a name like the key's, read-only, the same one each time."""
        return self.local_name_for(cached.path, basename)

    def _as_kept(self, store: Store, place: Place) -> CachedObject:
        """The copy that is here, however old."""
        entry = self._index.read(place)
        copy = self._checked(entry, _as_recorded(entry)) if entry is not None else None
        if copy is None:
            uri = format_uri(place.bucket, place.key)
            message = (
                f"{uri!r} is not among the local copies, and nothing is downloaded while offline. "
                f"Go online (offline in the settings, {OFFLINE_VARIABLE}), and run `superluigi sync`."
            )
            raise StoreUnavailable(message, target=uri)
        return copy

    def _find_current(
        self, store: Store, place: Place, seen: ObjectStat | None
    ) -> CachedObject | None:
        entry = self._index.read(place)
        if entry is None or not os.path.exists(self._blob_path(entry.sha256)):  # noqa: PTH110
            return None  # also where it made room for another: asking first would be a request too many
        if _is_pinned(place):
            seen = _as_recorded(entry)
        elif seen is None:
            seen = store.head(place.bucket, place.key)
            if seen is None:
                raise _missing(place)
        return self._checked(entry, seen) if entry.is_of(seen) else None

    def _checked(self, entry: Entry, seen: ObjectStat) -> CachedObject | None:
        """The entry's blob, if its bytes are right."""
        path = self._blob_path(entry.sha256)
        try:
            status = os.stat(path)  # noqa: PTH116
            state = BlobState.of(status, _boot())
            self.space.note_use(path, status)
            if state != entry.blob:
                if state.size_bytes != entry.size_bytes or file_sha256(path) != entry.sha256:
                    os.unlink(path)  # noqa: PTH108
                    return None
                self._index.write(replace(entry, blob=state))
        except OSError:
            return None
        return CachedObject(path, entry.sha256, seen)

    def _download(self, store: Store, place: Place) -> CachedObject:
        with self._temporary_path() as held:
            try:
                got = store.get_file(place.bucket, place.key, held, version_id=place.version_id)
            except TargetError as error:
                is_full = getattr(error.__cause__, "errno", None) == errno.ENOSPC
                if not is_full or not self.space.clear():
                    raise
                got = store.get_file(place.bucket, place.key, held, version_id=place.version_id)
            return self._keep(held, place, got.stat, got.sha256, got.verified_by)

    def _keep(
        self, held: str, place: Place, stat: ObjectStat, sha256: str, verified_by: str
    ) -> CachedObject:
        """Let a verified file become a blob: the only way into the cache."""
        path = self._blob_path(sha256)
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        os.chmod(held, READ_ONLY)  # noqa: PTH101
        status = os.stat(held)  # noqa: PTH116
        self.space.note_use(held, status)
        state = BlobState.of(status, _boot())
        os.replace(held, path)  # noqa: PTH105
        self._index.write(
            Entry(place, stat.etag, stat.version_id, stat.size_bytes, sha256, verified_by, state)
        )
        self.space.note_growth(stat.size_bytes)
        return CachedObject(path, sha256, stat)

    def _blob_path(self, sha256: str) -> str:
        return f"{self.root}/cas/v1/{sha256[:2]}/{sha256}"

    def _lock_path(self, place: Place) -> Path:
        return self.root / "locks" / self._index.path_of(place).stem[:3]

    @contextlib.contextmanager
    def _temporary_path(self) -> Iterator[str]:
        """A path of nobody else's on the cache's filesystem; what is left there in the end is removed."""
        path = f"{self._scratch_directory()}/{secrets.token_hex(8)}"
        try:
            yield path
        finally:
            remove_tree(path) if os.path.isdir(path) else Path(path).unlink(missing_ok=True)  # noqa: PTH112

    def _scratch_directory(self) -> str:
        """This process's own, which the next process sweeps: making one each time costs as much as a GET."""
        owner, directory = self._scratch
        if owner != os.getpid() or not os.path.isdir(directory):  # noqa: PTH112
            self._make_root()
            sweep_temporaries(f"{self.root}/tmp")
            directory = new_temporary_directory(f"{self.root}/tmp")
            self._scratch = (os.getpid(), directory)
        return directory

    def _make_root(self) -> None:
        self.root.mkdir(parents=True, exist_ok=True)
        tag = self.root / "CACHEDIR.TAG"
        if not tag.exists():
            tag.write_bytes(_CACHEDIR_TAG)


def _path_of(file: tuple[str, CachedObject]) -> str:
    return file[0]


def _missing(place: Place) -> TargetMissing:
    uri = f"s3://{place.bucket}/{place.key}"
    message = f"{uri!r} does not exist. Run the task that makes it, or correct the name."
    return TargetMissing(message, target=uri)


def _is_pinned(place: Place) -> bool:
    # The version "null" is overwritten in place, as without versioning.
    return place.version_id not in (None, "null")


def _as_recorded(entry: Entry) -> ObjectStat:
    place = entry.place
    return ObjectStat(place.bucket, place.key, entry.size_bytes, entry.etag, entry.version_id)


def _boot() -> str:
    return this_owner().split("|")[1].partition("/")[0]  # without the container
