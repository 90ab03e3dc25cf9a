"""Uploads of dead processes, for the catalog: parts that nobody sees and that cost money for ever."""

from __future__ import annotations

from superluigi.errors import SuperLuigiError
from superluigi.project import Project, current_project
from superluigi.s3.uploads import abort_upload, orphaned_uploads
from superluigi_catalog.places import DeadUpload

__all__ = ["DeadUploads"]


class DeadUploads:
    """What processes of a project began to upload and died in."""

    def __init__(self, project: Project) -> None:
        # They are written down in the home of the project that a process works for.
        self._is_current = project.home == current_project().home

    def uploads(self) -> list[DeadUpload]:
        """List them; no request is made."""
        found = orphaned_uploads() if self._is_current else []
        return [DeadUpload(each.uri, each.upload_id, int(each.started * 1e9)) for each in found]

    def abort(self, upload: DeadUpload) -> str:
        """Abort one."""
        for each in orphaned_uploads():
            if (each.uri, each.upload_id) == (upload.uri, upload.upload_id):
                try:
                    abort_upload(each)
                except SuperLuigiError as error:
                    return str(error)
        return ""
