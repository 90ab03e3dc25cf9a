"""What a task was made from, or what was made from it: rows to walk along, and a map."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Literal

from textual.binding import BindingType
from textual.containers import Horizontal

from superluigi_catalog import Catalog, Lineage
from superluigi_tui.actions import bindings_of
from superluigi_tui.lineage_export import KINDS, write_lineage
from superluigi_tui.lineage_rows import MAX_SHOWN, lineage_rows, notes_of
from superluigi_tui.lineage_shape import LineageShape, Shown, ShownGraph, counted
from superluigi_tui.routes import Route
from superluigi_tui.screens.choice import Choice
from superluigi_tui.screens.lineage_keys import LineageKeys
from superluigi_tui.task_texts import preview_lines
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.bars import Bar
from superluigi_tui.widgets.line_view import TextPane
from superluigi_tui.widgets.map_pane import MapPane
from superluigi_tui.widgets.pieces import Line, Piece
from superluigi_tui.widgets.row_list import RowList

__all__ = ["LineageView"]

_PREVIEW_AFTER_S = 0.08
_MAX_MAPPED = 60
_MAP_FROM_HEIGHT = 36
_MAX_ERRORS = 30


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


class LineageView(LineageKeys):
    """The screen of a lineage."""

    NAME = "lineage"
    MODE = "lineage"
    FOOTER = (
        "fold+unfold=fold",
        "upstream+downstream=direction",
        "deeper+shallower=depth",
        "hide-fresh",
        "map",
        "rerun",
        "collapse",
        "export",
        "mark",
    )
    HAS_TABS = False
    BINDINGS: ClassVar[list[BindingType]] = bindings_of("lineage")

    def __init__(self, route: Route) -> None:
        super().__init__(route)
        self.shape: LineageShape | None = None
        self.graph: ShownGraph | None = None
        self._folded: set[str] = set()
        self._opened: set[str] = set()
        self._notes: dict[str, str] = {}

    def compose_body(self) -> Iterable[Any]:
        """Give the head, the rows, the preview and the map."""
        yield Bar(self._head, id="head")
        with Horizontal(id="tasks-body"):
            yield LineageRows(id="rows", title="Lineage", empty="  Open a task, then press L.")
            yield TextPane(id="preview", title="Task")
        yield MapPane(id="map")

    @property
    def rows(self) -> RowList:
        """The list."""
        return self.query_one("#rows", RowList)

    @property
    def map(self) -> MapPane:
        """The map."""
        return self.query_one(MapPane)

    @property
    def direction(self) -> Literal["upstream", "downstream"]:
        """Towards what it was made from, or towards what was made from it."""
        return "downstream" if self.route.options.get("direction") == "downstream" else "upstream"

    @property
    def depth(self) -> int | None:
        """How many steps; None: all."""
        text = self.route.options.get("depth", "")
        return int(text) if text.isdecimal() else None

    @property
    def wants_map(self) -> bool:
        """Whether the map is shown: as the user says, else where there is room for it."""
        size = self.app.size
        has_room = size.width >= 120 and size.height >= _MAP_FROM_HEIGHT
        return self.route.options.get("map", "on" if has_room else "off") == "on"

    def crumbs(self) -> list[str]:
        """Lineage, then where it begins."""
        return ["Lineage", *([one_line(self.shape.lineage.root.family)[:40]] if self.shape else [])]

    # -- what it shows -------------------------------------------------------------------------

    async def load(self) -> None:
        """Read the lineage of the address."""
        ref, direction, depth = self.route.ref, self.direction, self.depth

        def read(catalog: Catalog) -> tuple[Lineage, dict[str, str]]:
            found = ref or catalog.tasks(limit=1)[0].task_hash
            look = catalog.upstream if direction == "upstream" else catalog.downstream
            lineage = look(found, depth=depth).whole()
            return lineage, notes_of(lineage, _errors(catalog, lineage))

        try:
            lineage, self._notes = await self.ask(read)
        except IndexError:
            return
        options = self.route.options
        self.shape = LineageShape(
            lineage,
            self._folded,
            hides_fresh=options.get("hide") == "fresh",
            collapses=options.get("collapse") == "families",
            opened=self._opened,
        )
        self.draw()
        self._preview(self.rows.cursor)
        if self.focused is None:
            self.set_focus(self.rows)

    def draw(self) -> None:
        """Show what there is to see of the lineage now."""
        if self.shape is None:
            return
        graph = self.graph = self.shape.graph()
        rows = lineage_rows(
            graph, self._notes, self.tui.glyphs, self.tui.now(), folded=self._folded
        )
        self.rows.set_rows(rows)
        if self.rows.current is not None and self.rows.current.value is None:
            self.rows.action_move(1)
        shown, every = graph.task_count, len(self.shape.lineage) + 1
        more = f"{shown:,} of {every:,}" if shown < every else f"{every:,}"
        more += "  fresh ones hidden" if self.shape.hides_fresh else ""
        more += "  families together" if self.shape.collapses else ""
        self.rows.set_title("Lineage", more if every <= MAX_SHOWN else f"{more}: - goes less far")
        self.draw_map()
        self.show_bars()

    def draw_map(self) -> None:
        """Show the map, where it is wanted and can be read."""
        graph = self.graph
        is_shown = graph is not None and self.wants_map and len(graph.nodes) <= _MAX_MAPPED
        self.set_class(is_shown, "-map")
        if graph is not None and is_shown:
            self.map.set_title("Map  (m toggles · arrows walk from task to task)")
            self.map.show(graph, upstream_first=self.direction == "upstream")
            self._tell_neighbours()

    def too_many_for_a_map(self) -> str:
        """Say why there is no map; empty where there can be one."""
        count = len(self.graph.nodes) if self.graph is not None else 0
        if count <= _MAX_MAPPED:
            return ""
        keys = [self.key(each) for each in ("hide-fresh", "collapse", "shallower")]
        return (
            f"{count:,} tasks: hide fresh ones ({keys[0]}), put families together ({keys[1]}), "
            f"or go less far ({keys[2]})."
        )

    def _tell_neighbours(self) -> None:
        """Name what the chosen task hangs together with: lines of a map may be long."""
        if self.graph is None or not self.map.chosen:
            return
        below = self.graph.below
        chosen = self.map.chosen
        hanging = self._named(below.get(chosen, ()))
        above = self._named([near for near, fars in below.items() if chosen in fars])
        glyphs = self.tui.glyphs
        ups, downs = (hanging, above) if self.direction == "upstream" else (above, hanging)
        self.map.set_title(
            "Map  (m toggles · arrows walk from task to task)",
            f"{glyphs.up} {ups}   {glyphs.down} {downs}",
        )

    def _named(self, keys: Iterable[str]) -> str:
        assert self.graph is not None
        names = [one_line(self.graph.nodes[key].family) or "?" for key in keys]
        more = f" +{len(names) - 4}" if len(names) > 4 else ""
        return (" ".join(names[:4]) or self.tui.glyphs.none) + more

    def _head(self, width: int) -> Line:
        if self.shape is None:
            return [Piece(" …", "dim")]
        lineage, glyphs = self.shape.lineage, self.tui.glyphs
        far = "all" if self.depth is None else str(self.depth)
        up, down = (far, "0") if self.direction == "upstream" else ("0", far)
        states = [
            Piece(f" {glyphs.state(status)} {count:,}{f' {status}' * (width >= 100)} ", status)
            for status, count in counted((lineage.root, *lineage.tasks)).items()
            if status != "fresh"
        ]
        return [
            Piece(" focus ", "dim"),
            Piece(f"{one_line(lineage.root.family)} {lineage.root.task_hash[:8]}", "bold"),
            Piece(f"   {glyphs.up} {up} upstream   {glyphs.down} {down} downstream"),
            Piece(f"   {len(lineage) + 1:,} tasks  "),
            *states,
        ]

    def on_resize(self) -> None:
        """Show the map where there is room for it now."""
        super().on_resize()
        self.draw_map()

    # -- the task under the cursor -------------------------------------------------------------

    def on_row_list_highlighted(self, message: RowList.Highlighted) -> None:
        """Show more of it when the cursor stays a moment."""
        row = self.rows.current
        if row is not None and row.value is not None and self.has_class("-map"):
            self.map.choose(row.key)
            self._tell_neighbours()
        self.set_timer(_PREVIEW_AFTER_S, lambda: self._preview(message.index))

    def on_map_pane_moved(self, message: MapPane.Moved) -> None:
        """Go to the same task in the rows."""
        keys = [row.key if row else "" for row in map(self.rows.row_at, range(self.rows.count))]
        if message.key in keys:
            self.rows.cursor = keys.index(message.key)

    def on_map_pane_opened(self, message: MapPane.Opened) -> None:
        """Open what was clicked."""
        self.action_open()

    def _preview(self, index: int) -> None:
        row = self.rows.current if self.is_attached else None
        if row is not None and index == self.rows.cursor and isinstance(row.value, Shown):
            self.start(partial(self._load_preview, row.value), group="preview")

    async def _load_preview(self, node: Shown) -> None:
        glyphs, now = self.tui.glyphs, self.tui.now()
        task = node.tasks[0]
        lines = await self.ask(lambda catalog: preview_lines(catalog, task, glyphs, now))
        pane = self.query_one("#preview", TextPane)
        many = f"{glyphs.times}{len(node.tasks)}, the first: " if node.task is None else ""
        pane.set_title(f"{task.family} {many}{task.task_hash[:8]}")
        pane.set_lines(lines)

    # -- export --------------------------------------------------------------------------------

    def action_export(self) -> None:
        """Write the lineage into a file."""
        if self.shape is not None:
            choices = {name: kind.text for name, kind in KINDS.items()}
            self.tui.push_screen(Choice("Export as", choices), self._exported)

    def _exported(self, kind: str | None) -> None:
        if kind is not None and self.shape is not None:
            self.start(partial(self._export, self.shape.lineage, kind), group="export")

    async def _export(self, lineage: Lineage, kind: str) -> None:
        path = await asyncio.to_thread(write_lineage, lineage, kind, Path.cwd())
        self.notify(f"Written to {path}", timeout=5, markup=False)


def _errors(catalog: Catalog, lineage: Lineage) -> dict[str, str]:
    """What failed tasks failed with, of the first ones."""
    failed = [task for task in (lineage.root, *lineage.tasks) if task.status == "failed"]
    errors = {}
    for task in failed[:_MAX_ERRORS]:
        for run in catalog.runs(task.task_hash, limit=1):
            errors[task.task_hash] = one_line(f"{run.error_type or run.status}: {run.error or ''}")
    return errors
