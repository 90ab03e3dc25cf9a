"""With which account the catalog's upkeep looks at a bucket: as the project's settings say."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from superluigi.project import Project
from superluigi.settings import load_settings

__all__ = ["Accounts"]


class Accounts:
    """The `[s3]` settings of a project; without any, boto3 finds an account by itself."""

    def __init__(self, project: Project) -> None:
        self._settings = load_settings(project.root).s3

    def of_bucket(self, bucket: str) -> Mapping[str, Any]:
        """What targets in a bucket take: profile, endpoint_url, …; empty without settings."""
        own = self._settings.get("buckets", {}).get(bucket)
        if own is not None:
            return dict(own)
        return {key: value for key, value in self._settings.items() if key != "buckets"}
