"""Whose a sidecar is: by where it lies, by the name that it gives, and by what stands there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from superluigi_catalog.places import SIDECAR_SUFFIX, scheme_of
from superluigi_catalog.records import Observed

__all__ = ["ReadSidecar", "is_as_written", "last_name", "target_beside"]


@dataclass(slots=True)
class ReadSidecar:
    """A sidecar that was read, and its target."""

    document: Mapping[str, Any]
    uri: str
    """Of the target, by where the sidecar lies."""
    look: Observed | None = None

    @property
    def kind(self) -> str:
        """The target's class, as the sidecar says."""
        return str(self.document["output"]["type"])

    @property
    def is_moved(self) -> bool:
        """Whether it lies elsewhere than its run put it."""
        return bool(self.document["output"]["path"] != self.uri)

    @property
    def fingerprint(self) -> str:
        """What its run wrote."""
        return str(self.document["output"]["fingerprint"])


def target_beside(uri: str, document: Mapping[str, Any]) -> str | None:
    """Name the target that a sidecar lies beside, or in.

    What the document says of its place only counts by the last name: nothing else that a sidecar names is
    ever looked at.

    Returns:
        None when the sidecar gives another name than that of the target.
    """
    path = str(document["output"]["path"])
    stem = uri.removesuffix(SIDECAR_SUFFIX)
    is_remote = bool(scheme_of(uri))
    if not stem or stem.endswith("/"):
        target = stem if is_remote else (stem.rstrip("/") or ("/" if stem else "."))
    else:
        target = f"{stem}/" if is_remote and path.endswith("/") else stem
    return target if target == path or last_name(target) == last_name(path) else None


def is_as_written(document: Mapping[str, Any], look: Observed) -> bool:
    """Whether a look shows what the run left, by size and time or ETag; the bytes are not read."""
    output = document["output"]
    if look.state != "present" or output.get("size_bytes") != look.size_bytes:
        return False
    if look.etag is not None:
        return bool(output.get("etag") == look.etag)
    return bool(
        output.get("mtime_ns") == look.mtime_ns
        and output.get("file_count", look.file_count) == look.file_count
    )


def last_name(path: str) -> str:
    """Return the name by which a sidecar must know its target, wherever both were moved."""
    return path.rstrip("/").rpartition("/")[2]
