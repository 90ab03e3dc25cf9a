"""Opening the catalog, and seeing whether it changes, is locked, replaced or gone."""

from __future__ import annotations

import asyncio
import gc
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from superluigi_catalog import CatalogError, CatalogLocked
from superluigi_tui.children import Child
from superluigi_tui.glyphs import Glyphs
from superluigi_tui.lookups import Lookups
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View, Work
from superluigi_tui.texts import count_text, one_line
from superluigi_tui.widgets.pieces import Line, Piece

if TYPE_CHECKING:
    from textual.app import App

    _Base = App[int]
else:
    _Base = object

__all__ = ["Watching"]

_POLL_S = 0.25
_REOPENING = "reopening"
_COLLECTING_AFTER_S = 1.0
_NARROW = 60


class Watching(_Base):
    """The part of the app that knows the catalog."""

    first_route: Route
    path: Path
    lookups: Lookups
    glyphs: Glyphs
    read_only: bool
    is_open: bool
    version: int
    total: int | None
    state: str
    _inode: int

    if TYPE_CHECKING:

        def open_route(self, route: Route) -> None:
            """See `Navigation`."""

        def forget_history(self) -> None:
            """See `Navigation`."""

        def living_builds(self) -> list[Child]:
            """See `Running`."""

        def in_background(self, work: Work, *, group: str = "") -> None:
            """See `SuperLuigiApp`."""

    def on_mount(self) -> None:
        """Open the catalog, then the first screen."""
        self.theme = "textual-dark"
        self.in_background(self._begin)

    async def _begin(self) -> None:
        try:
            self.version = await self.lookups["poll"].ask(lambda catalog: catalog.data_version())
        except CatalogError as error:
            from superluigi_tui.screens.problem import Problem

            await self.push_screen(Problem(error, self.path))
            return
        self._inode = _inode_of(self.path)
        self.is_open = True
        self.open_route(self.first_route)
        self.in_background(self._watch)
        self.in_background(self._count, group="count")
        self.set_timer(_COLLECTING_AFTER_S, _collect_garbage)

    def reopening(self, work: Work) -> None:
        """Let one catalog take the place of another in the background."""
        self.in_background(work, group=_REOPENING)

    async def reopen(self, path: Path) -> None:
        """Read another file, or the same one anew; what was shown of the old one is forgotten."""
        await asyncio.to_thread(self.lookups.close)
        self.path, self.lookups = path, Lookups(path)
        self.state, self.total = "live", None
        for worker in list(self.workers):
            if worker.group != _REOPENING:
                worker.cancel()
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        self.forget_history()
        self.in_background(self._begin)

    def reopen_if_replaced(self) -> bool:
        """Read the file that stands there now, where it is another one.

        Returns:
            Whether it is.
        """
        if self.state != "replaced":
            return False
        self.reopening(partial(self.reopen, self.path))
        return True

    async def _watch(self) -> None:
        """Look several times a second whether anything was recorded."""
        while True:
            await asyncio.sleep(_POLL_S)
            before = self.state
            self.living_builds()  # lets those that have ended go
            try:
                version = await self.lookups["poll"].ask(lambda catalog: catalog.data_version())
                self.state = "live" if _inode_of(self.path) == self._inode else "replaced"
            except CatalogError as error:
                self.state = "locked" if isinstance(error, CatalogLocked) else "gone"
                version = self.version
            if self.state != before and isinstance(self.screen, View):
                self.screen.show_bars()
            if version != self.version:
                self.version = version
                if isinstance(self.screen, View):
                    self.screen.catalog_changed()
                    self.screen.loaded_version = version
                self.in_background(self._count, group="count")

    async def _count(self) -> None:
        families = await self.lookups["count"].ask(lambda catalog: catalog.families())
        self.total = sum(families.values())
        if isinstance(self.screen, View):
            self.screen.show_bars()

    def catalog_line(self) -> Line:
        """What the header says of the catalog."""
        sign, word, style = {
            "live": ("●", "live", "fresh"),
            "locked": ("◌", "locked", "stale"),
            "replaced": ("◌", "replaced: R reads it anew", "stale"),
            "gone": ("✗", "gone", "failed"),
        }[self.state]
        if self.glyphs.is_ascii:
            sign = "+" if self.state == "live" else "!"
        name = self.path.name if self.path.name != "catalog.db" else self.path.parent.parent.name
        if self.size.width < _NARROW:
            return [Piece(f"{sign} {word}", style)]
        total = (
            ""
            if self.total is None
            else f"{count_text(self.total)} task{'' if self.total == 1 else 's'}  "
        )
        locked = Piece("read-only  ", "dim") if self.read_only else Piece("")
        return [
            Piece(f"{one_line(name)[:24]}  {total}", "dim"),
            locked,
            Piece(f"{sign} {word}", style),
        ]


def _collect_garbage() -> None:
    """Begin with it, once the first screen stands; all that is there by then stays."""
    gc.freeze()
    gc.enable()


def _inode_of(path: Path) -> int:
    try:
        return path.stat().st_ino
    except OSError:
        return 0
