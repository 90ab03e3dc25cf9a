"""Luigi's own targets, seen as ours: plain tasks mix into a graph and get lineage too."""

from __future__ import annotations

import os
from typing import Any

import luigi
from luigi.local_target import LocalTarget

from superluigi.targets.base import SIDECAR_SUFFIX, TargetWithMetadata
from superluigi.targets.local_file import LocalFileTarget
from superluigi.targets.local_folder import LocalFolderTarget

__all__ = ["adapt", "local_target_at", "target_at"]

_HEAD_BYTES = 200
"""`format` is the first key of what we write."""


def adapt(target: luigi.Target) -> TargetWithMetadata | None:
    """The target as one of ours at the same place; None for one that cannot be fingerprinted.

    A `LocalTarget` is a folder where a folder stands, else a file. A contrib `S3Target` is an object, or a
    prefix where its path ends in `/`. A database marker and the like have no bytes of their own: their
    version is the run that last made them.
    """
    if isinstance(target, TargetWithMetadata):
        return target
    if isinstance(target, LocalTarget):
        return local_target_at(target.path)
    if _is_contrib_s3(target):
        return _s3(str(target.path))  # type: ignore[attr-defined]
    return None


def target_at(location: str) -> TargetWithMetadata | None:
    """The target at an absolute path or an `s3://` URI, with its sidecar where it usually is."""
    if location.startswith("s3://"):
        return _s3(location)
    return None if "://" in location else local_target_at(location)


def local_target_at(path: str) -> TargetWithMetadata:
    """What stands at a local path, as one of ours."""
    if not os.path.isdir(path):  # noqa: PTH112
        return LocalFileTarget(path)
    return LocalFolderTarget(path, metadata_inside=_holds_its_sidecar(path))


def _holds_its_sidecar(folder: str) -> bool:
    """Whether `.metadata.json` in a folder is the folder's sidecar, and so no part of its content."""
    try:
        with open(f"{folder}/{SIDECAR_SUFFIX}", "rb") as file:  # noqa: PTH123
            return b'"superluigi-sidecar/' in file.read(_HEAD_BYTES)
    except OSError:
        return False


def _is_contrib_s3(target: Any) -> bool:
    """Without importing the contrib module, which needs boto3."""
    return any(
        cls.__module__ == "luigi.contrib.s3" and cls.__name__ == "S3Target"
        for cls in type(target).__mro__
    )


def _s3(uri: str) -> TargetWithMetadata:
    """Imported when used: a local build does not need boto3."""
    from superluigi.targets.s3_object import S3ObjectTarget
    from superluigi.targets.s3_prefix import S3PrefixTarget

    return S3PrefixTarget(uri) if uri.endswith("/") else S3ObjectTarget(uri)
