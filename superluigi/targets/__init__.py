"""The targets: files and folders, local and on S3, each with a sidecar beside it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from superluigi.targets.local_file import LocalFileTarget
from superluigi.targets.local_folder import LocalFolderTarget

if TYPE_CHECKING:
    from superluigi.targets.s3_object import S3ObjectTarget
    from superluigi.targets.s3_prefix import S3PrefixTarget

__all__ = ["LocalFileTarget", "LocalFolderTarget", "S3ObjectTarget", "S3PrefixTarget"]

_LATER = {"S3ObjectTarget": "s3_object", "S3PrefixTarget": "s3_prefix"}


def __getattr__(name: str) -> Any:
    # Imported when used: a local build does not need them.
    if name not in _LATER:
        message = f"module 'superluigi.targets' has no attribute {name!r}"
        raise AttributeError(message)
    value = getattr(importlib.import_module(f"superluigi.targets.{_LATER[name]}"), name)
    globals()[name] = value
    return value
