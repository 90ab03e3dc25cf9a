"""Starting commands of `superluigi`: plans, answers, builds."""

from __future__ import annotations

import asyncio
import json
import shlex
from collections.abc import Callable, Coroutine, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from superluigi_catalog import Build, Catalog, find_project
from superluigi_tui.build_events import is_held
from superluigi_tui.children import (
    Child,
    CommandFailed,
    build_of_child,
    start_child,
)
from superluigi_tui.rerun_request import RerunRequest, request_for, request_for_build
from superluigi_tui.routes import Route

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


class Answer(NamedTuple):
    """What a command of `superluigi` answered."""

    document: dict[str, Any]
    said: str
    """What it told people meanwhile."""


class Running(_Base):
    """The part of the app that starts things."""

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


def _works(child: Child) -> bool:
    """Whether its build goes on: the process ends a little later than the build."""
    return child.folder is None or is_held(child.folder) is not False
