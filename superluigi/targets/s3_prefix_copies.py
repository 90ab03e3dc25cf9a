"""Local copies of a prefix: those of one whole version, of what stands there now or of what was kept."""

from __future__ import annotations

import contextlib
import time
from dataclasses import replace
from typing import TYPE_CHECKING

from superluigi.errors import InputChanged, StoreUnavailable
from superluigi.s3.cache import CachedObject
from superluigi.s3.hand_out import place_file
from superluigi.s3.objects import ObjectStat
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline
from superluigi.s3.tree import build_tree
from superluigi.targets.state import Observation

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["build_folder", "fetch_prefix"]

_TRIES = 3


def fetch_prefix(
    target: S3PrefixTarget, *, force: bool
) -> tuple[Observation, list[tuple[str, CachedObject]]]:
    """Copies of exactly the objects that are the prefix's content, and what was seen of them.

    Raises:
        TargetMissing: there are none.
        InputChanged: they kept changing.
        StoreUnavailable: offline, and not all are here.
    """
    if is_offline():
        return _as_kept(target)
    for _ in range(_TRIES):
        observed_ns = time.time_ns()
        standing = target.standing()
        if not standing.rows:
            raise target.missing()
        if standing.unfinished_run is not None:
            break
        if not standing.is_settled:
            continue
        own = standing.own
        with contextlib.suppress(FileNotFoundError), target.reading():
            copies = target.cache.fetch_many(target.store, list(own.values()), force=force)
            if all(map(_is_as_listed, copies, own.values())):
                seen = target.observation({**standing.rows, **own}, observed_ns)
                seen = replace(seen, fingerprint=standing.content.fingerprint)
                _keep(target, own, str(seen.fingerprint))
                return seen, list(zip(own, copies, strict=True))
    message = (
        f"{target.path!r} is being written, or its last publish was interrupted. "
        "Let whatever writes it finish, or run its task again."
    )
    raise InputChanged(message, target=target)


def build_folder(copies: list[tuple[str, CachedObject]], folder: str, *, writable: bool) -> None:
    """Make a folder of copies.

    Raises:
        TargetConflict: a key cannot be a file's path.
    """
    build_tree(
        folder,
        [path for path, _ in copies],
        lambda index, to: place_file(copies[index][1].path, to, writable=writable),
    )


def _keep(target: S3PrefixTarget, own: dict[str, ObjectStat], fingerprint: str) -> None:
    rows = [[path, row.key, row.size_bytes, row.etag] for path, row in own.items()]
    document = {"fingerprint": fingerprint, "rows": rows}
    target.cache.keep_listing(target.store, target.bucket, target.prefix, document)


def _as_kept(target: S3PrefixTarget) -> tuple[Observation, list[tuple[str, CachedObject]]]:
    document = target.cache.kept_listing(target.store, target.bucket, target.prefix) or {}
    rows = {
        path: ObjectStat(target.bucket, key, size_bytes, etag)
        for path, key, size_bytes, etag in document.get("rows", ())
    }
    found = {path: target.cache.find(target.store, row) for path, row in rows.items()}
    copies = [(path, copy) for path, copy in found.items() if copy is not None]
    if not copies or len(copies) < len(rows):
        message = (
            f"{target.path!r} is not among the local copies, or not all of it, and nothing is downloaded "
            f"while offline. Go online (offline in the settings, {OFFLINE_VARIABLE}), and run "
            "`superluigi sync`."
        )
        raise StoreUnavailable(message, target=target)
    seen = target.observation(rows, time.time_ns())
    return replace(seen, fingerprint=str(document["fingerprint"])), copies


def _is_as_listed(copy: CachedObject, row: ObjectStat) -> bool:
    return copy.stat.is_same_version(row)
