"""`MapPane`: a lineage as a map, in which arrows walk from task to task."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message

from superluigi_tui.lineage_map import DrawnMap, Spot, draw_map
from superluigi_tui.lineage_shape import Shown, ShownGraph
from superluigi_tui.texts import fit, one_line
from superluigi_tui.widgets.line_view import LineView
from superluigi_tui.widgets.pieces import Line, Piece

__all__ = ["MapPane"]

_MAX_LABEL = 26
_HASH_DIGITS = 4
_NO_MAP = DrawnMap((), {}, 0)


class MapPane(LineView):
    """The map, and which task is chosen."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("h,left", "walk(-1, 0)", show=False),
        Binding("l,right", "walk(1, 0)", show=False),
        Binding("j,down", "walk(0, 1)", show=False),
        Binding("k,up", "walk(0, -1)", show=False),
        Binding("g,home", "walk(-99, 0)", show=False),
        Binding("G,end", "walk(99, 0)", show=False),
    ]
    is_wide = True

    @dataclass
    class Moved(Message):
        """Another task was chosen."""

        key: str

    @dataclass
    class Opened(Message):
        """The chosen task was clicked."""

        key: str

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.chosen = ""
        self._graph: ShownGraph | None = None
        self._map = _NO_MAP
        self._labels: dict[str, str] = {}

    def show(self, graph: ShownGraph, *, upstream_first: bool) -> None:
        """Draw another graph.

        Args:
            upstream_first: Whether what hangs from a task is upstream of it.
        """
        self._graph = graph
        self._labels = _labels_of(graph, self.glyphs.times)
        pairs = ((near, far) for near, fars in graph.below.items() for far in fars)
        edges = ((far, near) if upstream_first else (near, far) for near, far in pairs)
        widths = {key: cell_len(label) + 2 for key, label in self._labels.items()}
        glyphs = self.glyphs
        self._map = draw_map(widths, edges, point=glyphs.point, is_ascii=glyphs.is_ascii)
        self.set_line_count(len(self._map.lines), self._map.width)
        self.choose(self.chosen if self.chosen in widths else graph.root)

    def choose(self, key: str) -> None:
        """Mark a task, and bring it into sight."""
        spot = self._map.spots.get(key)
        if spot is None:
            return
        self.chosen = key
        region = Region(max(0, spot.column - 2), spot.row, spot.width + 4, 1)
        self.scroll_to_region(region, animate=False, force=True)
        self.refresh()

    def line(self, index: int, width: int) -> Line:
        """Give one line, with the labels that stand in it."""
        if not 0 <= index < len(self._map.lines):
            return ()
        ways = self._map.lines[index].ljust(self._map.width)
        pieces: list[Piece] = []
        at = 0
        for key, spot in self._in_row(index):
            pieces.append(Piece(ways[at : spot.column - 1], "dim"))
            pieces += self._label(key)
            at = spot.column + spot.width + 1
        return [*pieces, Piece(ways[at:], "dim")]

    def _label(self, key: str) -> Line:
        node = self._shown(key)
        left, right = ("[", "]") if key == self.chosen else (" ", " ")
        style = "match" if key == self.chosen and self.has_focus else ""
        return [
            Piece(left, "accent"),
            Piece(f"{self.glyphs.state(node.status)} ", style or node.status),
            Piece(self._labels[key], style or ("bold" if key == self.chosen else "")),
            Piece(right, "accent"),
        ]

    def _shown(self, key: str) -> Shown:
        assert self._graph is not None
        return self._graph.nodes[key]

    def _in_row(self, row: int) -> list[tuple[str, Spot]]:
        found = [(key, spot) for key, spot in self._map.spots.items() if spot.row == row]
        return sorted(found, key=lambda each: each[1].column)

    # -- walking -------------------------------------------------------------------------------

    def action_walk(self, across: int, down: int) -> None:
        """Go to the nearest task in some direction."""
        spots = self._map.spots
        here = spots.get(self.chosen)
        if here is None:
            return
        columns = sorted({spot.column for spot in spots.values()})
        if across:
            wanted = max(0, min(columns.index(here.column) + across, len(columns) - 1))
            beside = [key for key, spot in spots.items() if spot.column == columns[wanted]]
        else:
            beside = [
                key
                for key, spot in spots.items()
                if spot.column == here.column and (spot.row - here.row) * down > 0
            ]
        if beside:
            self.choose(min(beside, key=lambda key: abs(spots[key].row - here.row)))
            self.post_message(self.Moved(self.chosen))

    def on_click(self, event: events.Click) -> None:
        """Choose what was clicked; a click on what is chosen opens it."""
        offset = event.get_content_offset(self)
        if offset is None:
            return
        x, y = offset.x + self.scroll_offset.x, offset.y + self.scroll_offset.y
        for key, spot in self._in_row(y):
            if not spot.column <= x < spot.column + spot.width:
                continue
            if key == self.chosen:
                self.post_message(self.Opened(key))
            else:
                self.choose(key)
                self.post_message(self.Moved(key))

    def on_focus(self) -> None:
        """Show where one is."""
        self.refresh()

    def on_blur(self) -> None:
        """Show it less."""
        self.refresh()


def _labels_of(graph: ShownGraph, times: str) -> dict[str, str]:
    """Name each by its family; where several have the same, with the beginning of its hash."""
    counts: dict[str, int] = {}
    for node in graph.nodes.values():
        if node.task is not None:
            counts[node.family] = counts.get(node.family, 0) + 1
    labels = {}
    for key, node in graph.nodes.items():
        name = one_line(node.family) or "?"
        short = name if cell_len(name) <= _MAX_LABEL else fit(name, _MAX_LABEL)
        more = ""
        if node.task is None:
            more = f" {times}{len(node.tasks)}"
        elif counts[node.family] > 1:
            more = f" {key[:_HASH_DIGITS]}"
        labels[key] = short + more
    return labels
