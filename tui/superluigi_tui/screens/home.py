"""What needs attention, how things stand, the last builds, how busy it was."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from functools import partial
from typing import Any, ClassVar

from textual.binding import BindingType
from textual.containers import Horizontal

from superluigi_catalog import STATUSES, Catalog, Task
from superluigi_tui.actions import bindings_of
from superluigi_tui.build_rows import BUILD_COLUMNS, build_row
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.task_texts import reach_text
from superluigi_tui.texts import age_text, count_text, duration_text, params_text
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Cell, Column, Line, Piece
from superluigi_tui.widgets.row_list import Row, RowList

__all__ = ["Home"]

_ATTENTION = ("failed", "stale", "missing")
_PER_STATUS = 6
_DAYS = 14
_BAR = 12
_QUICKLY_COUNTED = 50_000
_RECOUNT_S = 30.0
_COLUMNS = (Column("", 1), Column("", 14), Column("", 0), Column("", 5, right=True))


class Home(View):
    """The first screen."""

    NAME = "home"
    MODE = "home"
    FOOTER = ("search", "open", "rerun", "why", "lineage", "palette", "quit")
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("home")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self._is_due = False
        self._counted_at = 0.0

    def compose_body(self) -> Iterable[Any]:
        """Give the four panels."""
        with Horizontal(id="top"):
            yield RowList(_COLUMNS, id="attention", title="Needs attention", empty="  looking…")
            yield TextPane(id="states", title="Catalog state")
        yield RowList(BUILD_COLUMNS, id="builds", title="Builds", empty="  no builds yet")
        yield TextPane(id="activity", title="Activity")

    async def load(self) -> None:
        """Read each panel; what takes long comes last and bit by bit."""
        builds = await self.ask(lambda catalog: catalog.builds(limit=20))
        now = self.tui.now()
        self.query_one("#builds", RowList).set_rows(
            [build_row(build, now, self.tui.glyphs) for build in builds]
        )
        self.query_one("#activity", TextPane).set_lines(await self.ask(self._activity))
        if (self.tui.total or 0) < _QUICKLY_COUNTED or now - self._counted_at > _RECOUNT_S:
            self._counted_at = now
            self.start(self._count_states, group="states")
        rows: list[Row] = []
        attention = self.query_one("#attention", RowList)
        for status in _ATTENTION:
            found = await self.ask(partial(_tasks_with, status=status), lane="list")
            rows += [self._attention_row(task, reach, now) for task, reach in found]
            attention.set_rows(rows)
        attention.empty = "  nothing: all is well" if self.tui.total else "  No tasks yet."
        attention.refresh()
        if self.focused is None:
            self.set_focus(attention)

    def catalog_changed(self) -> None:
        """Read again, at most once a second: a busy build records many times."""
        if not self._is_due:
            self._is_due = True
            self.set_timer(1.0, self.reload)

    def reload(self) -> None:
        """Read everything again."""
        self._is_due = False
        super().reload()

    def _attention_row(self, task: Task, reach: str, now: float) -> Row:
        glyph = self.tui.glyphs.state(task.status)
        what = params_text(task.params)
        if task.status != "failed":
            what = f"{_WHY[task.status]}  {what}"
        age = age_text(task.last_started_at, now)
        shows_age = task.status == "failed" or reach == "0"
        last = Cell(age, "dim") if shows_age else Cell(f"{self.tui.glyphs.down}{reach}", "stale")
        return Row(
            task.task_hash,
            (
                Cell(glyph, task.status),
                Cell(task.family, "bold"),
                Cell(what),
                last,
            ),
            value=task,
        )

    async def _count_states(self) -> None:
        counted = await self.ask(_Counting, lane="count")
        while (counts := await self.ask(counted.step, lane="count")) is not None:
            self._show_states(counts)

    def _show_states(self, counts: dict[str, int]) -> None:
        most = max(counts.values(), default=1)
        glyphs = self.tui.glyphs
        lines: list[Line] = []
        for status in STATUSES:
            count = counts.get(status, 0)
            bar = glyphs.bar_full * max(round(_BAR * count / most), 1 if count else 0)
            lines.append(
                [
                    Piece(f" {glyphs.state(status)} ", status),
                    Piece(f"{status:<8}"),
                    Piece(f"{count_text(count):>11} "),
                    Piece(bar, status),
                ]
            )
        self.query_one("#states", TextPane).set_lines(lines)

    def _activity(self, catalog: Catalog) -> list[Line]:
        today = datetime.fromtimestamp(self.tui.now(), timezone.utc).date()
        days = [(today - timedelta(days=back)).isoformat() for back in reversed(range(_DAYS))]
        counts = catalog.runs_by_day(days[0])
        lines: list[Line] = [[Piece(f" last {_DAYS} days   ", "dim")]]
        for word, status, style in (("ok", "succeeded", "fresh"), ("failed", "failed", "failed")):
            row = [counts.get((day, status), 0) for day in days]
            lines[0] = [*lines[0], Piece(f"{word} "), Piece(self._sparks(row), style), Piece("   ")]
        slowest = [
            f"{family} {duration_text(seconds)}" for family, seconds in catalog.slowest_families(3)
        ]
        if slowest:
            dot = f" {self.tui.glyphs.dot} "
            lines.append([Piece(" slowest        ", "dim"), Piece(dot.join(slowest))])
        lines.append([])
        lines.append(
            [Piece(" new here?      press ? for keys, / to search, : for commands", "dim")]
        )
        return lines

    def _sparks(self, counts: list[int]) -> str:
        signs = self.tui.glyphs.sparks
        most = max(counts, default=0)
        return "".join(
            signs[0] if not count else signs[max(1, round((len(signs) - 1) * count / most))]
            for count in counts
        )

    # -- actions -------------------------------------------------------------------------------

    def current_task(self) -> str | None:
        """The task under the cursor of the list of those that need attention."""
        row = self.query_one("#attention", RowList).current
        return row.key if row is not None else None

    def action_open(self) -> None:
        """Open the task or build under the cursor."""
        builds = self.query_one("#builds", RowList)
        if builds.has_focus and builds.current is not None:
            self.tui.open_route(Route("builds", builds.current.key))
        elif not builds.has_focus:
            self.with_task(lambda task: self.tui.open_route(Route("tasks", task)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        message.rows.focus()
        self.action_open()


_WHY = {"stale": "input changed", "missing": "output missing"}


def _tasks_with(catalog: Catalog, status: str) -> list[tuple[Task, str]]:
    """The newest of a status, with how many tasks wait downstream."""
    found = catalog.tasks(status=status, limit=_PER_STATUS)
    return [(task, reach_text(catalog, task, "downstream")) for task in found]


class _Counting:
    """Counting tasks by status, a step at a time, in the catalog's thread."""

    def __init__(self, catalog: Catalog) -> None:
        self._steps = catalog.status_counts()

    def step(self, catalog: Catalog) -> dict[str, int] | None:
        return next(self._steps, None)
