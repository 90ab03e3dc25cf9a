"""All builds, however they were started, the newest first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from textual.binding import BindingType

from superluigi_catalog import Build
from superluigi_tui.actions import bindings_of
from superluigi_tui.build_rows import BUILD_COLUMNS, build_row
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.widgets.row_list import RowList

__all__ = ["Builds"]

_MOST = 500
_TICK_S = 1.0


class Builds(View):
    """The list of builds."""

    NAME = "builds"
    MODE = "builds"
    FOOTER = ("open", "cancel", "rerun", "mark", "diff", "search", "palette", "quit")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("builds")

    def compose_body(self) -> Iterable[Any]:
        """Give the list."""
        yield RowList(
            BUILD_COLUMNS, id="rows", title="Builds", has_titles=True, empty="  no builds yet"
        )

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one("#rows", RowList)

    def on_mount(self) -> None:
        """Let the clock of what runs go on."""
        super().on_mount()
        self.set_interval(_TICK_S, self._tick)

    async def load(self) -> None:
        """Read the newest."""
        builds = await self.ask(lambda catalog: catalog.builds(limit=_MOST))
        self._show(builds)
        if self.focused is None:
            self.set_focus(self.rows)

    def _show(self, builds: Iterable[Build]) -> None:
        now = self.tui.now()
        self.rows.set_rows([build_row(build, now, self.tui.glyphs) for build in builds])
        count = self.rows.count
        self.rows.set_title("Builds", f"newest {count:,}" if count == _MOST else f"{count:,}")

    def _tick(self) -> None:
        if not self.is_current:
            return
        builds = [row.value for row in map(self.rows.row_at, range(self.rows.count)) if row]
        if any(build.status == "running" for build in builds):
            self._show(builds)

    def current_build(self) -> Build | None:
        """The build under the cursor."""
        row = self.rows.current
        return row.value if row is not None else None

    def current_task(self) -> str | None:
        """What the build was asked for."""
        build = self.current_build()
        return build.roots[0] if build is not None and build.roots else None

    def action_open(self) -> None:
        """Open the build under the cursor."""
        build = self.current_build()
        if build is not None:
            self.tui.open_route(Route("builds", build.build_id))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def action_diff(self) -> None:
        """Compare the two marked builds, or the one under the cursor with the one before it."""
        build = self.current_build()
        self.compare(self.rows, build.build_id if build is not None else None)

    def action_cancel(self) -> None:
        """Stop the build."""
        build = self.current_build()
        if build is not None:
            self.tui.cancel_build(build)

    def action_copy(self) -> None:
        """Copy the build's id."""
        build = self.current_build()
        if build is not None:
            self.tui.copy(build.build_id, "the build's id")

    def action_rerun(self) -> None:
        """Plan what the build was asked for."""
        build = self.current_build()
        if build is not None:
            self.tui.rerun_build(build)
