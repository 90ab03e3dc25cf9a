"""Driving the app without a terminal, and waiting for what it does in the background."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from textual.pilot import Pilot

from superluigi_tui.app import SuperLuigiApp
from superluigi_tui.demo import NOW
from superluigi_tui.routes import Route
from superluigi_tui.screens.problem import Problem

PATIENCE_S = 10.0


class Driver:
    """A running app."""

    def __init__(self, app: SuperLuigiApp, pilot: Pilot[Any]) -> None:
        self.app = app
        self.pilot = pilot

    async def until(self, condition: Callable[[], object]) -> None:
        """Let the app work until something is so."""
        deadline = time.monotonic() + PATIENCE_S
        while not _holds(condition):
            assert time.monotonic() < deadline, f"in vain, on\n{self.text}"
            await self.pilot.pause(0.01)

    async def press(self, *keys: str) -> None:
        await self.pilot.press(*keys)

    async def sees(self, *texts: str) -> None:
        """Wait until all these are on the screen."""
        await self.until(lambda: all(text in self.text for text in texts))

    @property
    def notes(self) -> list[str]:
        """What was said in passing."""
        return [note.message for note in self.app._notifications]

    @property
    def text(self) -> str:
        """What is on the screen."""
        return "\n".join(self.lines)

    @property
    def lines(self) -> list[str]:
        strips = self.app.screen._compositor.render_strips()
        return ["".join(segment.text for segment in strip) for strip in strips]


def _holds(condition: Callable[[], object]) -> bool:
    try:
        return bool(condition())
    except Exception:  # a screen that is not mounted yet has no widgets
        return False


@asynccontextmanager
async def driving(
    catalog: Path,
    route: str = "home",
    *,
    size: tuple[int, int] = (80, 24),
    loads: bool = True,
    **options: Any,
) -> AsyncIterator[Driver]:
    """Run the app on a catalog, at the demo's present.

    Args:
        loads: Wait until the first screen has read what it shows.
    """
    app = SuperLuigiApp(Route.parse(route), catalog=catalog, clock=NOW.timestamp, **options)
    async with app.run_test(size=size) as pilot:
        driver = Driver(app, pilot)
        if not loads:
            yield driver
            return
        await driver.until(lambda: isinstance(app.screen, Problem) or app.screen.has_loaded)  # type: ignore[attr-defined]
        yield driver
