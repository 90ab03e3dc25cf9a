"""Lineage as an SVG picture, without any other program; data flows from left to right."""

from __future__ import annotations

import html
import unicodedata
from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from superluigi_catalog.drawing.label import STATUS_COLOURS, params_text, task_name
from superluigi_catalog.drawing.layers import Point, layers_of, ways_through
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage, LineageEdge
    from superluigi_catalog.results import Task

__all__ = ["draw"]

_CHARACTER = 7.3
_LINE = 16
_PADDING = 8
_GAP = 14
_PASSAGE = 10
"""Height that an edge takes where it passes a layer."""
_PORT = 13
"""Height that an edge takes where it ends."""
_BETWEEN = 90
"""From layer to layer: room for curves and for the names of places."""
_MAX_CHARACTERS = 44
_MAX_PLACE_CHARACTERS = 13


class _Box(NamedTuple):
    left: float
    top: float
    width: float
    height: float

    @property
    def middle(self) -> float:
        return self.top + self.height / 2


def draw(lineage: Lineage) -> str:
    """Draw the picture; see `Lineage.to_svg`."""
    tasks = {task.task_hash: task for task in (lineage.root, *lineage.tasks)}
    together: dict[tuple[str, str], list[LineageEdge]] = {}
    for edge in lineage.edges:
        together.setdefault((edge.upstream_hash, edge.task_hash), []).append(edge)
    rows, ways = ways_through(layers_of(list(tasks), together), together)
    boxes = _boxes(rows, tasks, Counter(downstream for _, downstream in together))
    ports = _ports(ways, boxes)
    width = max(box.left + box.width for box in boxes.values()) + _GAP
    height = max(box.top + box.height for box in boxes.values()) + _GAP
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}" font-family="monospace" font-size="12">',
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" '
        'markerHeight="7" orient="auto"><path d="M0 0 L8 4 L0 8 z" fill="#666"/></marker></defs>',
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="#ffffff"/>',
    ]
    for pair, edges in together.items():
        parts += _edge([boxes[point] for point in ways[pair][:-1]], ports[pair], edges)
    for point, box in boxes.items():
        if point.name in tasks:
            parts += _task(tasks[point.name], box, is_root=point.name == lineage.root.task_hash)
    return "\n".join([*parts, "</svg>"]) + "\n"


def _boxes(
    rows: list[list[Point]], tasks: Mapping[str, Task], inputs: Mapping[str, int]
) -> dict[Point, _Box]:
    """Give every point its box: the layers beside each other, each in the middle of the height."""
    sizes = {
        point: _size(tasks[point.name], inputs.get(point.name, 0))
        if point.name in tasks
        else (0.0, float(_PASSAGE))
        for row in rows
        for point in row
    }
    heights = [sum(sizes[point][1] + _GAP for point in row) for row in rows]
    boxes: dict[Point, _Box] = {}
    left = float(_GAP)
    for row, height in zip(rows, heights, strict=True):
        widest = max(sizes[point][0] for point in row)
        top = _GAP + (max(heights) - height) / 2
        for point in row:
            boxes[point] = _Box(left, top, widest, sizes[point][1])
            top += sizes[point][1] + _GAP
        left += widest + _BETWEEN
    return boxes


def _ports(
    ways: Mapping[tuple[str, str], list[Point]], boxes: Mapping[Point, _Box]
) -> dict[tuple[str, str], _Box]:
    """Say where each edge ends: beside the others, in the order in which they come."""
    ending: dict[Point, list[tuple[float, tuple[str, str]]]] = {}
    for pair, way in ways.items():
        ending.setdefault(way[-1], []).append((boxes[way[-2]].middle, pair))
    ports = {}
    for point, comers in ending.items():
        box = boxes[point]
        for number, (_, pair) in enumerate(sorted(comers)):
            share = box.height / len(comers)
            ports[pair] = _Box(box.left, box.top + number * share, 0, share)
    return ports


def _size(task: Task, inputs: int) -> tuple[float, float]:
    lines = _lines(task)
    height = max(len(lines) * _LINE, inputs * _PORT) + _PADDING
    return max(map(_cells, lines)) * _CHARACTER + 2 * _PADDING, height


def _cells(text: str) -> int:
    """Count the columns that a text takes; East Asian characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _lines(task: Task) -> list[str]:
    return [_cut(line, _MAX_CHARACTERS) for line in (task_name(task), params_text(task)) if line]


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else f"{text[: length - 1]}…"


def _task(task: Task, box: _Box, *, is_root: bool) -> Iterator[str]:
    told = f"{task_name(task)}  {task.status}\n{params_text(task)}\n{task.task_hash}"
    colour = STATUS_COLOURS[task.status]
    yield f"<g><title>{_escaped(told)}</title>"
    yield (
        f'<rect x="{box.left:.1f}" y="{box.top:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" rx="4" fill="{colour}" stroke="{"#111" if is_root else "#888"}" '
        f'stroke-width="{2 if is_root else 1}"/>'
    )
    for number, line in enumerate(_lines(task)):
        style = ' font-weight="bold"' if number == 0 else ' fill="#444"'
        at = box.top + _LINE * (number + 1)
        yield f'<text x="{box.left + _PADDING:.1f}" y="{at:.1f}"{style}>{_escaped(line)}</text>'
    yield "</g>"


def _edge(way: list[_Box], port: _Box, edges: list[LineageEdge]) -> Iterator[str]:
    """Draw one line for all places through which a task feeds another."""
    title = "\n".join(printable(_told(edge)) for edge in edges)
    dashes = ' stroke-dasharray="5 3"' if edges[0].kind == "consumed" else ""
    yield f"<g><title>{_escaped(title)}</title>"
    yield (
        f'<path d="{_curve([*way, port])}" fill="none" stroke="#666" marker-end="url(#arrow)"{dashes}/>'
    )
    places = ", ".join(printable(edge.place) for edge in edges if edge.place)
    if places:
        yield (
            f'<text x="{port.left - 12:.1f}" y="{port.middle - 2:.1f}" text-anchor="end" '
            f'font-size="10" fill="#444">{_escaped(_cut(places, _MAX_PLACE_CHARACTERS))}</text>'
        )
    yield "</g>"


def _curve(way: list[_Box]) -> str:
    commands = [f"M{way[0].left + way[0].width:.1f} {way[0].middle:.1f}"]
    for one, other in pairwise(way):
        start, end = one.left + one.width, other.left
        bend = (start + end) / 2
        commands.append(
            f"C{bend:.1f} {one.middle:.1f} {bend:.1f} {other.middle:.1f} {end:.1f} {other.middle:.1f}"
        )
        if other.width:
            commands.append(f"H{end + other.width:.1f}")
    return " ".join(commands)


def _told(edge: LineageEdge) -> str:
    through = f": {edge.uri} {edge.fingerprint}" if edge.uri else ""
    return f"{edge.place or '(the only input)'} {edge.kind}{through}"


def _escaped(text: str) -> str:
    return html.escape(text)
