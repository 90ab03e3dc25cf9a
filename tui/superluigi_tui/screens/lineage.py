"""What a task was made from, or what was made from it: rows to walk along."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.binding import BindingType
from textual.containers import Horizontal

from superluigi_catalog import Catalog, Lineage, Task
from superluigi_tui.actions import bindings_of
from superluigi_tui.lineage_rows import MAX_SHOWN, LineageShape, counted, lineage_rows
from superluigi_tui.routes import Route
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.view import View
from superluigi_tui.task_texts import preview_lines
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.pieces import Line, Piece
from superluigi_tui.widgets.row_list import RowList

__all__ = ["LineageView"]

_PREVIEW_AFTER_S = 0.08
_KINDS = {"mermaid": "Mermaid (.mmd)", "dot": "Graphviz DOT (.dot)", "text": "text (.txt)"}


class LineageRows(RowList):
    """Rows of which those without a task are only lines."""

    def action_move(self, step: int) -> None:
        """Move over the lines between tasks."""
        super().action_move(step)
        direction = 1 if step > 0 else -1
        while (row := self.current) is not None and row.value is None:
            at = self.cursor
            super().action_move(direction)
            if self.cursor == at:
                break


class LineageView(View):
    """The screen of a lineage."""

    NAME = "lineage"
    MODE = "lineage"
    FOOTER = (
        "fold",
        "upstream",
        "downstream",
        "deeper",
        "shallower",
        "hide-fresh",
        "rerun",
        "export",
    )
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("lineage")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.shape: LineageShape | None = None
        self._folded: set[str] = set()
        self._sought = ""

    def compose_body(self) -> Iterable[Any]:
        """Give the head, the rows and the preview."""
        yield Bar(self._head, id="head")
        with Horizontal(id="tasks-body"):
            yield LineageRows(id="rows", title="Lineage", empty="  Open a task, then press L.")
            yield TextPane(id="preview", title="Task")

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one("#rows", RowList)

    @property
    def direction(self) -> Literal["upstream", "downstream"]:
        """Towards what it was made from, or towards what was made from it."""
        return "downstream" if self.route.options.get("direction") == "downstream" else "upstream"

    @property
    def depth(self) -> int | None:
        """How many steps; None: all."""
        text = self.route.options.get("depth", "")
        return int(text) if text.isdecimal() else None

    def crumbs(self) -> list[str]:
        """Lineage, then where it begins."""
        return ["Lineage", *([one_line(self.shape.lineage.root.family)[:40]] if self.shape else [])]

    # -- what it shows -------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the lineage of the address."""
        ref, direction, depth = self.route.ref, self.direction, self.depth

        def read(catalog: Catalog) -> Lineage:
            found = ref or catalog.tasks(limit=1)[0].task_hash
            look = catalog.upstream if direction == "upstream" else catalog.downstream
            return look(found, depth=depth).whole()

        try:
            lineage = await self.ask(read)
        except IndexError:
            return
        hides = self.route.options.get("hide") == "fresh"
        self.shape = LineageShape(lineage, self._folded, hides)
        self._draw()
        self._preview(self.rows.cursor)
        if self.focused is None:
            self.set_focus(self.rows)

    def _draw(self) -> None:
        if self.shape is None:
            return
        rows = lineage_rows(self.shape, self.tui.glyphs, self.tui.now())
        self.rows.set_rows(rows)
        shown = sum(1 for row in rows if row.value is not None)
        every = len(self.shape.lineage) + 1
        more = f"{shown:,} of {every:,}" if shown < every else f"{every:,}"
        more += "  fresh ones hidden" if self.shape.hides_fresh else ""
        self.rows.set_title("Lineage", more if every <= MAX_SHOWN else f"{more}: - goes less far")
        self.show_bars()

    def _head(self, width: int) -> Line:
        if self.shape is None:
            return [Piece(" …", "dim")]
        root, glyphs = self.shape.lineage.root, self.tui.glyphs
        sign = glyphs.up if self.direction == "upstream" else glyphs.down
        steps = "all the way" if self.depth is None else f"{self.depth} steps"
        states = counted(self.shape.lineage.tasks)
        said = "  ".join(f"{count:,} {status}" for status, count in sorted(states.items()))
        return [
            Piece(" from ", "dim"),
            Piece(f"{one_line(root.family)} {root.task_hash[:8]}", "bold"),
            Piece(f"   {sign} {self.direction}, {steps}   {said}"),
        ]

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        """Show more of it when the cursor stays a moment."""
        self.set_timer(_PREVIEW_AFTER_S, lambda: self._preview(message.index))

    def _preview(self, index: int) -> None:
        row = self.rows.current if self.is_attached else None
        if (
            row is not None
            and index == self.rows.cursor
            and row is not None
            and isinstance(row.value, Task)
        ):
            self.start(partial(self._load_preview, row.value), group="preview")

    async def _load_preview(self, task: Task) -> None:
        glyphs, now = self.tui.glyphs, self.tui.now()
        lines = await self.ask(lambda catalog: preview_lines(catalog, task, glyphs, now))
        pane = self.query_one("#preview", TextPane)
        pane.set_title(f"{task.family} {task.task_hash[:8]}")
        pane.set_lines(lines)

    # -- actions -------------------------------------------------------------------------------

    def current_task(self) -> str | None:
        """The task under the cursor."""
        row = self.rows.current
        return row.key if row is not None and row.value is not None else None

    def _change(self, **options: str) -> None:
        kept = {**self.route.options, **options}
        self.route = self.route.with_options(**kept)
        self.reload()

    def action_upstream(self) -> None:
        """Show what it was made from."""
        self._change(direction="")

    def action_downstream(self) -> None:
        """Show what was made from it."""
        self._change(direction="downstream")

    def action_change_depth(self, step: int) -> None:
        """Go further, or less far; beyond the furthest is all the way."""
        if self.shape is None:
            return
        furthest = max(self.shape.lineage.depths.values(), default=0)
        before = self.depth if self.depth is not None else furthest + (step > 0)
        after = max(1, before + step)
        self._change(depth="" if step > 0 and after > furthest + 1 else str(after))

    def action_hide_fresh(self) -> None:
        """Hide tasks that are fresh, or show them."""
        hides = self.route.options.get("hide") == "fresh"
        self._change(hide="" if hides else "fresh")

    def action_fold(self, fold: bool) -> None:
        """Fold what hangs from the task, or unfold it."""
        task = self.current_task()
        if task is not None:
            (self._folded.add if fold else self._folded.discard)(task)
            self._draw()

    def action_focus_task(self) -> None:
        """Begin at the task under the cursor."""
        self.with_task(lambda t: self.tui.open_route(Route("lineage", t, "", self.route.options)))

    def action_next_match(self, step: int) -> None:
        """Go to the next task that is not fresh, or to the one before."""
        count = self.rows.count
        for away in range(1, count + 1):
            row = self.rows.row_at((self.rows.cursor + away * step) % count)
            if row is not None and isinstance(row.value, Task) and row.value.status != "fresh":
                self.rows.action_move_to((self.rows.cursor + away * step) % count)
                return
        self.notify("All of them are fresh.", timeout=2)

    def action_open(self) -> None:
        """Open the task under the cursor."""
        self.with_task(lambda task: self.tui.open_route(Route("tasks", task)))

    def on_row_list_opened(self, message: RowList.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def action_export(self) -> None:
        """Write the lineage into a file."""
        if self.shape is not None:
            self.tui.push_screen(Choice("Export as", _KINDS), self._exported)

    def _exported(self, kind: str | None) -> None:
        if kind is None or self.shape is None:
            return
        lineage = self.shape.lineage
        draw = {"mermaid": lineage.to_mermaid, "dot": lineage.to_dot, "text": lineage.to_text}[kind]
        ending = {"mermaid": "mmd", "dot": "dot", "text": "txt"}[kind]
        path = Path.cwd() / f"lineage-{lineage.root.task_hash[:8]}.{ending}"
        try:
            path.write_text(draw(), encoding="utf-8", errors="backslashreplace")
        except OSError as error:
            self.tui.trouble(error)
            return
        self.notify(f"Written to {path}", timeout=5, markup=False)
