"""What the screen of a task asks child processes: the code as it is now, and stores elsewhere."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import partial

from superluigi_tui.children import CommandFailed
from superluigi_tui.finding import Finding
from superluigi_tui.rerun_request import directory_of
from superluigi_tui.screens.said import Said
from superluigi_tui.screens.view import View
from superluigi_tui.task_detail import TaskDetail
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.why_list import WhyList, why_from

__all__ = ["AskingCode"]


class AskingCode(Finding, View):
    """A screen of a task that does not only know the catalog."""

    tab: str
    detail: TaskDetail | None

    @property
    def why(self) -> WhyList:
        """The checklist."""
        raise NotImplementedError

    def turn_to(self, tab: str) -> None:
        """Show another tab."""
        raise NotImplementedError

    def _show_tab(self, tab: str) -> None:
        raise NotImplementedError

    def action_why(self) -> None:
        """Show the checklist, with the code as it is now."""
        self.turn_to("overview")
        self.why.set_title("Why", "asking the code")
        self.start(self._ask_the_code, group="why")

    async def _ask_the_code(self) -> None:
        if self.detail is None:
            return
        task = self.detail.task
        cwd = await self.ask(lambda catalog: directory_of(catalog, task))
        try:
            answer = await self.tui.answer_of(["why", "--json", task.task_hash], cwd)
            why = why_from(answer.document)
            self.why.show(why)
            self.why.set_title("Why", "live" if why.is_live else "the code cannot be asked")
            if not why.is_live:
                self.tui.push_screen(Said("Cannot ask the code", answer.said))
        except CommandFailed as error:
            self.why.set_title("Why", "the code cannot be asked")
            self.tui.push_screen(Said("Cannot ask the code", str(error)))

    def _ask_the_store(self) -> None:
        """Let a child process read sidecars that are not on this machine, when they are looked at."""
        if self.tab == "sidecar" and self.detail is not None and self.detail.remote_sidecars:
            self.start(partial(self._fetch_sidecars, self.detail), group="sidecars")

    async def _fetch_sidecars(self, detail: TaskDetail) -> None:
        task = detail.task
        words = ["show", "--sidecar", "--json", task.task_hash]
        try:
            found = (await self.tui.answer_of(words, detail.root)).document["sidecars"]
            read = {
                path: json.dumps(document) if document else "there is none"
                for path, document in found.items()
            }
        except (CommandFailed, OSError) as error:
            read = {path: f"cannot be read: {one_line(error)}" for path, _ in detail.sidecars}
        told = tuple((path, text or read.get(path, "")) for path, text in detail.sidecars)
        if self.detail is detail:
            self.detail = replace(detail, sidecars=told)
            self._show_tab(self.tab)
