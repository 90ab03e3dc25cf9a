"""What keys do with the tasks that are marked, or with the one under the cursor."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, TypeVar

from superluigi_catalog import Catalog
from superluigi_tui.routes import Route
from superluigi_tui.screens.prompt import Prompt
from superluigi_tui.widgets.row_list import RowList

if TYPE_CHECKING:
    from textual.screen import Screen

    from superluigi_tui.app import SuperLuigiApp

    _Base = Screen[None]
else:
    _Base = object

__all__ = ["AtHand"]

T = TypeVar("T")


class AtHand(_Base):
    """The part of a screen that knows which tasks keys are about."""

    if TYPE_CHECKING:

        @property
        def tui(self) -> SuperLuigiApp:
            """See `View`."""

        async def ask(self, question: Callable[[Catalog], T], lane: str = "detail") -> T:
            """See `View`."""

        def start(self, work: Callable[[], Coroutine[None, None, None]], *, group: str) -> None:
            """See `View`."""

    def current_task(self) -> str | None:
        """The hash of the task that keys are about."""
        return None

    def current_tasks(self) -> list[str]:
        """The hashes of the marked tasks, else of the current one."""
        task_hash = self.current_task()
        return [task_hash] if task_hash is not None else []

    def with_tasks(self, then: Callable[[list[str]], None]) -> None:
        """Do something with the marked tasks, else with the current one; say so where there is none."""
        task_hashes = self.current_tasks()
        if task_hashes:
            then(task_hashes)
        else:
            self.notify("No task here.", severity="warning", timeout=2)

    def with_task(self, then: Callable[[str], None]) -> None:
        """Do something with the current task; say so where there is none."""
        task_hash = self.current_task()
        if task_hash is None:
            self.notify("No task here.", severity="warning", timeout=2)
        else:
            then(task_hash)

    def action_why(self) -> None:
        """Say why the current task would run again."""
        self.with_task(lambda task: self.tui.open_route(Route("tasks", task, "overview")))

    def action_show_lineage(self) -> None:
        """Show the lineage of the current task."""
        self.with_task(lambda task: self.tui.open_route(Route("lineage", task)))

    def action_copy(self) -> None:
        """Offer what can be copied of the current task; of several that are marked, copy the hashes."""
        self.with_tasks(self._copy)

    def _copy(self, task_hashes: list[str]) -> None:
        if len(task_hashes) == 1:
            self.tui.copy_of_task(task_hashes[0])
        else:
            self.tui.copy("\n".join(task_hashes), f"{len(task_hashes)} task hashes")

    def action_verify(self) -> None:
        """Look at the outputs of the marked tasks now, else of the current one."""
        self.with_tasks(lambda tasks: self.tui.show_command("Verify", ["verify", *tasks]))

    def action_accept(self) -> None:
        """Declare the results of the marked tasks right as they are, else that of the current one."""
        self.with_tasks(self._accept)

    def _accept(self, task_hashes: list[str]) -> None:
        def given(reason: str | None) -> None:
            if reason and reason.strip():
                words = ["accept", "--yes", "--reason", reason.strip(), *task_hashes]
                self.tui.show_command("Accept", words)

        what = "it right as it is" if len(task_hashes) == 1 else f"all {len(task_hashes)} right"
        prompt = Prompt(f"Why is {what}?", "", "people will read it")
        self.tui.push_screen(prompt, given)

    def action_mark(self) -> None:
        """Mark the row under the cursor, or not."""
        rows = self.focused
        if isinstance(rows, RowList):
            rows.toggle_mark()

    def clear_marks(self) -> bool:
        """Mark nothing any more, wherever something is.

        Returns:
            Whether anything was marked.
        """
        return any([rows.clear_marks() for rows in self.query(RowList)])

    def compare(self, rows: RowList, ref: str | None) -> None:
        """Compare the two rows that are marked, the lower first; or one with the one before it.

        Args:
            ref: What to compare where nothing is marked.
        """
        marked = list(rows.marked)
        if len(marked) == 1 and rows.current is not None and rows.current.key not in rows.marked:
            marked.append(rows.current.key)
        if len(marked) > 2:
            self.notify(f"{len(marked)} are marked: two can be compared.", timeout=3)
        elif len(marked) == 2:
            order = {row.key: at for at in range(rows.count) if (row := rows.row_at(at))}
            marked.sort(key=lambda key: -order.get(key, 0))
            self.tui.open_route(Route("diff", "..".join(marked)))
        elif ref:
            self.tui.open_route(Route("diff", ref))

    def action_rerun(self) -> None:
        """Plan a rerun of the marked tasks, else of the current one."""
        self.with_tasks(self.tui.rerun)
