"""One build, live: its tasks, the log of the one under the cursor, and what failed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal

from superluigi_catalog import Build, Catalog, TaskNotFound
from superluigi_tui.actions import bindings_of
from superluigi_tui.build_events import BuildProgress, EventFile, TaskProgress, is_held
from superluigi_tui.build_lines import TASK_COLUMNS, bar_line, failure_lines, head_line, task_rows
from superluigi_tui.build_rows import build_name
from superluigi_tui.routes import Route
from superluigi_tui.screens.build_keys import BuildKeys
from superluigi_tui.task_detail import read_tail
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Line, Piece
from superluigi_tui.widgets.row_list import RowList

__all__ = ["BuildView"]

_TICK_S = 0.2


class BuildView(BuildKeys):
    """The screen of one build."""

    NAME = "build"
    MODE = "builds"
    HAS_TABS = False
    FOOTER = ("next-problem", "editor", "debug", "rerun", "full-log", "follow", "cancel", "copy")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("build")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.build: Build | None = None
        self._events: EventFile | None = None
        self._follows = True
        self._shows_all = False
        self._log_of = ""
        self._log_size = -1
        self._ended = False
        self._is_looking = False
        self._shown = -1
        self._since: dict[str, str] = {}

    def compose_body(self) -> Iterable[Any]:
        """Give the head, the bar, the tasks, the log and the failure."""
        yield Bar(self._head, id="head")
        yield Bar(self._bar, id="bar")
        with Horizontal(id="build-body"):
            yield RowList(TASK_COLUMNS, id="rows", title="Tasks", empty="  nothing was to be done")
            yield TextPane(id="log", title="Log")
        yield TextPane(id="failure", title="Failure")

    @property
    def rows(self) -> RowList:
        """The tasks."""
        return self.query_one("#rows", RowList)

    @property
    def progress(self) -> BuildProgress:
        """What is known of it."""
        return self._events.progress if self._events is not None else BuildProgress()

    def crumbs(self) -> list[str]:
        """Builds, then which."""
        return ["Builds", build_name(self.route.ref)]

    def on_mount(self) -> None:
        """Look for what is new several times a second."""
        super().on_mount()
        self.set_interval(_TICK_S, self._tick)

    async def load(self) -> None:
        """Read the record, then the files."""
        ref = self.route.ref
        self.build = await self.ask(lambda catalog: catalog.build(ref))
        if self._events is None:
            folder = (self.tui.builds_folder / self.build.directory).resolve()
            # The name comes from the catalog: what leads out of the folder is not read.
            if self.build.directory and folder.is_relative_to(self.tui.builds_folder.resolve()):
                self._events = EventFile(folder)
        await self._look(anew=True)
        if self.focused is None:
            self.set_focus(self.rows)
            self.action_next_match(1)

    def _tick(self) -> None:
        # One look at a time: on a busy machine it may take longer than a tick.
        if self.is_current and not (self._ended or self._is_looking) and self._events is not None:
            self._is_looking = True
            self.start(self._look, group="look")

    async def _look(self, *, anew: bool = False) -> None:
        try:
            await self._look_on(anew)
        finally:
            self._is_looking = False

    async def _look_on(self, anew: bool) -> None:
        events = self._events
        if events is None or self.build is None:
            return
        await asyncio.to_thread(events.read_on)
        if (
            events.progress.status == "running"
            and await asyncio.to_thread(is_held, events.folder) is False
        ):
            events.read_on()
            if events.progress.status == "running":
                # Nobody holds the lock, and no last word was written.
                events.progress.status = "interrupted"
                events.revision += 1
        self._ended = events.progress.status != "running"
        changed = anew or self._shown != events.revision
        self._shown = events.revision
        if changed:
            rows = task_rows(self.progress, self.tui.glyphs)
            self.rows.set_rows(rows)
            self._show_failure()
        if not self._ended or changed:
            for bar in self.query(Bar):
                bar.refresh()
        await self._show_log()

    # -- what it shows -------------------------------------------------------------------------

    def _head(self, width: int) -> Line:
        if self.build is None:
            return [Piece(" …", "dim")]
        return head_line(self.build, self.progress, self.tui.glyphs, self.tui.now())

    def _bar(self, width: int) -> Line:
        return bar_line(self.progress, self.tui.glyphs, width)

    @property
    def current(self) -> TaskProgress | None:
        """The task under the cursor."""
        row = self.rows.current
        return self.progress.tasks.get(row.key) if row is not None else None

    def _log_path(self) -> Path | None:
        if self._events is None:
            return None
        task = self.current
        if self._shows_all or task is None:
            return self._events.folder / "log"
        path = (self._events.folder / task.log).resolve()
        inside = task.log and path.is_relative_to(self._events.folder.resolve())
        return path if inside else None

    async def _show_log(self) -> None:
        path, task = self._log_path(), self.current
        name = str(path) + (task.traceback[:80] if task else "")
        size = await asyncio.to_thread(_size_of, path)
        if (name, size) == (self._log_of, self._log_size):
            return
        is_other = name != self._log_of
        self._log_of, self._log_size = name, size
        text = await asyncio.to_thread(read_tail, path) if path is not None else ""
        if task is not None and not self._shows_all and task.traceback not in text:
            text += task.traceback
        pane = self.query_one("#log", TextPane)
        title = "the whole build" if self._shows_all else (task.family if task else "")
        pane.set_title(f"Log  {title}", "follow" if self._follows else "")
        pane.set_text(text.rstrip("\n") or self._nothing(task))
        if self._follows or is_other:
            pane.scroll_end(animate=False)

    def _nothing(self, task: TaskProgress | None) -> str:
        return task.why if task is not None and task.why else "nothing was printed"

    def _show_failure(self) -> None:
        pane = self.query_one("#failure", TextPane)
        failed = self.progress.with_status("failed")
        current = self.current
        chosen = current if current in failed else (failed[0] if failed else None)
        error = self.progress.error or (self.build.error if self.build else "") or ""
        pane.display = chosen is not None or bool(error)
        if chosen is not None:
            cwd = self.build.cwd if self.build is not None else ""
            blocked = len(self.progress.with_status("blocked"))
            since = self._since.get(chosen.task_hash)
            if since is None:
                self._since[chosen.task_hash] = since = ""
                self.start(partial(self._look_back, chosen), group=f"since {chosen.task_hash}")
            pane.set_title(f"Failure  {chosen.family}")
            pane.set_lines(failure_lines(chosen, blocked, cwd, since, self.tui.key_of))
        elif error:
            pane.set_lines([[Piece(one_line(error), "failed")]])

    async def _look_back(self, task: TaskProgress) -> None:
        """Say what has changed since the task last went well."""

        def compare(catalog: Catalog) -> str:
            good = catalog.task(task.task_hash).current_run_id
            if good is None:
                return "it has never gone well"
            try:
                cause = catalog.diff(good, task.run_id).first_cause
            except TaskNotFound:  # the run is not recorded yet
                return ""
            return cause.text if cause is not None else "nothing that is recorded"

        self._since[task.task_hash] = one_line(await self.ask(compare))
        self._show_failure()

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        """Show the log of the task under the cursor."""
        self._shows_all = False
        self._show_failure()
        self.start(self._show_log, group="log")


def _size_of(path: Path | None) -> int:
    try:
        return path.stat().st_size if path is not None else 0
    except OSError:
        return 0
