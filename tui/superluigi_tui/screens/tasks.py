"""All tasks: search as you type, filters, a preview of the one under the cursor."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal
from textual.widgets import Input

from superluigi_catalog import Catalog, Task, TaskListing
from superluigi_tui.actions import bindings_of
from superluigi_tui.narrowing import Narrowing
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.task_filter import TaskFilter
from superluigi_tui.task_texts import preview_lines
from superluigi_tui.texts import count_text
from superluigi_tui.widgets.bars import Bar, between
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Line, Piece
from superluigi_tui.widgets.row_list import RowList
from superluigi_tui.widgets.task_table import PAGE, TaskTable

__all__ = ["Tasks"]

_FIRST = 256
_MORE = 20_000
_MOST_AT_ONCE = 60_000
"""What is found is a list for a moment: this many take some megabytes."""
_MAX_SORTED = 10_000
_PREVIEW_AFTER_S = 0.08


class Tasks(Narrowing, View):
    """The list of tasks."""

    NAME = "tasks"
    MODE = "tasks"
    FOOTER = ("open", "lineage", "rerun", "why", "filter", "mark", "diff", "copy", "sort")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("tasks")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.filter = TaskFilter.from_route(route)
        self._newer = 0
        self._hint = ""

    def compose_body(self) -> Iterable[Any]:
        """Give the search field, the filters, the table and the preview."""
        with Horizontal(id="search-line"):
            yield Bar(lambda width: [Piece(" / ", "accent")], id="search-sign")
            yield Input(self.filter.text, placeholder="search", compact=True, id="search")
        yield Bar(self._filter_line, id="filters")
        with Horizontal(id="tasks-body"):
            yield TaskTable(id="tasks")
            yield TextPane(id="preview", title="Preview")

    def on_mount(self) -> None:
        """Let the count follow the cursor."""
        super().on_mount()
        self.table.beside = self.query_one("#filters")

    @property
    def table(self) -> TaskTable:
        """The list."""
        return self.query_one(TaskTable)

    # -- what is listed ------------------------------------------------------------------------

    async def load(self) -> None:
        """Find the first tasks, show them, then find the others."""
        wanted = self.filter
        listing, first = await self.ask(lambda catalog: _begin(catalog, wanted), lane="list")
        self._newer, self._hint = 0, ""
        if not len(listing) and wanted.text:
            families = await self.ask(lambda catalog: list(catalog.families()), lane="list")
            near = difflib.get_close_matches(wanted.text.split()[-1], families, n=1, cutoff=0.5)
            self._hint = f" Did you mean {near[0]}?" if near else ""
        self.table.empty = f"  {self._nothing()}"
        self.table.show(listing, first)
        self._show_count()
        if self.focused is None:
            self.set_focus(self.table)
        if wanted.sort != "newest":
            await self._fetch_all(listing, _MAX_SORTED + 1)
            await self._sort(listing)
        await self._fetch_all(listing)

    async def _fetch_all(self, listing: TaskListing, most: int = 1 << 62) -> None:
        count = _MORE
        while not listing.is_complete and len(listing) < most:
            await self.ask(partial(_fetch, listing, count), lane="list")
            # Every time the whole table is painted: a long list shall not do so fifty times.
            count = _MOST_AT_ONCE
            if self.table.listing is listing:
                self.table.count_changed()
                self._show_count()

    async def _sort(self, listing: TaskListing) -> None:
        if len(listing) > _MAX_SORTED:
            self.notify(f"Only up to {_MAX_SORTED:,} tasks are sorted: narrow the list.", timeout=4)
            self.filter = replace(self.filter, sort="newest")
            return
        order = self.filter.sort

        def in_order(catalog: Catalog) -> tuple[TaskListing, tuple[Task, ...]]:
            sorted_one = listing.sorted(order)
            return sorted_one, sorted_one.page(0, PAGE)

        self.table.show(*await self.ask(in_order, lane="list"))
        self._show_count()

    def _nothing(self) -> str:
        if self.filter.text or self.filter.has_conditions:
            said = (
                f"No task matches {self.filter.text!r}." if self.filter.text else "No task matches."
            )
            return f"{said}{self._hint} esc clears"
        return "No tasks yet. Run one: superluigi run MODULE.Task"

    def on_task_table_wanted(self, message: TaskTable.Wanted) -> None:
        """Load a page that came into sight."""
        listing = self.table.listing
        if listing is not None:
            self.start(
                partial(self._load_page, listing, message.page), group=f"page-{message.page % 8}"
            )

    async def _load_page(self, listing: TaskListing, page: int) -> None:
        tasks = await self.ask(lambda catalog: listing.page(page * PAGE, PAGE))
        if self.table.listing is listing:
            self.table.add_page(page, tasks)

    def catalog_changed(self) -> None:
        """Show new states in place, and count what is new without moving anything."""
        self.table.forget_pages()
        self.start(self._count_newer, group="newer")

    async def _count_newer(self) -> None:
        listing = self.table.listing
        if listing is not None:
            self._newer = await self.ask(lambda catalog: listing.newer(), lane="count")
            if not len(listing) and self._newer:
                self.reload()
            self._show_count()

    # -- filters -------------------------------------------------------------------------------

    def narrow(self, wanted: TaskFilter) -> None:
        """List other tasks."""
        self.filter = wanted
        self.route = wanted.in_route(self.route)
        field = self.query_one("#search", Input)
        if field.value != wanted.text:
            field.value = wanted.text
        self.reload()

    def on_input_changed(self, message: Input.Changed) -> None:
        """Search for what was typed so far."""
        # What stands there now: more may have been typed since the message was sent.
        text = message.input.value
        if text != self.filter.text:
            self.narrow(replace(self.filter, text=text))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Go to what was found."""
        self.set_focus(self.table)

    def focus_search(self) -> None:
        """Go to the search field, at once: the next letter may be here already."""
        self.set_focus(self.query_one("#search", Input))

    def action_search(self) -> None:
        """Go to the search field."""
        self.focus_search()

    def action_back(self) -> None:
        """Leave the search field; clear the filter; go back."""
        if self.query_one("#search", Input).has_focus:
            self.set_focus(self.table)
        elif self.clear_marks():
            pass
        elif self.filter.text or self.filter.has_conditions:
            self.narrow(self.filter.cleared())
        else:
            self.tui.action_history(-1)

    def action_sort(self) -> None:
        """Sort by the next column."""
        self.narrow(self.filter.with_next_sort())

    def _filter_line(self, width: int) -> Line:
        wanted = self.filter
        pieces = [Piece(" ")]
        for name, value in (
            ("state", wanted.status or "any"),
            ("family", wanted.family or "any"),
            ("since", wanted.since or "any"),
            ("param", wanted.param or "any"),
        ):
            pieces += [Piece(f"{name}:", "dim", "filter"), Piece(f"{value}   ", "", "filter")]
        pieces += [Piece("sort:", "dim", "sort"), Piece(wanted.sort, "", "sort")]
        listing = self.table.listing
        found = "" if listing is None else count_text(len(listing))
        if listing is not None and not listing.is_complete:
            found += "+"
        at = f"{count_text(self.table.cursor + 1)} / " if found not in ("", "0") else ""
        return between(
            pieces,
            [*self._new_pieces(), Piece(f"{at}{found} {'task' if found == '1' else 'tasks'} ")],
            width,
        )

    def _new_pieces(self) -> Line:
        up = self.tui.glyphs.up
        return [Piece(f"{up} {self._newer} new (R) ", "accent")] if self._newer else []

    def _show_count(self) -> None:
        # Not on the table's border: drawing that anew draws the whole table.
        self.query_one("#filters", Bar).refresh()

    # -- the task under the cursor -------------------------------------------------------------

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        """Show more of it when the cursor stays a moment."""
        self.set_timer(_PREVIEW_AFTER_S, lambda: self._preview(message.index))

    def _preview(self, index: int) -> None:
        if self.is_attached and index == self.table.cursor and self.query_one("#preview").display:
            task = self.table.current_task
            if task is None:
                self.query_one("#preview", TextPane).set_lines([])
            else:
                self.start(partial(self._load_preview, task), group="preview")

    async def _load_preview(self, task: Task) -> None:
        pane = self.query_one("#preview", TextPane)
        glyphs, now = self.tui.glyphs, self.tui.now()
        lines = await self.ask(lambda catalog: preview_lines(catalog, task, glyphs, now))
        pane.set_title(f"{task.family} {task.task_hash[:8]}")
        pane.set_lines(lines)
        pane.scroll_home(animate=False)

    def current_task(self) -> str | None:
        """The task under the cursor."""
        task = self.table.current_task
        return task.task_hash if task is not None else None

    def current_tasks(self) -> list[str]:
        """All tasks that are marked, also those that are not listed any more; else the current one."""
        return list(self.table.marked) or super().current_tasks()

    def action_diff(self) -> None:
        """Compare the two marked tasks, or the last run of the current one with the run before it."""
        self.compare(self.table, self.current_task())

    def action_open(self) -> None:
        """Open the task under the cursor."""
        self.with_task(lambda task: self.tui.open_route(Route("tasks", task)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.set_focus(self.table)
        self.action_open()


def _fetch(listing: TaskListing, count: int, catalog: Catalog) -> None:
    listing.fetch(count)


def _begin(catalog: Catalog, wanted: TaskFilter) -> tuple[TaskListing, tuple[Task, ...]]:
    listing = catalog.listing(**wanted.arguments())
    listing.fetch(_FIRST)
    return listing, listing.page(0, PAGE)
