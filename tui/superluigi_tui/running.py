"""Starting, watching and stopping builds; the editor and the debugger in this terminal."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import signal
import subprocess
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from superluigi_catalog import Build, Catalog, find_project
from superluigi_tui.build_events import is_held
from superluigi_tui.build_rows import build_name, build_title
from superluigi_tui.children import (
    Child,
    CommandFailed,
    build_of_child,
    pid_of_owner,
    signal_build,
    start_child,
)
from superluigi_tui.rerun_request import RerunRequest, request_for, request_for_build, task_words
from superluigi_tui.routes import Route
from superluigi_tui.screens.choice import Choice
from superluigi_tui.texts import one_line

if TYPE_CHECKING:
    from textual.app import App

    from superluigi_tui.lookups import Lookups

    _Base = App[int]
else:
    _Base = object

__all__ = ["Running"]

_CATALOG = "catalog.db"
_LOOK_S = 0.1
_ANSWERED = (0, 3)
"""Exit codes of a command that has answered: 3 says that there is work."""
_PATIENCE_S = 5.0
_CHOICES = {
    "": "keep it running",
    "gently": "let running tasks end, start no others",
    "now": "interrupt it now; kill what does not stop",
}


class Answer(NamedTuple):
    """What a command of `superluigi` answered."""

    document: dict[str, Any]
    said: str
    """What it told people meanwhile."""


class Running(_Base):
    """The part of the app that starts and stops things."""

    lookups: Lookups
    environment: dict[str, str]
    python: str
    path: Path
    started: list[Child]
    """Builds that were started from here."""

    if TYPE_CHECKING:

        def open_route(self, route: Route) -> None:
            """See `Navigation`."""

        def trouble(self, error: Exception) -> None:
            """See `SuperLuigiApp`."""

        def in_background(
            self, work: Callable[[], Coroutine[None, None, None]], *, group: str = ""
        ) -> None:
            """See `SuperLuigiApp`."""

    @property
    def builds_folder(self) -> Path:
        """Where builds leave their events and logs."""
        return self.path.parent / "builds"

    # -- starting ------------------------------------------------------------------------------

    def rerun(self, task_hashes: Sequence[str]) -> None:
        """Plan a rerun of tasks, in one build, and ask."""
        self._plan(lambda catalog: request_for(catalog, task_hashes))

    def rerun_build(self, build: Build) -> None:
        """Plan what a build was asked for: what it finished is not run again."""
        self._plan(lambda catalog: request_for_build(catalog, build))

    def _plan(self, prepare: Callable[[Catalog], RerunRequest]) -> None:
        self.in_background(partial(self._show_plan, prepare), group="rerun")

    async def _show_plan(self, prepare: Callable[[Catalog], RerunRequest]) -> None:
        request = await self.lookups["detail"].ask(prepare)
        from superluigi_tui.screens.rerun import RerunDialog

        self.push_screen(RerunDialog(request), self._start)

    def start_command(self, words: list[str], cwd: Path) -> Child:
        """Start a command of `superluigi` in the background.

        Raises:
            CommandFailed: the catalog is no project's own.
            OSError: it cannot be started.
        """
        home = self.path.parent
        if self.path.name != _CATALOG:
            message = f"{self.path} is a copy of a catalog: only from the project's own is anything started."
            raise CommandFailed(message)
        environment = dict(self.environment)
        if find_project(cwd).home != home:
            # It is to record into the catalog that is shown, wherever its code is.
            environment["SUPERLUIGI_HOME"] = str(home)
        return start_child(
            words, folder=home / "tui", cwd=cwd, environment=environment, python=self.python
        )

    async def answer_of(self, words: list[str], cwd: Path) -> Answer:
        """Let a command of `superluigi` answer with one JSON document; dropped, it is killed.

        Raises:
            CommandFailed: it had no answer.
            OSError: it cannot be started.
        """
        child = self.start_command(words, cwd)
        try:
            while child.code is None:
                await asyncio.sleep(_LOOK_S / 2)
            if child.code not in _ANSWERED:
                raise CommandFailed(child.said() or f"It ended with code {child.code}.")
            document, said = (
                json.loads(await asyncio.to_thread(child.output.read_text)),
                child.said(),
            )
        except ValueError as error:
            message = f"The answer cannot be read: {error}"
            raise CommandFailed(message) from error
        finally:
            child.end()
            child.forget()
        return Answer(dict(document), said)

    def show_command(self, title: str, words: list[str]) -> None:
        """Let a command of `superluigi` work, and show what it says."""
        self.in_background(partial(self._show_command, title, words), group="command")

    async def _show_command(self, title: str, words: list[str]) -> None:
        from superluigi_tui.screens.said import Said

        cwd = await self.lookups["detail"].ask(lambda c: c.project.root or Path.cwd())
        child = self.start_command(words, cwd)
        self.notify(f"superluigi {shlex.join(words)}", timeout=2, markup=False)
        try:
            while child.code is None:
                await asyncio.sleep(_LOOK_S / 2)
            said = await asyncio.to_thread(child.output.read_text)
            self.push_screen(Said(title, f"{said}{child.said()}"))
        finally:
            child.forget()

    def _start(self, request: RerunRequest | None) -> None:
        if request is None:
            return
        try:
            child = self.start_command(request.run_words(), request.cwd)
        except (CommandFailed, OSError) as error:
            self.trouble(error)
            return
        self.started.append(child)
        self.notify(f"Started: {request.command()}", timeout=3, markup=False)
        self.in_background(partial(self._wait_for_build, child))

    async def _wait_for_build(self, child: Child) -> None:
        """Open the build's screen when it has begun; say what went wrong when it never does."""
        while True:
            build_id = await asyncio.to_thread(build_of_child, self.builds_folder, child)
            if build_id is not None:
                self.open_route(Route("builds", build_id))
                return
            if child.code is not None:
                from superluigi_tui.screens.said import Said

                self.push_screen(Said("It did not start", child.said() or child.output.read_text()))
                return
            await asyncio.sleep(_LOOK_S)

    def living_builds(self) -> list[Child]:
        """Builds that were started here and have not ended."""
        return [child for child in self.started if child.code is None and _works(child)]

    # -- stopping ------------------------------------------------------------------------------

    def cancel_build(self, build: Build) -> None:
        """Ask how to stop a build."""
        pid = pid_of_owner(build.owner) if build.status == "running" else None
        if pid is None:
            elsewhere = build.status == "running"
            self.notify("It runs on another machine." if elsewhere else "It has ended.", timeout=3)
            return
        folder = self.builds_folder / build.directory

        def chosen(how: str | None) -> None:
            if how == "gently":
                signal_build(pid, signal.SIGUSR1)
                self.notify("It ends when its running tasks have ended.", timeout=4)
            elif how == "now":
                self.in_background(partial(self._stop, pid, folder))

        name = f"{build_name(build.build_id)} {build_title(build)}"
        self.push_screen(Choice(f"Stop {name}?", _CHOICES), chosen)

    async def _stop(self, pid: int, folder: Path | None) -> None:
        """Signal harder and harder until nobody holds the build's lock any more."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            signal_build(pid, number)
            self.notify(f"Sent {number.name}.", timeout=2)
            for _ in range(int(_PATIENCE_S / _LOOK_S)):
                await asyncio.sleep(_LOOK_S)
                if folder is not None and not await asyncio.to_thread(is_held, folder):
                    return

    async def cancel_all(self) -> None:
        """Interrupt all builds that were started here, and see them end."""
        living = self.living_builds()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            for child in living:
                if child.code is None:
                    signal_build(child.process.pid, number)
            for _ in range(int(_PATIENCE_S / _LOOK_S)):
                if not self.living_builds():
                    return
                await asyncio.sleep(_LOOK_S)

    # -- this terminal -------------------------------------------------------------------------

    def debug_task(self, task_hash: str) -> None:
        """Run a task here, with a debugger where it raises."""
        self.in_background(partial(self._debug, task_hash), group="rerun")

    async def _debug(self, task_hash: str) -> None:
        request = await self.lookups["detail"].ask(lambda c: request_for(c, [task_hash]))
        words = [self.python, "-m", "superluigi", "run", "--pdb", *task_words(request.tasks[0])]
        self.hand_over(words, request.cwd, waits=True)

    def edit(self, file: Path, line: int) -> None:
        """Open a file in the user's editor."""
        editor = self.environment.get("VISUAL") or self.environment.get("EDITOR") or "vi"
        words = shlex.split(editor)
        if Path(words[0]).name in ("code", "codium", "cursor"):
            words += ["-g", f"{file}:{line}"]
        else:
            words += [f"+{line}", str(file)]
        self.hand_over(words, Path.cwd(), waits=False)

    def hand_over(self, words: list[str], cwd: Path, *, waits: bool) -> None:
        """Give the terminal to a program until it ends.

        Args:
            waits: Let the user read what it printed before the screen comes back.
        """
        from textual.app import SuspendNotSupported

        try:
            with self.suspend():
                # A handler, not SIG_IGN, which the program would inherit: ctrl+c is meant for it.
                before = signal.signal(signal.SIGINT, lambda *_: None)
                try:
                    subprocess.call(words, cwd=cwd, env=self.environment)
                    if waits:
                        os.write(1, b"\nenter goes back to super luigi ")
                        _wait_for_enter()
                finally:
                    signal.signal(signal.SIGINT, before)
        except SuspendNotSupported:
            self.notify("This needs a terminal.", severity="warning", timeout=3)
        except OSError as error:
            self.notify(one_line(error), severity="error", timeout=5, markup=False)
        self.refresh()


def _works(child: Child) -> bool:
    """Whether its build goes on: the process ends a little later than the build."""
    return child.folder is None or is_held(child.folder) is not False


def _wait_for_enter() -> None:
    try:
        os.read(0, 1024)
    except OSError:
        return
