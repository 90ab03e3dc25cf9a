"""What looks at places for the catalog: finds sidecars, looks at targets, removes what is let go.

The catalog finds it by the entry point `superluigi_catalog.places`; `register` is what that names.
"""

from __future__ import annotations

from superluigi.project import Project
from superluigi_catalog.places import Copies, Places, Uploads, register_copies, register_uploads
from superluigi_catalog.places import register as register_scheme

__all__ = ["register"]


def register() -> None:
    """Let the catalog look at local paths and at S3, and know of local copies and of dead uploads."""
    register_scheme("", _local)
    register_scheme("s3", _s3)
    register_copies(_copies)
    register_uploads(_uploads)


def _local(project: Project) -> Places:
    from superluigi.places.local import LocalPlaces

    return LocalPlaces(project)


def _s3(project: Project) -> Places:
    """Imported when used: looking at local places does not need boto3."""
    from superluigi.places.s3 import S3Places

    return S3Places(project)


def _copies(project: Project) -> Copies:
    from superluigi.places.copies import CachedCopies

    return CachedCopies(project)


def _uploads(project: Project) -> Uploads:
    from superluigi.places.uploads import DeadUploads

    return DeadUploads(project)
