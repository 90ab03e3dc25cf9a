"""`run_demo`: what `superluigi demo` calls."""

from __future__ import annotations

import os
import shutil
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from superluigi.errors import SuperLuigiError

if TYPE_CHECKING:
    from superluigi.demo.page import Page
    from superluigi.demo.project import DemoProject
    from superluigi.demo.story import Story

__all__ = ["run_demo"]

_NEEDED = ("pandas", "joblib", "sklearn", "moto", "flask")
_DIRECTORY = "demo-project"


def run_demo(*, bucket: str | None = None, directory: Path | None = None) -> int:
    """Run the README's pipeline, show what it did, and leave a project to explore.

    Args:
        bucket: A bucket of yours, reached as the AWS environment variables and files say; None: a server
            of the demo's own, on this machine.
        directory: Where the project is made; `demo-project` in the working directory unless given.

    Returns:
        0, or 1 when something that the demo says is not what really ran, or when a package is missing.

    Raises:
        SuperLuigiError: `directory` holds something else.
    """
    started = time.perf_counter()
    missing = [name for name in _NEEDED if find_spec(name) is None]
    if missing:
        sys.stderr.write(
            f"The demo needs {', '.join(missing)}. Install what it needs with:\n"
            '  pip install "superluigi[tutorial]"\n'
        )
        return 1
    from superluigi.demo.page import Page
    from superluigi.demo.project import DemoProject

    page, project = Page(), DemoProject(directory or Path.cwd() / _DIRECTORY)
    folder = _own_folder()
    kept = project.make(bucket=bucket, folder=folder)
    page.say(f"The demo's project is {project.directory}, made anew.")
    if kept is not None:
        page.say(f"Your own version of its pipeline.py is kept there as {kept}.")
    page.say(_store_line(bucket, folder))
    try:
        with project.entered() as pipeline:
            from superluigi.demo.story import Story

            story = Story(page, project, pipeline)
            try:
                story.tell()
            finally:
                _close_store(project)
    except SuperLuigiError as error:
        page.wrong(error)
        return 1
    _say_how_to_go_on(page, project, story, time.perf_counter() - started)
    return 0


def _store_line(bucket: str | None, folder: str) -> str:
    if bucket is not None:
        return f"Its targets are in your bucket {bucket!r} below {folder}/, and stay there."
    return (
        "Its S3 is moto's server, inside this process. It keeps objects in memory only, so the demo "
        "saves them in the project's folder s3/, and the pipeline's module fills a new server from there."
    )


def _own_folder() -> str:
    """The keys' first part in a bucket that others use too: no demo sees what another one made."""
    return f"superluigi-demo/{time.strftime('%Y%m%dT%H%M%S')}"


def _close_store(project: DemoProject) -> None:
    from superluigi.demo.store import stores

    for store in stores(project.directory):
        store.close()


def _say_how_to_go_on(page: Page, project: DemoProject, story: Story, duration_s: float) -> None:
    task = story.task
    short = task.task_hash[:8]
    page.heading("To explore further")
    page.say(f"Everything above was compared with what really ran; it took {duration_s:.1f} s.")
    page.say(f"  cd {_shown(project.directory)}")
    name = _command()
    for arguments in (
        f"show {short}",
        f"lineage {task.output().path}",
        "plan pipeline.PredictionsTask --date 2022-12-16 --version 4",
        "run pipeline.PredictionsTask --date 2022-12-16 --version 4",
        "doctor",
    ):
        page.say(f"  {name} {arguments}")


def _command() -> str:
    """How a shell in the project's directory starts this installation's command."""
    beside = Path(sys.executable).with_name("superluigi")
    if shutil.which("superluigi"):
        name = "superluigi"
    else:
        name = str(beside) if beside.is_file() else f"{sys.executable} -m superluigi"
    # It would lead the command to another catalog than the project's.
    return f"env -u SUPERLUIGI_HOME {name}" if "SUPERLUIGI_HOME" in os.environ else name


def _shown(directory: Path) -> str:
    here = Path.cwd()
    return str(directory.relative_to(here)) if directory.is_relative_to(here) else str(directory)
