"""`TaskTable`: tasks of a listing, of which only the pages in sight are loaded."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from textual.message import Message

from superluigi_catalog import Task, TaskListing
from superluigi_tui.texts import age_text, duration_text, params_text, short_hash
from superluigi_tui.widgets.pieces import Cell, Column
from superluigi_tui.widgets.row_list import Row, RowList

__all__ = ["TaskTable"]

PAGE = 64
_PAGES_KEPT = 64

COLUMNS = (
    Column("", 1),
    Column("STATE", 7, min_screen=56),
    Column("TASK", 16),
    Column("HASH", 8, min_screen=50),
    Column("PARAMS", 0),
    Column("TOOK", 6, right=True, min_screen=100),
    Column("AGE", 4, right=True),
)


class TaskTable(RowList):
    """A list of tasks of any length."""

    @dataclass
    class Wanted(Message):
        """A page came into sight that is not loaded."""

        page: int

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(COLUMNS, id=id, title="Tasks", has_titles=True)
        self.listing: TaskListing | None = None
        self._pages: OrderedDict[int, tuple[Task, ...]] = OrderedDict()
        self._wanted: set[int] = set()

    @property
    def count(self) -> int:
        """How many tasks have been found so far."""
        return len(self.listing) if self.listing is not None else 0

    def row_at(self, index: int) -> Row | None:
        """Give a row; one that is not loaded is asked for."""
        task = self.task_at(index)
        return None if task is None else self._row(task)

    def task_at(self, index: int) -> Task | None:
        """Give a task; None where its page is not loaded yet."""
        if not 0 <= index < self.count:
            return None
        page, place = divmod(index, PAGE)
        found = self._pages.get(page)
        if found is not None and place < len(found):
            self._pages.move_to_end(page)
            return found[place]
        if page not in self._wanted:
            self._wanted.add(page)
            self.post_message(self.Wanted(page))
        return None

    @property
    def current_task(self) -> Task | None:
        """The task under the cursor."""
        return self.task_at(self.cursor)

    def show(self, listing: TaskListing, first_page: tuple[Task, ...]) -> None:
        """Show another list from its beginning."""
        self.listing = listing
        self._pages.clear()
        self._wanted.clear()
        self._pages[0] = first_page
        self.count_changed()
        self.scroll_to(y=0, animate=False, force=True)
        if self.cursor == 0:
            self.post_message(self.Highlighted(self, 0))
        self.cursor = 0

    def add_page(self, page: int, tasks: tuple[Task, ...]) -> None:
        """Take in a page that was asked for."""
        self._wanted.discard(page)
        self._pages[page] = tasks
        while len(self._pages) > _PAGES_KEPT:
            self._pages.popitem(last=False)
        self.refresh()
        if self.cursor // PAGE == page:
            self.post_message(self.Highlighted(self, self.cursor))

    def forget_pages(self) -> None:
        """Load again what is in sight, and keep showing it until that is there."""
        top = self.scroll_offset.y // PAGE
        bottom = (self.scroll_offset.y + self.size.height) // PAGE
        for page in [each for each in self._pages if not top <= each <= bottom]:
            del self._pages[page]
        for page in range(top, bottom + 1):
            if page * PAGE < self.count:
                self._wanted.add(page)
                self.post_message(self.Wanted(page))

    def _row(self, task: Task) -> Row:
        return Row(
            task.task_hash,
            (
                Cell(self.glyphs.state(task.status), task.status),
                Cell(task.status, task.status),
                Cell(task.family, "bold"),
                Cell(short_hash(task.task_hash), "dim"),
                Cell(params_text(task.params)),
                Cell(duration_text(task.last_duration_s), "dim"),
                Cell(age_text(task.last_started_at, self.now()) or self.glyphs.none, "dim"),
            ),
            value=task,
        )
