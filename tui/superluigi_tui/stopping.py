"""Stopping builds: asked first, then harder and harder, until none of their processes is left."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from superluigi_catalog import Build
from superluigi_tui.build_events import is_held
from superluigi_tui.build_rows import build_name, build_title
from superluigi_tui.children import Child, pid_of_owner, signal_build
from superluigi_tui.screens.choice import Choice

if TYPE_CHECKING:
    from textual.app import App

    _Base = App[int]
else:
    _Base = object

__all__ = ["Stopping"]

_LOOK_S = 0.1
_PATIENCE_S = 5.0
_CHOICES = {
    "": "keep it running",
    "gently": "let running tasks end, start no others",
    "now": "interrupt it now; kill what does not stop",
}


class Stopping(_Base):
    """The part of the app that stops things."""

    if TYPE_CHECKING:

        @property
        def builds_folder(self) -> Path:
            """See `Running`."""

        def living_builds(self) -> list[Child]:
            """See `Running`."""

        def in_background(
            self, work: Callable[[], Coroutine[None, None, None]], *, group: str = ""
        ) -> None:
            """See `SuperLuigiApp`."""

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
