"""The app: which catalog, which screen, what has changed; everything else is in `screens`."""

from __future__ import annotations

import asyncio
import os
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar

from textual.app import App, SystemCommand
from textual.binding import BindingType
from textual.screen import Screen

from superluigi_catalog import CatalogError, CatalogLocked, find_project
from superluigi_tui.actions import Action, actions_of, shown_key
from superluigi_tui.children import CommandFailed
from superluigi_tui.clipboard import Clipboard
from superluigi_tui.glyphs import UNICODE, Glyphs
from superluigi_tui.handing_over import HandingOver
from superluigi_tui.lookups import Lookups
from superluigi_tui.navigation import Navigation
from superluigi_tui.routes import Route
from superluigi_tui.running import Running
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.view import View, Work
from superluigi_tui.stopping import Stopping
from superluigi_tui.texts import one_line
from superluigi_tui.watching import Watching

__all__ = ["SuperLuigiApp"]


class SuperLuigiApp(Navigation, Watching, Running, Stopping, HandingOver, Clipboard, App[int]):
    """Browse a catalog, rerun tasks, watch builds."""

    CSS_PATH = "superluigi.tcss"
    TITLE = "super luigi"
    ENABLE_COMMAND_PALETTE = True
    COMMAND_PALETTE_BINDING = "ctrl+p"
    BINDINGS: ClassVar[list[BindingType]] = []
    HORIZONTAL_BREAKPOINTS = [  # noqa: RUF012 - as Textual declares it
        (0, "-tiny"),
        (60, "-narrow"),
        (80, "-normal"),
        (120, "-wide"),
    ]

    def __init__(
        self,
        route: Route | None = None,
        *,
        catalog: Path | None = None,
        read_only: bool = False,
        glyphs: Glyphs = UNICODE,
        keymap: Mapping[str, str] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        # Textual takes it out of the environment, but builds that are started from here want it too.
        self.environment = dict(os.environ)
        super().__init__()
        self.first_route = route or Route()
        self.read_only = read_only
        self.glyphs = glyphs
        self.now = clock
        """Gives the present, in seconds since the epoch."""
        self.python = sys.executable
        self.path = catalog or find_project().home / "catalog.db"
        self.lookups = Lookups(self.path)
        self.is_open = False
        self.version = 0
        """Of the catalog: changes when somebody has recorded something."""
        self.total: int | None = None
        """How many tasks there are; None until counted."""
        self.state = "live"
        self.started = []
        self._inode = 0
        self._demo: TemporaryDirectory[str] | None = None
        self._keys: dict[str, str] = dict(keymap or {})
        self.set_class(glyphs.is_ascii, "-ascii")
        if self._keys:
            self.set_keymap(self._keys)

    def in_background(self, work: Work, *, group: str = "") -> None:
        """Do something meanwhile, and say what goes wrong; of one group only the last goes on."""
        guarded: Any = partial(self._guarded, work)
        self.run_worker(
            guarded,
            group=group or "app",
            exclusive=bool(group),
            exit_on_error=False,
        )

    async def _guarded(self, work: Work) -> None:
        try:
            await work()
        except Exception as error:
            self.trouble(error)

    def trouble(self, error: Exception) -> None:
        """Say what went wrong in the background; the screen keeps what it has."""
        if isinstance(error, CatalogLocked):
            self.state = "locked"
            return
        if isinstance(error, (CatalogError, CommandFailed, OSError, ValueError)):
            self.notify(one_line(error), severity="error", timeout=8, markup=False)
            return
        self.log.error("".join(traceback.format_exception(error)))
        said = one_line(f"{type(error).__name__}: {error}")
        self.notify(said, title="Unexpected", severity="error", timeout=8, markup=False)

    # -- keys, help, palette -------------------------------------------------------------------

    def key_of(self, action: Action) -> str:
        """The key of an action, as the user has it."""
        return shown_key(self._keys.get(action.id, action.key))

    def action_show_keys(self) -> None:
        """Show the keys of this screen."""
        from superluigi_tui.screens.keys import KeysHelp

        name = getattr(self.screen, "NAME", "")
        self.push_screen(KeysHelp(name))

    def get_system_commands(self, screen: Screen[Any]) -> Iterable[SystemCommand]:
        """List what the palette offers: every action that there is here, and Textual's own."""
        if isinstance(screen, View):
            for action in actions_of(screen.NAME):
                if screen.check_action(action.action, ()) is False:
                    continue
                title = f"{action.help} ({self.key_of(action)})"
                yield SystemCommand(title, action.group, lambda action=action: screen.do(action.id))
        yield SystemCommand("Open another catalog…", "by its path", self.action_open_catalog)
        yield from super().get_system_commands(screen)

    def open_demo(self) -> None:
        """Show the demo's catalog instead."""
        self.reopening(self._open_demo)

    async def _open_demo(self) -> None:
        await self.reopen(await asyncio.to_thread(self._made_demo))

    def use_demo(self) -> None:
        """Begin with the demo's catalog."""
        self.lookups.close()
        self.path = self._made_demo()
        self.lookups = Lookups(self.path)

    def _made_demo(self) -> Path:
        from superluigi_tui.demo import make_demo

        if self._demo is not None:
            self._demo.cleanup()
        self._demo = TemporaryDirectory(prefix="superluigi-demo-")
        folder = Path(self._demo.name) / "demo"
        return make_demo(folder, now=datetime.now(timezone.utc))

    def action_open_catalog(self) -> None:
        """Ask for another catalog's path."""
        from superluigi_tui.screens.prompt import Prompt

        def opened(text: str | None) -> None:
            if text:
                self.reopening(partial(self.reopen, Path(text).expanduser().absolute()))

        self.push_screen(Prompt("Open another catalog", str(self.path)), opened)

    # -- leaving -------------------------------------------------------------------------------

    def action_leave(self) -> None:
        """Quit; builds that were started here go on unless the user wants them to end."""
        living = self.living_builds()
        if not living:
            self.exit(0)
            return
        what = "1 build" if len(living) == 1 else f"{len(living)} builds"
        choices = {"stay": "stay here", "quit": f"quit; {what} go on", "cancel": "cancel and quit"}

        def chosen(answer: str | None) -> None:
            if answer == "quit":
                self.exit(0, message=f"{what} still running: superluigi tui builds")
            elif answer == "cancel":
                self.in_background(self._cancel_and_leave)

        self.push_screen(Choice(f"{what} started here still run", choices), chosen)

    async def _cancel_and_leave(self) -> None:
        await self.cancel_all()
        self.exit(0)

    def on_unmount(self) -> None:
        """End the threads."""
        self.lookups.close()
        if self._demo is not None:
            self._demo.cleanup()
