"""What looks at places for the catalog: finds sidecars, looks at targets, removes what is let go.

The catalog finds it by the entry point `superluigi_catalog.places`; `register` is what that names.
"""

from __future__ import annotations

from superluigi.project import Project
from superluigi_catalog.places import Copies, Places, register_copies
from superluigi_catalog.places import register as register_scheme

__all__ = ["register"]


def register() -> None:
    """Let the catalog look at local paths and at S3, and know of the local copies."""
    register_scheme("", _local)
    register_scheme("s3", _s3)
    register_copies(_copies)


def _local(project: Project) -> Places:
    from superluigi.places.local import LocalPlaces

    return LocalPlaces(project)


def _s3(project: Project) -> Places:
    """Imported when used: looking at local places does not need boto3."""
    from superluigi.places.s3 import S3Places

    return S3Places()


def _copies(project: Project) -> Copies:
    from superluigi.places.copies import CachedCopies

    return CachedCopies(project)
