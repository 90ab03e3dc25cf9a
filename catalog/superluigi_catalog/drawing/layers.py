"""Where the tasks of a drawing stand: in layers, every one after all that it was made from.

Source: Sugiyama, Tagawa, Toda: Methods for Visual Understanding of Hierarchical System Structures (1981):
layers by the longest way, edges over several layers through points between, order by the mean of neighbours.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

__all__ = ["Point", "layers_of", "ways_through"]

_SWEEPS = 6


class Point(NamedTuple):
    """A task, or where an edge passes through a layer."""

    layer: int
    name: str
    """The task's; of an edge, a name that no task has."""


Edge = tuple[str, str]
"""(upstream, downstream)."""


def layers_of(names: Sequence[str], edges: Iterable[Edge]) -> dict[str, int]:
    """Number the layers: 0 for what was made from nothing that is shown.

    Returns:
        The layer of each name. What lies in a cycle stands as far as the rest of the graph says.
    """
    after: dict[str, list[str]] = {name: [] for name in names}
    waits = dict.fromkeys(names, 0)
    for upstream, downstream in edges:
        after[upstream].append(downstream)
        waits[downstream] += 1
    layers = dict.fromkeys(names, 0)
    ready = [name for name in names if not waits[name]]
    for name in ready:
        for downstream in after[name]:
            layers[downstream] = max(layers[downstream], layers[name] + 1)
            waits[downstream] -= 1
            if not waits[downstream]:
                ready.append(downstream)
    return layers


def ways_through(
    layers: Mapping[str, int], edges: Iterable[Edge]
) -> tuple[list[list[Point]], dict[Edge, list[Point]]]:
    """Put every layer into an order in which few edges cross.

    Returns:
        The points of each layer in their order; and for each edge the points that it runs through.
    """
    rows: list[list[Point]] = [[] for _ in range(max(layers.values(), default=-1) + 1)]
    for name, layer in layers.items():
        rows[layer].append(Point(layer, name))
    ways: dict[Edge, list[Point]] = {}
    near: dict[Point, list[Point]] = {}
    for upstream, downstream in dict.fromkeys(edges):
        first, last = layers[upstream], layers[downstream]
        step = 1 if first <= last else -1
        between = [Point(at, f"{upstream} {downstream}") for at in range(first + step, last, step)]
        for point in between:
            rows[point.layer].append(point)
        way = [Point(first, upstream), *between, Point(last, downstream)]
        ways[(upstream, downstream)] = way
        for one, other in pairwise(way):
            near.setdefault(one, []).append(other)
            near.setdefault(other, []).append(one)
    for sweep in range(_SWEEPS):
        _sweep(rows, near, forth=sweep % 2 == 0)
    return rows, ways


def _sweep(rows: list[list[Point]], near: Mapping[Point, list[Point]], *, forth: bool) -> None:
    """Sort each layer by the mean place of its neighbours in the layer before, or after."""
    step = 1 if forth else -1
    order = range(len(rows)) if forth else range(len(rows) - 1, -1, -1)
    places = {point: place for row in rows for place, point in enumerate(row)}
    for number in order:
        row = rows[number]
        means = {}
        for point in row:
            ahead = [places[each] for each in near.get(point, ()) if each.layer == number - step]
            means[point] = sum(ahead) / len(ahead) if ahead else places[point]
        row.sort(key=means.__getitem__)
        places.update({point: place for place, point in enumerate(row)})
