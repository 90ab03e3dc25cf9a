"""What keys do on the screen of a build."""

from __future__ import annotations

import re
from pathlib import Path

from superluigi_catalog import Build
from superluigi_tui.build_events import BuildProgress, TaskProgress
from superluigi_tui.finding import Finding
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.row_list import RowList

__all__ = ["BuildKeys"]

_FRAME = re.compile(r'File "([^"]+)", line (\d+)')


class BuildKeys(Finding, View):
    """Walks over tasks and through the log; leads to the editor, the debugger, the retry."""

    build: Build | None
    _follows: bool
    _shows_all: bool
    _log_size: int

    @property
    def rows(self) -> RowList:
        """The tasks."""
        raise NotImplementedError

    @property
    def progress(self) -> BuildProgress:
        """What is known of the build."""
        raise NotImplementedError

    @property
    def current(self) -> TaskProgress | None:
        """The task under the cursor."""
        raise NotImplementedError

    async def _show_log(self) -> None:
        raise NotImplementedError

    def found_in(self) -> TextPane | None:
        """The text that a search looks through."""
        return self.query_one("#log", TextPane)

    def action_next_match(self, step: int) -> None:
        """Go to the next match of a search; without one, to the next task that failed."""
        if self._sought:
            super().action_next_match(step)
            return
        keys = list(self.progress.tasks)
        for away in range(1, len(keys) + 1):
            index = (self.rows.cursor + away * step) % len(keys)
            if self.progress.tasks[keys[index]].status in ("failed", "running"):
                self.rows.action_move_to(index)
                return

    def current_task(self) -> str | None:
        """The task under the cursor."""
        return self.current.task_hash if self.current is not None else None

    def action_open(self) -> None:
        """Open the task under the cursor."""
        self.with_task(lambda task: self.tui.open_route(Route("tasks", task)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def action_follow(self) -> None:
        """Stay at the end of the log, or not."""
        self._follows = not self._follows
        self._log_size = -1
        self.start(self._show_log, group="log")

    def action_full_log(self) -> None:
        """Show the log of the whole build, or of the task."""
        self._shows_all = not self._shows_all
        self.start(self._show_log, group="log")

    def action_wrap(self) -> None:
        """Wrap long lines of the log."""
        self.query_one("#log", TextPane).toggle_wrap()

    def action_diff(self) -> None:
        """Compare the run under the cursor, or the build, with the one before it."""
        task = self.current
        self.compare(self.rows, task.run_id if task is not None and task.run_id else self.route.ref)

    def action_cancel(self) -> None:
        """Stop the build."""
        if self.build is not None:
            self.tui.cancel_build(self.build)

    def action_rerun(self) -> None:
        """Plan the build again: only what is not done runs."""
        if self.build is not None:
            self.tui.rerun_build(self.build)

    def action_debug(self) -> None:
        """Run the failed task here, with a debugger."""
        task = self.current
        if task is None or task.status != "failed":
            self.notify("Put the cursor on a task that failed.", timeout=2)
        else:
            self.tui.debug_task(task.task_hash)

    def action_editor(self) -> None:
        """Open the file where the task failed."""
        frames = _FRAME.findall(self.current.traceback) if self.current is not None else []
        if not frames or self.build is None:
            self.notify("No traceback here.", timeout=2)
            return
        file, line = frames[-1]
        self.tui.edit(Path(self.build.cwd, file), int(line))

    def action_copy(self) -> None:
        """Copy the traceback, or what identifies the task."""
        if self.current is not None and self.current.traceback:
            self.tui.copy(self.current.traceback, "the traceback")
        else:
            super().action_copy()
