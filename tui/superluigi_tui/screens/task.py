"""One task: why, parameters, neighbours, runs; and pages for inputs, outputs, sidecar, source and log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from superluigi_catalog import AmbiguousHash, TaskNotFound
from superluigi_tui.actions import bindings_of
from superluigi_tui.routes import TABS, Route
from superluigi_tui.screens.asking import AskingCode
from superluigi_tui.screens.choice import Choice
from superluigi_tui.task_detail import TaskDetail
from superluigi_tui.task_pages import (
    RUN_COLUMNS,
    neighbour_rows,
    page_lines,
    param_page,
    run_rows,
)
from superluigi_tui.texts import age_text, duration_text, one_line, size_text
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Column, Line, Piece
from superluigi_tui.widgets.row_list import RowList
from superluigi_tui.widgets.why_list import Evidence, WhyList

__all__ = ["TaskView"]

_NEIGHBOURS = (
    Column("", 1),
    Column("", 1),
    Column("", 0),
    Column("", 8),
    Column("", 7, right=True),
)


class TaskView(AskingCode):
    """The screen of one task."""

    NAME = "task"
    MODE = "tasks"
    HAS_TABS = False
    FOOTER = ("back", "next-pane", "next-tab", "lineage", "rerun", "why", "diff", "editor", "copy")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("task")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.tab = route.tab or "overview"
        self.detail: TaskDetail | None = None

    def compose_body(self) -> Iterable[Any]:
        """Give the head, the tabs, the overview and one page for the rest."""
        yield Bar(self._head, id="head")
        yield Bar(self._tab_line, id="task-tabs")
        with Vertical(id="overview"):
            yield WhyList(id="why")
            with Horizontal(id="middle"):
                yield TextPane(id="params", title="Params")
                yield RowList(_NEIGHBOURS, id="neighbours", title="Neighbours", empty="  none")
            yield RowList(RUN_COLUMNS, id="runs", title="Runs", has_titles=True, empty="  no runs")
        yield TextPane(id="page")

    @property
    def why(self) -> WhyList:
        """The checklist."""
        return self.query_one(WhyList)

    def crumbs(self) -> list[str]:
        """Tasks, then its family."""
        name = self.detail.task.family if self.detail else self.route.ref
        return ["Tasks", one_line(name)[:40] or "?"]

    # -- what it shows -------------------------------------------------------------------------

    async def load(self) -> None:
        """Read all of it, in one go."""
        ref = self.route.ref
        try:
            self.detail = await self.ask(lambda catalog: TaskDetail.read(catalog, ref))
        except AmbiguousHash as error:
            await self._choose(error.matches)
            return
        except TaskNotFound as error:
            self.query_one("#page", TextPane).set_lines([[Piece(one_line(error))]])
            self._show_tab("log")
            return
        self._fill(self.detail)

    async def _choose(self, matches: Iterable[str]) -> None:
        tasks = await self.ask(lambda catalog: {each: catalog.task(each) for each in matches})
        choices = {match: f"{match[:12]}  {task.family}" for match, task in tasks.items()}

        def chosen(match: str | None) -> None:
            if match is None:
                self.tui.action_history(-1)
            else:
                self.route = Route("tasks", match, self.tab)
                self.reload()

        self.tui.push_screen(Choice("Which task?", choices), chosen)

    def _fill(self, detail: TaskDetail) -> None:
        glyphs, now = self.tui.glyphs, self.tui.now()
        self.why.show(detail.why)
        self.query_one("#params", TextPane).set_lines(param_page(detail))
        self.query_one("#neighbours", RowList).set_rows(neighbour_rows(detail, glyphs, now))
        runs = self.query_one("#runs", RowList)
        runs.set_rows(run_rows(detail, glyphs, now))
        runs.set_title("Runs", f"{len(detail.runs)}")
        self._show_tab(self.tab)
        self.show_bars()
        self._ask_the_store()

    def _show_tab(self, tab: str) -> None:
        overview = tab in ("overview", "runs")
        self.query_one("#overview").display = overview
        page = self.query_one("#page", TextPane)
        page.display = not overview
        for name in ("#why", "#middle"):
            self.query_one(name).display = tab == "overview"
        if self.detail is not None and not overview:
            page.set_title(tab.capitalize())
            page.set_lines(page_lines(tab, self.detail, self.tui.glyphs, self.tui.now()))
        self.set_focus(self.query_one("#runs" if overview else "#page"))
        self.query_one("#task-tabs").refresh()

    def _head(self, width: int) -> Line:
        if self.detail is None:
            return [Piece(" …", "dim")]
        task, runs = self.detail.task, self.detail.runs
        facts = [task.status]
        if runs:
            facts += [f"last run {age_text(runs[0].started_at, self.tui.now())} ago"]
            facts += [duration_text(runs[0].duration_s)]
        facts += [size_text(target.size_bytes) for target in self.detail.targets[:1]]
        dot = f" {self.tui.glyphs.dot} "
        return [
            Piece(f" {self.tui.glyphs.state(task.status)} ", task.status),
            Piece(task.family or "?", "bold"),
            Piece(f"  {task.task_hash[:16]}  ", "dim"),
            Piece(dot.join(filter(None, facts))),
        ]

    # -- tabs ----------------------------------------------------------------------------------

    def _tab_line(self, width: int) -> Line:
        counts: dict[str, int] = {}
        if self.detail is not None:
            inputs = self.detail.current.inputs if self.detail.current else self.detail.upstream
            counts = {
                "inputs": len(inputs),
                "outputs": len(self.detail.targets),
                "runs": len(self.detail.runs),
            }
        pieces = [Piece(" ")]
        for tab in TABS:
            text = tab.capitalize() + (f" {counts[tab]}" if tab in counts else "")
            is_here = tab == self.tab
            pieces.append(
                Piece(f"[{text}]" if is_here else text, "accent" if is_here else "", f"tab:{tab}")
            )
            pieces.append(Piece("  "))
        return pieces if sum(cell_len(p.text) for p in pieces) <= width + 2 else pieces[1:]

    def on_bar_pressed(self, message: Bar.Pressed) -> None:
        """Turn to the tab, or do what was clicked."""
        kind, _, tab = message.action.partition(":")
        if kind == "tab":
            self.turn_to(tab)
        else:
            super().on_bar_pressed(message)

    def turn_to(self, tab: str) -> None:
        """Show another tab."""
        self.tab = tab
        self.route = Route("tasks", self.route.ref, tab)
        self._show_tab(tab)
        self._ask_the_store()

    def action_turn_tab(self, step: int) -> None:
        """Show the next tab, or the one before."""
        self.turn_to(TABS[(TABS.index(self.tab) + step) % len(TABS)])

    # -- actions -------------------------------------------------------------------------------

    def found_in(self) -> TextPane | None:
        """The text that a search looks through."""
        page = self.query_one("#page", TextPane)
        return page if page.display else None

    def current_task(self) -> str | None:
        """This task."""
        return self.detail.task.task_hash if self.detail is not None else None

    def action_open(self) -> None:
        """Go to the evidence, to the neighbour, or to the build of the run."""
        neighbours, runs = self.query_one("#neighbours", RowList), self.query_one("#runs", RowList)
        if self.why.has_focus and self.why.current is not None:
            self._show_evidence(self.why.current.value)
        elif neighbours.has_focus and neighbours.current is not None:
            self.tui.open_route(Route("tasks", neighbours.current.key))
        elif runs.has_focus and runs.current is not None:
            run = runs.current.value
            if run.build_id is None:
                self.notify("This run belongs to no build.", timeout=2)
            else:
                self.tui.open_route(Route("builds", run.build_id))

    def _show_evidence(self, evidence: Evidence) -> None:
        if evidence.task_hash:
            self.tui.open_route(Route("tasks", evidence.task_hash))
        elif evidence.tab:
            self.turn_to(evidence.tab)

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.set_focus(message.rows)
        self.action_open()

    def action_diff(self) -> None:
        """Compare the two marked runs, or the one under the cursor with the one before it."""
        runs = self.query_one("#runs", RowList)
        self.compare(runs, runs.current.key if runs.current is not None else None)

    def action_wrap(self) -> None:
        """Wrap long lines of the page."""
        self.query_one("#page", TextPane).toggle_wrap()

    def action_editor(self) -> None:
        """Open the source of the task's code."""
        code = self.detail.current.code if self.detail and self.detail.current else {}
        parts = code.get("parts") or ()
        if not parts or self.detail is None:
            self.notify("No code is recorded.", severity="warning", timeout=2)
            return
        self.tui.edit(self.detail.root / str(parts[0].get("file")), int(parts[0].get("line") or 1))
