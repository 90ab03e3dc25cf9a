"""Why what `run()` left at a folder's temporary path is no new version of it."""

from __future__ import annotations

import os

from superluigi.errors import OutputNotWritten
from superluigi.targets.base import TargetWithMetadata

__all__ = ["folder_is_empty", "no_folder"]


def no_folder(path: str, target: TargetWithMetadata, what: str, otherwise: str) -> OutputNotWritten:
    """The error when the folder that `run()` was handed is none any more.

    Args:
        what: What the target is: "a folder".
        otherwise: What to declare for a file: "a LocalFileTarget".
    """
    if os.path.lexists(path):
        did = f"wrote a file to output_path, but {target.path!r} is {what}"
        advice = f"Write files into the folder output_path, or declare {otherwise}."
    else:
        did = f"removed the folder output_path, so {target.path!r} was not made"
        advice = "It exists and is empty when run() begins: write files into it."
    return OutputNotWritten(f"run() {did}. {advice}", target=target)


def folder_is_empty(target: TargetWithMetadata) -> OutputNotWritten:
    """The error when `run()` wrote nothing into the folder that it was handed."""
    message = (
        f"run() left the folder output_path empty, so {target.path!r} was not made. "
        "Write at least one file into it."
    )
    return OutputNotWritten(message, target=target)
