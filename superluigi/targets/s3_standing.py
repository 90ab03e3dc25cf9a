"""A prefix as one reader finds it: what is listed, what its sidecar names, and whether they belong together."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from superluigi.s3.objects import ObjectStat
from superluigi.targets.s3 import claimed_run_id
from superluigi.targets.s3_manifest import (
    PUBLISHING,
    Manifest,
    published_rows,
    standing_content,
)
from superluigi.targets.state import Content

if TYPE_CHECKING:
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["Standing", "claimed_digest", "look_at_standing"]


@dataclass(frozen=True, slots=True)
class Standing:
    """A prefix as one reader finds it."""

    rows: dict[str, ObjectStat]
    """All objects that are listed below it, by their keys after it."""
    document: dict[str, Any] | None
    sidecar_etag: str | None
    manifest: Manifest | None
    published: dict[str, ObjectStat] | None
    """The objects that were published, some perhaps not in place yet; None where not all stand any more."""
    announced: Mapping[str, Any]
    intruder: str | None = None
    """A run whose objects stand among those of the run that the sidecar names: what belongs together is lost."""
    is_settled: bool = True
    """False while what is listed and what the sidecar names keep differing in new ways."""

    @property
    def own(self) -> dict[str, ObjectStat]:
        """The objects that are its content."""
        return self.rows if self.published is None else self.published

    @property
    def is_switching(self) -> bool:
        """Whether objects of the version that the sidecar names may still wait in the staging area."""
        return self.manifest is not None and bool(self.manifest.staged)

    @property
    def switcher(self) -> str:
        """The process that switched to that version; "" where the sidecar does not say."""
        environment = (self.document or {}).get("environment") or {}
        return str(environment.get("process") or "")

    @property
    def content(self) -> Content:
        """What it holds."""
        return standing_content(self.rows, self.manifest, self.published)

    @property
    def unfinished_run(self) -> str | None:
        """The run whose publish left nothing whole, because there was nothing whole before it either, or
        because it got into another."""
        announced = self.announced
        if self.intruder is not None:
            return self.intruder
        if self.published is not None or announced.get("state") != PUBLISHING:
            return None
        if announced.get("uploading") == []:
            return None  # nothing of it is in place before its switch
        run_id = announced.get("run_id")
        return None if (self.document or {}).get("run_id") == run_id else str(run_id)


def look_at_standing(target: S3PrefixTarget, rows: dict[str, ObjectStat] | None) -> Standing:
    """What stands there for a reader, in one look.

    Args:
        rows: What a listing has just shown.
    """
    rows = target.rows() if rows is None else rows
    announced = target.announced()
    document, etag = target.sidecar_version(as_listed=True)
    in_place = announced.get("state") in ("running", "failed")
    manifest = None if in_place else Manifest.of(document)
    published, intruder = None, None
    if manifest is not None:
        staging = target.staging(manifest.run_id)
        published = published_rows(
            rows,
            manifest,
            target.claimed_digests,
            lambda: staging.rows(list(manifest.staged)),
            functools.partial(target.may_replace, manifest),
        )
        if published is None:
            intruder = _intruder(target, rows, manifest)
    return Standing(rows, document, etag, manifest, published, announced, intruder)


def _intruder(
    target: S3PrefixTarget, rows: dict[str, ObjectStat], manifest: Manifest
) -> str | None:
    """Another run of ours that wrote objects in the place of those that the sidecar names.

    Only a store that ignores conditions lets two publishes get into each other like that.
    """
    paths = [path for path in manifest.files if path in rows]
    wrong = [path for path in paths if manifest.digest_of(path, rows[path]) is None]
    for path, stat in zip(wrong, target.heads(wrong), strict=True):
        run_id = claimed_run_id(stat) if stat is not None else None
        is_other = claimed_digest(stat) != manifest.files[path].digest
        if is_other and run_id not in (None, manifest.run_id):
            return run_id
    return None


def claimed_digest(stat: ObjectStat | None) -> str | None:
    """The digest in an object's user metadata."""
    return f"sha256:{stat.sha256}" if stat and stat.sha256 else None
