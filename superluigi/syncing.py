"""Bytes for a person: outputs, all that they were made from, or what a past run consumed, as files."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import luigi

from superluigi.errors import StoreUnavailable, TargetMissing
from superluigi.files import new_temporary_directory, remove_tree, tree_files
from superluigi.places.accounts import Accounts
from superluigi.project import Project, current_project
from superluigi.s3.hand_out import place_file
from superluigi.s3.offline import is_offline
from superluigi.s3.tree import check_path
from superluigi.s3.uri import is_s3_uri, parse_uri
from superluigi.targets import S3ObjectTarget, S3PrefixTarget
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.s3 import cache_of
from superluigi.targets.s3_past import copies_as_of
from superluigi.targets.s3_prefix_copies import build_folder
from superluigi_catalog import Catalog, InputEntry, OutputEntry, TaskNotFound

__all__ = ["Synced", "fetch_as_of", "sync_target", "targets_to_sync"]


@dataclass(frozen=True, slots=True)
class Synced:
    """A target and its local copy."""

    uri: str
    path: str
    size_bytes: int | None
    others: int = 0
    """Files in the folder that are no part of the target; they were left alone."""


def targets_to_sync(ref: str, catalog: Catalog, *, upstream: bool) -> list[TargetWithMetadata]:
    """The targets that a reference means.

    Args:
        ref: A task hash or its beginning, a target's path or URI.
        upstream: Those of everything that it was made from as well.

    Raises:
        TaskNotFound, AmbiguousHash: nothing, or several, are recorded under `ref`.
    """
    try:
        rows = list(catalog.targets(ref))
    except TaskNotFound:
        if not is_s3_uri(ref) or upstream:
            raise
        return [_target_at(ref, "")]
    if upstream:
        for task in catalog.upstream(ref):
            rows += catalog.targets(task.task_hash)
    project = current_project()
    places = {row.uri: row.kind for row in rows}
    found = (_target_at(project.absolute_path(uri), kind) for uri, kind in places.items())
    return [target for target in found if target is not None]


def sync_target(target: TargetWithMetadata, to: str | None) -> Synced:
    """Make the local copy of a target what the target is.

    Args:
        to: A directory; below it bucket and key are folders. None for the cache, and for what is local the
            target itself.

    Raises:
        TargetMissing: there is nothing there.
        TargetConflict: its key cannot be a file's path.
    """
    if to is None:
        path, others = target.download(), 0
    else:
        path = _place_below(to, target)
        others = _renew(path, target.download)
    size = sum(each.stat().st_size for each in _files_at(path))
    return Synced(target.uri, path, size, others)


def fetch_as_of(ref: str, run_id: str, catalog: Catalog, *, to: str | None = None) -> list[Synced]:
    """The exact bytes that a run consumed or wrote, wherever they still are.

    They are looked for by digest among the local copies, then as the version of the object that the run had
    (in a bucket with versions), then in place; those of a prefix in place, then as the versions that an old
    version of its sidecar names.

    Args:
        ref: A target's path or URI, or a task whose output it was.
        to: A directory to copy them to.

    Raises:
        TaskNotFound: no such run, or it neither read nor wrote that.
        TargetMissing: the bytes are nowhere any more.
    """
    run = catalog.run(run_id)
    entries: list[InputEntry | OutputEntry] = [*run.inputs, *run.outputs]
    uris = _uris_of(ref, catalog)
    meant = {entry.uri: entry for entry in entries if entry.uri in uris}
    if not meant:
        touched = ", ".join(dict.fromkeys(entry.uri for entry in entries)) or "nothing"
        message = f"Run {run.run_id} neither read nor wrote {ref!r}. It has to do with: {touched}."
        raise TaskNotFound(message, ref=ref)
    return [_fetch(entry, run.run_id, to) for entry in meant.values()]


def _target_at(location: str, kind: str) -> Any:
    """A target by what the catalog has of it; None for one without bytes of its own."""
    if is_s3_uri(location):
        is_prefix = kind == "S3PrefixTarget" or location.endswith("/")
        account = Accounts(current_project()).of_bucket(parse_uri(location)[0])
        target = S3PrefixTarget if is_prefix else S3ObjectTarget
        return target(uri=location, **account)
    return adapt(luigi.LocalTarget(location)) if Path(location).is_absolute() else None


def _uris_of(ref: str, catalog: Catalog) -> set[str]:
    project: Project = current_project()
    uris = {ref, project.stored_path(ref if is_s3_uri(ref) else str(Path(ref).absolute()))}
    with contextlib.suppress(TaskNotFound):
        uris |= {row.uri for row in catalog.targets(ref)}
    return uris


def _fetch(entry: InputEntry | OutputEntry, run_id: str, to: str | None) -> Synced:
    target = _target_at(current_project().absolute_path(entry.uri), entry.kind)
    blob = cache_of(current_project()).blob(entry.fingerprint.removeprefix("sha256:"))
    if blob is None and entry.version_id and isinstance(target, S3ObjectTarget):
        blob = _of_version(target, entry)
    if blob is not None and target is not None:
        path = _copied(blob, target, to)
        return Synced(entry.uri, path, Path(path).stat().st_size)
    if target is not None and not is_offline():
        seen = target.observe()
        if seen.exists and target.read_content(seen).fingerprint == entry.fingerprint:
            return sync_target(target, to)
        if isinstance(target, S3PrefixTarget):
            found = _past_prefix(target, entry.fingerprint, to)
            if found is not None:
                return found
    message = (
        f"The bytes that run {run_id} had at {entry.uri!r} ({entry.fingerprint}) are not there any more, "
        "neither in place nor among the local copies nor as a version of the object. Run the task that made "
        "them again, and switch on versioning for the bucket."
    )
    raise TargetMissing(message, target=entry.uri)


def _of_version(target: S3ObjectTarget, entry: InputEntry | OutputEntry) -> str | None:
    try:
        copy = target.cache.fetch(
            target.store, target.bucket, target.object_key, version_id=entry.version_id
        )
    except (TargetMissing, StoreUnavailable):
        return None
    expected = {f"sha256:{copy.sha256}", f"etag:{copy.stat.etag}:{copy.stat.size_bytes}"}
    return copy.path if entry.fingerprint in expected else None


def _past_prefix(target: S3PrefixTarget, fingerprint: str, to: str | None) -> Synced | None:
    """An old version of a prefix; None where it cannot be put together any more."""
    for place in (target, S3PrefixTarget(uri=target.uri, metadata_inside=True)):
        copies = copies_as_of(place, fingerprint)
        if copies is not None:
            break
    else:
        return None
    others = 0
    if to is None:
        path = target.cache.local_tree(copies, target.prefix)
    else:
        path = _place_below(to, target)
        others = _renew(path, lambda new: build_folder(copies, new, writable=True))
    size = sum(copy.stat.size_bytes for _, copy in copies)
    return Synced(target.uri, path, size, others)


def _copied(blob: str, target: TargetWithMetadata, to: str | None) -> str:
    if to is None:
        return cache_of(current_project()).local_name_for(blob, target.uri)
    path = Path(_place_below(to, target))
    path.parent.mkdir(parents=True, exist_ok=True)
    directory = new_temporary_directory(str(path.parent))
    try:
        place_file(blob, f"{directory}/new", writable=True)
        Path(directory, "new").replace(path)
    finally:
        remove_tree(directory)
    return str(path)


def _place_below(to: str, target: TargetWithMetadata) -> str:
    """Where a target goes below a directory: never outside of it."""
    if is_s3_uri(target.uri):
        bucket, key = parse_uri(target.uri)
        relative = f"{bucket}/{key.rstrip('/')}"
    else:
        stored = current_project().stored_path(target.uri)
        relative = Path(stored).name if Path(stored).is_absolute() else stored
    check_path(relative)
    return str(Path(to, relative))


def _renew(path: str, make: Callable[[str], object]) -> int:
    """Replace the copy at `path`, file by file; how many others are left beside them.

    Args:
        make: Makes the new one at a path.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    directory = new_temporary_directory(str(Path(path).parent))
    made = f"{directory}/new"
    try:
        make(made)
        if not Path(made).is_dir():
            os.replace(made, path)  # noqa: PTH105
            return 0
        names = _replace_files(made, path, [name for name, _ in tree_files(made)])
    finally:
        remove_tree(directory)
    return sum(name not in names for name, _ in tree_files(path))


def _replace_files(source: str, folder: str, names: Iterable[str]) -> set[str]:
    moved = set()
    for name in names:
        Path(folder, name).parent.mkdir(parents=True, exist_ok=True)
        os.replace(Path(source, name), Path(folder, name))  # noqa: PTH105
        moved.add(name)
    return moved


def _files_at(path: str) -> Sequence[Path]:
    if Path(path).is_dir():
        return [Path(path, name) for name, _ in tree_files(path)]
    return [Path(path)]
