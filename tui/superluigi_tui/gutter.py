"""A graph as rows: one task a line, what it hangs together with drawn at the left, as `git log --graph` does."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["DOWN", "LEFT", "RIGHT", "UP", "GutterRow", "gutter_rows", "sign_of"]

N = TypeVar("N", bound=Hashable)

LEFT, RIGHT, UP, DOWN = 1, 2, 4, 8
_SIGNS = {
    UP | DOWN: "│",
    LEFT | RIGHT: "─",
    UP | DOWN | RIGHT: "├",
    UP | DOWN | LEFT: "┤",
    LEFT | DOWN: "╮",
    RIGHT | DOWN: "╭",
    LEFT | UP: "╯",
    RIGHT | UP: "╰",
    LEFT | RIGHT | DOWN: "┬",
    LEFT | RIGHT | UP: "┴",
    LEFT | RIGHT | UP | DOWN: "┼",
}
_ASCII = {"│": "|", "─": "-"}


def sign_of(ways: int, *, is_ascii: bool = False) -> str:
    """The sign from which lines leave in some of four ways; a blank where there is none."""
    sign = _SIGNS.get(ways, " ")
    return _plain_text(sign) if is_ascii else sign


@dataclass(frozen=True)
class GutterRow(Generic[N]):
    """One line of the drawing."""

    before: str
    """What stands left of the node's sign; of a line without a node, all of it."""
    node: N | None
    after: str = ""
    """What stands right of the sign."""


def gutter_rows(
    roots: Iterable[N], below: Mapping[N, Sequence[N]], *, is_ascii: bool = False
) -> list[GutterRow[N]]:
    """Draw a graph without cycles.

    Args:
        roots: What is drawn first.
        below: What hangs from each node.

    Returns:
        Every node once, after all from which it hangs, with lines between where ways part or meet.
    """
    columns: list[N | None] = []
    rows: list[GutterRow[N]] = []
    for node in _ordered(list(roots), below):
        if node not in columns:
            _put(columns, node, 0)
        at = columns.index(node)
        before = "".join("│ " if each is not None else "  " for each in columns[:at])
        after = "".join(" │" if each is not None else "  " for each in columns[at + 1 :]).rstrip()
        rows.append(GutterRow(before, node, after))
        connector = _part_ways(columns, at, list(dict.fromkeys(below.get(node, ()))))
        if connector:
            rows.append(GutterRow(connector, None))
        while columns and columns[-1] is None:
            columns.pop()
    return [_plain(row) for row in rows] if is_ascii else rows


def _ordered(roots: list[N], below: Mapping[N, Sequence[N]]) -> Iterable[N]:
    """Every node after all from which it hangs; what hangs from a node comes soon after it."""
    waiting: dict[N, int] = {}
    reached = set(roots)
    pending = list(roots)
    while pending:
        for each in dict.fromkeys(below.get(pending.pop(), ())):
            waiting[each] = waiting.get(each, 0) + 1
            if each not in reached:
                reached.add(each)
                pending.append(each)
    stack = [root for root in reversed(roots) if not waiting.get(root)]
    while stack:
        node = stack.pop()
        yield node
        ready = []
        for each in dict.fromkeys(below.get(node, ())):
            waiting[each] -= 1
            if not waiting[each]:
                ready.append(each)
        stack += reversed(ready)


def _part_ways(columns: list[N | None], at: int, below: list[N]) -> str:
    """Give each node that hangs from the one at a column a column; draw the way there."""
    known = [columns.index(each) for each in below if each in columns]
    new = [each for each in below if each not in columns]
    columns[at] = new[0] if new else None
    opened = [_put(columns, each, at + 1) for each in new[1:]]
    if not known and not opened:
        return ""
    ways = [0] * len(columns)
    for column, node in enumerate(columns):
        if node is not None and column not in opened:
            ways[column] |= UP | DOWN
    if not new:
        ways[at] |= UP
    for column in opened:
        ways[column] |= DOWN
    targets = [*known, *opened]
    low, high = min(at, *targets), max(at, *targets)
    return _drawn(ways, low, high, {at, *targets})


def _drawn(ways: list[int], low: int, high: int, joined: set[int]) -> str:
    text = ""
    for column, way in enumerate(ways):
        if column in joined:
            way |= (LEFT if column > low else 0) | (RIGHT if column < high else 0)
        elif low < column < high and not way:
            way = LEFT | RIGHT
        text += _SIGNS.get(way, " ")
        text += "─" if low <= column < high else " "
    return text.rstrip()


def _put(columns: list[N | None], node: N, start: int) -> int:
    """Put a node into the first free column."""
    for column in range(start, len(columns)):
        if columns[column] is None:
            columns[column] = node
            return column
    columns.append(node)
    return len(columns) - 1


def _plain(row: GutterRow[N]) -> GutterRow[N]:
    return GutterRow(_plain_text(row.before), row.node, _plain_text(row.after))


def _plain_text(text: str) -> str:
    return "".join(_ASCII.get(sign, "+" if sign != " " else " ") for sign in text)
