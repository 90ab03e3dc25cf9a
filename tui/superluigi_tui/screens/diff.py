"""Two runs, tasks or builds beside each other: `diff/A..B`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

from textual.binding import BindingType

from superluigi_catalog import AmbiguousHash, TaskNotFound
from superluigi_tui.actions import bindings_of
from superluigi_tui.comparison import SECTIONS, Comparison, compare
from superluigi_tui.finding import Finding
from superluigi_tui.routes import Route
from superluigi_tui.screens.view import View
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Cell, Column, Piece, wrapped
from superluigi_tui.widgets.row_list import Row, RowList

__all__ = ["DiffView"]

_STYLES = {"+": "added", "-": "removed", "@": "accent", "*": "bold"}
_NAMES = {"record": "Record JSON", "all": "Everything"}


class DiffView(Finding, View):
    """The screen of a comparison."""

    NAME = "diff"
    MODE = "tasks"
    HAS_TABS = False
    FOOTER = (
        "open=drill into it",
        "next-tab=section",
        "same",
        "next-pane",
        "copy",
        "export",
        "back",
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("diff")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.comparison: Comparison | None = None
        self._shows_same = False
        self._section = SECTIONS[0]

    def compose_body(self) -> Iterable[Any]:
        """Give the summary and one section."""
        yield RowList(_columns("A", "B"), id="rows", has_titles=True, empty="  no difference")
        yield TextPane(id="section")

    @property
    def rows(self) -> RowList:
        """The summary."""
        return self.query_one("#rows", RowList)

    def crumbs(self) -> list[str]:
        """Of what, then that it is compared."""
        runs = self.comparison.runs if self.comparison is not None else None
        return [one_line(runs[1].family) if runs else "Builds", "diff"]

    # -- what it shows -------------------------------------------------------------------------

    async def load(self) -> None:
        """Compare."""
        a, _, b = self.route.ref.partition("..")
        now = self.tui.now()
        try:
            self.comparison = await self.ask(lambda catalog: compare(catalog, a, b, now))
        except (TaskNotFound, AmbiguousHash, ValueError) as error:
            pane = self.query_one("#section", TextPane)
            pane.set_title("Nothing to compare")
            pane.set_lines(list(wrapped([Piece(one_line(error))], self.app.size.width - 6)))
            self.rows.display = False
            return
        self._section = self.comparison.telling_section()
        self._draw()
        if self.focused is None:
            self.set_focus(self.rows)

    def _draw(self) -> None:
        comparison = self.comparison
        if comparison is None:
            return
        rows = self.rows
        rows.columns = _columns(f"A {comparison.a_title}", f"B {comparison.b_title}")
        first = comparison.first_cause
        shown = [row for row in comparison.rows if self._shows_same or not row.is_same]
        drawn = [
            Row(
                f"row {number}",
                (
                    Cell(each.name, "bold" if each.is_cause else ""),
                    Cell(each.a, "dim" if each.is_same else ""),
                    Cell("= same" if each.is_same else each.b, "dim" if each.is_same else ""),
                    Cell(each.note, "stale"),
                ),
                value=each,
            )
            for number, each in enumerate(shown)
        ]
        if first:
            pieces = [Piece("first cause  ", "dim"), Piece(first, "bold")]
            drawn.insert(0, Row("first cause", pieces=pieces))
        rows.set_rows(drawn)
        same = len(comparison.rows) - comparison.changed
        hint = f"{self.key('same')} {'hides' if self._shows_same else 'shows'} same"
        rows.set_title(f"Summary  {comparison.changed} changed, {same} same ({hint})")
        self._show_section()
        self.show_bars()

    def _show_section(self) -> None:
        if self.comparison is None:
            return
        pane = self.query_one("#section", TextPane)
        pane.set_lines(
            [
                [Piece(line.expandtabs(4), _STYLES.get(line.strip()[:1], ""))]
                for line in self.comparison.section(self._section)
            ]
        )
        pane.scroll_home(animate=False)
        dot = f" {self.tui.glyphs.dot} "
        others = dot.join(_named(each) for each in SECTIONS)
        pane.set_title(_named(self._section), f"{self.key('next-tab')}: {others}")

    # -- actions -------------------------------------------------------------------------------

    def found_in(self) -> TextPane | None:
        """The text that a search looks through."""
        return self.query_one("#section", TextPane)

    def action_turn_tab(self, step: int) -> None:
        """Show the next section, or the one before."""
        at = SECTIONS.index(self._section)
        self._section = SECTIONS[(at + step) % len(SECTIONS)]
        self._show_section()

    def action_same(self) -> None:
        """Show what is the same, or only what differs."""
        self._shows_same = not self._shows_same
        self._draw()

    def action_open(self) -> None:
        """Compare the runs that made what differs under the cursor."""
        row = self.rows.current
        runs = row.value.runs if row is not None and row.value is not None else None
        if runs is None:
            self.notify("Nothing further is recorded of this.", timeout=2)
        else:
            self.tui.open_route(Route("diff", "..".join(runs)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def current_task(self) -> str | None:
        """The task of the second side."""
        runs = self.comparison.runs if self.comparison is not None else None
        return runs[1].task_hash if runs else None

    def action_copy(self) -> None:
        """Copy the whole comparison as text."""
        if self.comparison is not None:
            self.tui.copy(self.comparison.diff.to_text(), "the comparison")

    def action_export(self) -> None:
        """Write it as JSON into a file."""
        if self.comparison is None:
            return
        diff = self.comparison.diff
        path = Path.cwd() / f"diff-{diff.a[-8:]}-{diff.b[-8:]}.json".replace("/", "_")
        text = json.dumps(diff.to_dict(), indent=2, ensure_ascii=False) + "\n"
        try:
            path.write_text(text, encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self.tui.trouble(error)
            return
        self.notify(f"Written to {path}", timeout=5, markup=False)


def _columns(a: str, b: str) -> tuple[Column, ...]:
    return (Column("", 14), Column(a, 0), Column(b, 0), Column("", 9, right=True))


def _named(section: str) -> str:
    return _NAMES.get(section, section.capitalize())
