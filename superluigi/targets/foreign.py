"""Luigi's own targets, seen as ours: plain tasks mix into a graph and get lineage too."""

from __future__ import annotations

import os
from typing import Any

import luigi
from luigi.local_target import LocalTarget

from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.local_file import LocalFileTarget
from superluigi.targets.local_folder import LocalFolderTarget

__all__ = ["adapt"]


def adapt(target: luigi.Target) -> TargetWithMetadata | None:
    """The target as one of ours at the same place; None for one that cannot be fingerprinted.

    A `LocalTarget` is a folder where a folder stands, else a file. A contrib `S3Target` is an object, or a
    prefix where its path ends in `/`. A database marker and the like have no bytes of their own: their
    version is the run that last made them.
    """
    if isinstance(target, TargetWithMetadata):
        return target
    if isinstance(target, LocalTarget):
        return _local(target.path)
    if _is_contrib_s3(target):
        return _s3(str(target.path))
    return None


def _local(path: str) -> TargetWithMetadata:
    return LocalFolderTarget(path) if os.path.isdir(path) else LocalFileTarget(path)  # noqa: PTH112


def _is_contrib_s3(target: Any) -> bool:
    """Without importing the contrib module, which needs boto3."""
    return any(
        cls.__module__ == "luigi.contrib.s3" and cls.__name__ == "S3Target"
        for cls in type(target).__mro__
    )


def _s3(uri: str) -> TargetWithMetadata:
    from superluigi.targets.s3_object import S3ObjectTarget
    from superluigi.targets.s3_prefix import S3PrefixTarget

    return S3PrefixTarget(uri) if uri.endswith("/") else S3ObjectTarget(uri)
