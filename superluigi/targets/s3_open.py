"""Writing an object through `open("w")`: a local file first, uploaded when it is closed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

from superluigi.files import new_temporary_directory, remove_tree
from superluigi.project import current_project
from superluigi.s3.checksums import digests_of
from superluigi.s3.hand_out import local_name

if TYPE_CHECKING:
    from superluigi.targets.s3_object import S3ObjectTarget

__all__ = ["UploadOnClose"]


class UploadOnClose(io.BufferedWriter):
    """A local file that becomes the object when it is closed."""

    def __init__(self, target: S3ObjectTarget) -> None:
        self._target = target
        self._directory = new_temporary_directory(str(current_project().ensure_home() / "tmp"))
        self._is_abandoned = False
        self.tmp_path = f"{self._directory}/{local_name(target.object_key)}"
        super().__init__(io.FileIO(self.tmp_path, "w"))

    def close(self) -> None:
        """Upload what was written."""
        if self.closed:
            return
        try:
            super().close()
            if not self._is_abandoned:
                digests = digests_of(Path(self.tmp_path))
                put = self._target.put(self.tmp_path, digests, {})
                self._target.keep_copy(self.tmp_path, digests, put)
        finally:
            remove_tree(self._directory)

    def abort(self) -> None:
        """Close without uploading anything."""
        self._is_abandoned = True
        self.close()

    def __exit__(self, error_type: Any, error: Any, trace: Any) -> None:
        if error_type is None:
            self.close()
        else:
            self.abort()

    def __del__(self) -> None:
        if not self.closed:
            self.abort()
