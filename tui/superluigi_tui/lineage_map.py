"""A graph as a map of characters: layers from left to right, every node once, lines between them.

Source: Brandes, Köpf: Fast and Simple Horizontal Coordinate Assignment (2001): points that follow one
another are brought into one line where they do not cross others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

from superluigi_catalog.drawing.layers import Point, layers_of, ways_through
from superluigi_tui.gutter import DOWN, LEFT, RIGHT, UP, sign_of

__all__ = ["DrawnMap", "Spot", "draw_map"]

_MARGIN = 1
_ROW_HEIGHT = 2
_TRACK = 2
_ARROW = 3
"""The end of a line, its point and a blank."""

Edge = tuple[str, str]
"""(upstream, downstream)."""


class Spot(NamedTuple):
    """Where a node's label stands."""

    row: int
    column: int
    width: int


@dataclass(frozen=True)
class DrawnMap:
    """The lines of a map without the labels, and where those belong."""

    lines: Sequence[str]
    spots: Mapping[str, Spot]
    width: int


def draw_map(
    widths: Mapping[str, int], edges: Iterable[Edge], *, point: str, is_ascii: bool = False
) -> DrawnMap:
    """Draw a graph without cycles.

    Args:
        widths: Cells of each node's label.
        edges: Between these nodes.
        point: What stands at the end of a line.
    """
    edges = list(dict.fromkeys(edges))
    layers = layers_of(list(widths), edges)
    rows, ways = ways_through(layers, edges)
    heights = _heights(rows, _chains(rows, ways.values()))
    channels = _channels(rows, ways.values(), heights)
    fields = [max((widths.get(p.name, 0) for p in row), default=0) for row in rows]
    starts = [_MARGIN]
    for layer, channel in enumerate(channels):
        starts.append(starts[-1] + fields[layer] + channel.width)
    canvas = _Canvas()
    for layer, channel in enumerate(channels):
        _draw_channel(canvas, channel, layer, starts, fields, widths, heights)
    spots = {
        p.name: Spot(heights[p], starts[p.layer], widths[p.name])
        for row in rows
        for p in row
        if p.name in widths
    }
    width = starts[-1] + fields[-1] + _MARGIN if rows else 0
    height = max(heights.values(), default=-1) + 1
    return DrawnMap(canvas.lines(height, width, point, is_ascii), spots, width)


def _draw_channel(
    canvas: _Canvas,
    channel: _Channel,
    layer: int,
    starts: Sequence[int],
    fields: Sequence[int],
    widths: Mapping[str, int],
    heights: Mapping[Point, int],
) -> None:
    """Draw the lines from one layer to the next, and on through that where they lead further."""
    base = starts[layer] + fields[layer] + 1
    after = starts[layer + 1]
    for start, ends in channel.ways.items():
        stops = {}
        for end in ends:
            row = heights[end]
            stops[row] = after - 2 if end.name in widths else after + fields[layer + 1]
            if end.name in widths:
                canvas.points.add((row, after - 2))
        begin = starts[layer] + widths[start.name] + 1 if start.name in widths else base - 1
        canvas.net(heights[start], begin, base + _TRACK * channel.tracks.get(start, 0), stops)


# -- which points stand in one line ------------------------------------------------------------


def _chains(rows: Sequence[Sequence[Point]], ways: Iterable[Sequence[Point]]) -> dict[Point, Point]:
    """Give each point the first one of the chain that it continues."""
    before: dict[Point, list[Point]] = {}
    for way in ways:
        for one, other in pairwise(way):
            before.setdefault(other, []).append(one)
    chains = {point: point for row in rows for point in row}
    for layer, row in enumerate(rows[1:], start=1):
        places = {point: place for place, point in enumerate(rows[layer - 1])}
        last = -1
        for point in row:
            known = sorted(places[each] for each in before.get(point, ()) if each in places)
            middle = len(known) // 2
            # The middle one first, then those beside it: what is free and crosses no other line.
            for place in sorted(known, key=lambda each: abs(known.index(each) - middle)):
                if place > last:
                    chains[point] = chains[rows[layer - 1][place]]
                    last = place
                    break
    return chains


def _heights(rows: Sequence[Sequence[Point]], chains: Mapping[Point, Point]) -> dict[Point, int]:
    """Give each chain a line of its own, as near to the top as its order in all layers lets it."""
    spans: dict[Point, tuple[int, int]] = {}
    after: dict[Point, set[Point]] = {chain: set() for chain in chains.values()}
    for layer, row in enumerate(rows):
        for point in row:
            first, _ = spans.get(chains[point], (layer, layer))
            spans[chains[point]] = (first, layer)
        for one, other in pairwise(row):
            after[chains[one]].add(chains[other])
    waits = dict.fromkeys(after, 0)
    for others in after.values():
        for other in others:
            waits[other] += 1
    lowest = dict.fromkeys(after, 0)
    taken: dict[int, list[tuple[int, int]]] = {}
    heights: dict[Point, int] = {}
    ready = [chain for chain in after if not waits[chain]]
    for chain in ready:
        height = lowest[chain]
        while any(_are_near(spans[chain], other) for other in taken.get(height, ())):
            height += 1
        taken.setdefault(height, []).append(spans[chain])
        heights[chain] = height
        for other in after[chain]:
            lowest[other] = max(lowest[other], height + 1)
            waits[other] -= 1
            if not waits[other]:
                ready.append(other)
    return {point: _ROW_HEIGHT * heights[chain] for point, chain in chains.items()}


def _are_near(one: tuple[int, int], other: tuple[int, int]) -> bool:
    """Whether they share a layer, or are in neighbouring ones, where their lines could touch."""
    return one[0] <= other[1] + 1 and other[0] <= one[1] + 1


# -- the lines between two layers --------------------------------------------------------------


@dataclass(frozen=True)
class _Channel:
    ways: Mapping[Point, Sequence[Point]]
    tracks: Mapping[Point, int]
    """The column in which a point's line goes up or down; not of those that go straight on."""

    @property
    def width(self) -> int:
        count = max(self.tracks.values(), default=-1) + 1
        return 1 + max(1, count) * _TRACK + _ARROW - 1


def _channels(
    rows: Sequence[Sequence[Point]], ways: Iterable[Sequence[Point]], heights: Mapping[Point, int]
) -> list[_Channel]:
    found: list[dict[Point, dict[Point, None]]] = [{} for _ in rows[1:]]
    for way in ways:
        for one, other in pairwise(way):
            found[one.layer].setdefault(one, {})[other] = None
    return [
        _Channel({one: list(others) for one, others in each.items()}, _tracks(each, heights))
        for each in found
    ]


def _tracks(
    ways: Mapping[Point, Iterable[Point]], heights: Mapping[Point, int]
) -> dict[Point, int]:
    """Give lines that go up or down columns in which they do not touch others."""
    spans = {}
    for start, ends in ways.items():
        reached = [heights[start], *(heights[end] for end in ends)]
        if min(reached) != max(reached):
            spans[start] = (min(reached), max(reached))
    straight = {heights[start]: start for start in ways}
    tracks: dict[Point, int] = {}
    taken: list[list[tuple[int, int]]] = []
    for start in _from_left(ways, spans, straight, heights):
        # Right of the lines that go straight on where this one joins them.
        least = max(
            (
                tracks[other] + 1
                for end in ways[start]
                if (other := straight.get(heights[end])) in tracks and other != start
            ),
            default=0,
        )
        low, high = spans[start]
        while least < len(taken) and any(a <= high and low <= b for a, b in taken[least]):
            least += 1
        taken += [[] for _ in range(least + 1 - len(taken))]
        taken[least].append((low, high))
        tracks[start] = least
    return tracks


def _from_left(
    ways: Mapping[Point, Iterable[Point]],
    spans: Mapping[Point, tuple[int, int]],
    straight: Mapping[int, Point],
    heights: Mapping[Point, int],
) -> list[Point]:
    """Order lines so that each comes after those that it joins; where they join each other, by height."""
    pending = sorted(spans, key=lambda point: heights[point])
    ordered: list[Point] = []
    while pending:
        waiting = set(pending)
        free = (
            point
            for point in pending
            if not any(
                other in waiting and other != point
                for end in ways[point]
                if (other := straight.get(heights[end])) is not None
            )
        )
        point = next(free, pending[0])
        pending.remove(point)
        ordered.append(point)
    return ordered


class _Canvas:
    """Cells, each with the ways in which lines leave it."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], set[int]] = {}
        self.points: set[tuple[int, int]] = set()

    def across(self, row: int, begin: int, end: int) -> None:
        """Draw a level line over the cells from `begin` to before `end`."""
        for column in range(begin, end):
            self._add(row, column, LEFT | RIGHT)

    def net(self, row: int, begin: int, track: int, stops: Mapping[int, int]) -> None:
        """Draw the line of one start: level to its track, up and down there, level to every end.

        Args:
            stops: The column before which the line ends, by row.
        """
        reached = [row, *stops]
        low, high = min(reached), max(reached)
        if low == high:
            self.across(row, begin, stops[row])
            return
        self.across(row, begin, track)
        for height in range(low, high + 1):
            way = (UP if height > low else 0) | (DOWN if height < high else 0)
            way |= (LEFT if height == row else 0) | (RIGHT if height in stops else 0)
            self._add(height, track, way)
        for height, stop in stops.items():
            self.across(height, track + 1, stop)

    def lines(self, height: int, width: int, point: str, is_ascii: bool) -> list[str]:
        """Write it down."""
        rows = [[" "] * width for _ in range(height)]
        for (row, column), ways in self.cells.items():
            # Lines that only cross do not join: the level one passes below.
            crossing = ways == {LEFT | RIGHT, UP | DOWN}
            way = UP | DOWN if crossing else _joined(ways)
            rows[row][column] = sign_of(way, is_ascii=is_ascii)
        for row, column in self.points:
            rows[row][column] = point
        return ["".join(row).rstrip() for row in rows]

    def _add(self, row: int, column: int, way: int) -> None:
        self.cells.setdefault((row, column), set()).add(way)


def _joined(ways: Iterable[int]) -> int:
    joined = 0
    for way in ways:
        joined |= way
    return joined
