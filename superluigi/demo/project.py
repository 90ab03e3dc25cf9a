"""The demo's project: a directory of its own, with the pipeline in it to look at and to change."""

from __future__ import annotations

import importlib
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

from superluigi.errors import SuperLuigiError

__all__ = ["DemoProject"]

_MARK = "# Made by `superluigi demo`, which may make it anew."
_SETTINGS = f"""{_MARK}
rerun_on = ["missing", "inputs"]
"""
_STORE_LINES = """

# The S3 of the demo: moto's server in every process that imports this module, filled from the folder s3/.
# Remove these lines to use a store of your own.
from superluigi.demo.store import serve_folder  # noqa: E402

serve_folder(Path(__file__).with_name("s3"), bucket=BUCKET)
"""


class DemoProject:
    """A directory with `pipeline.py`, and everything that its builds leave behind.

    Args:
        directory: Where; it must be free, or of an earlier demo.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self.pipeline = self.directory / "pipeline.py"
        self._ran_log = self.directory / "ran.log"

    def make(self, *, bucket: str | None, folder: str | None) -> str | None:
        """Start from nothing.

        Args:
            bucket: A real one, to which the environment leads; None: a server of the demo's own.
            folder: The keys' first part in a real bucket.

        Returns:
            The name under which an edited `pipeline.py` of an earlier demo was kept, if there was one.

        Raises:
            SuperLuigiError: the directory holds something else.
        """
        self._refuse_foreign()
        kept = self._keep_edited()
        for name in ("s3", ".superluigi", "__pycache__"):
            shutil.rmtree(self.directory / name, ignore_errors=True)
        self._ran_log.unlink(missing_ok=True)
        self.directory.mkdir(parents=True, exist_ok=True)
        (self.directory / ".gitignore").write_text("*\n", encoding="ascii")
        (self.directory / "superluigi.toml").write_text(_SETTINGS, encoding="utf-8")
        text = pipeline_text(bucket=bucket, folder=folder)
        self.pipeline.write_text(text, encoding="utf-8")
        (self.directory / ".pipeline.as-made.py").write_text(text, encoding="utf-8")
        return kept

    @contextmanager
    def entered(self) -> Iterator[ModuleType]:
        """Work in the directory as a shell that changed into it would; its module."""
        before_directory, before_home = Path.cwd(), os.environ.pop("SUPERLUIGI_HOME", None)
        before_module = sys.modules.pop("pipeline", None)
        os.chdir(self.directory)
        sys.path.insert(0, str(self.directory))
        importlib.invalidate_caches()
        try:
            yield importlib.import_module("pipeline")
        finally:
            sys.path.remove(str(self.directory))
            os.chdir(before_directory)
            sys.modules.pop("pipeline", None)
            if before_module is not None:
                sys.modules["pipeline"] = before_module
            if before_home is not None:
                os.environ["SUPERLUIGI_HOME"] = before_home

    def entered_runs(self) -> list[str]:
        """The families whose `run()` was entered, in that order, as the bodies themselves noted it."""
        if not self._ran_log.is_file():
            return []
        return self._ran_log.read_text(encoding="utf-8").split()

    def _refuse_foreign(self) -> None:
        if not self.directory.exists() or not any(self.directory.iterdir()):
            return
        settings = self.directory / "superluigi.toml"
        if settings.is_file() and settings.read_text(encoding="utf-8").startswith(_MARK):
            return
        message = (
            f"{str(self.directory)!r} is there already and was not made by the demo. "
            "Name another directory, or move this one away."
        )
        raise SuperLuigiError(message)

    def _keep_edited(self) -> str | None:
        """Nothing that a person wrote is lost when the demo starts again."""
        as_made = self.directory / ".pipeline.as-made.py"
        if not self.pipeline.is_file() or not as_made.is_file():
            return None
        if self.pipeline.read_bytes() == as_made.read_bytes():
            return None
        number = 1
        while (kept := self.directory / f"pipeline.edited-{number}.py").exists():
            number += 1
        self.pipeline.replace(kept)
        return kept.name


def pipeline_text(*, bucket: str | None, folder: str | None) -> str:
    """`superluigi/demo/pipeline.py`, with the bucket that it is to use."""
    source = Path(__file__).with_name("pipeline.py").read_text(encoding="utf-8")
    # The comments there are for the checks of Super Luigi's own sources.
    text = "".join(line for line in source.splitlines(keepends=True) if line[:2] != "# ")
    if bucket is None:
        return text + _STORE_LINES
    for name, value in (("BUCKET", bucket), ("FOLDER", folder)):
        before = next(line for line in text.splitlines() if line.startswith(f"{name} = "))
        text = text.replace(before, f"{name} = {value!r}")
    return text
