"""`results.svg`: CPU seconds as bars on a logarithmic scale, drawn by hand."""

from __future__ import annotations

import math
from collections.abc import Iterator
from xml.sax.saxutils import escape

from benchmarks.bench.peers import OWN, TOOLS, Tool
from benchmarks.bench.results import Results
from benchmarks.bench.rows import PLOTTED, Row

__all__ = ["plotted"]

WIDTH = 860
LEFT = 120
RIGHT = 90
BAR = 14
GAP = 16
HEAD = 62
COLOURS = {True: "#d1495b", False: "#8d99ae"}
LEAST_S, MOST_S = 0.05, 100.0


def plotted(results: Results) -> str:
    """The picture, as SVG: one group of bars for each work, one bar for each tool, ours first."""
    groups = [(row, _tools_of(results, row)) for row in PLOTTED]
    groups = [(row, tools) for row, tools in groups if tools]
    height = HEAD + sum((len(tools) + 1) * BAR + GAP for _, tools in groups) + 10
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="11">',
        f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
        _text(
            10,
            20,
            "CPU seconds, each tool in its fastest setting that looks at every task; logarithmic",
            size=14,
        ),
        *_scale(height),
    ]
    top = HEAD
    for row, tools in groups:
        lines.append(_text(10, top + BAR - 3, row.title, weight="bold"))
        top += BAR
        for tool in tools:
            lines += _bar(results, row, tool, top)
            top += BAR
        top += GAP
    return "\n".join([*lines, "</svg>"]) + "\n"


def _tools_of(results: Results, row: Row) -> list[Tool]:
    return [tool for tool in TOOLS if row.cells(results, tool)]


def _place(value_s: float) -> float:
    """From the left, of a time."""
    share = math.log(max(value_s, LEAST_S) / LEAST_S) / math.log(MOST_S / LEAST_S)
    return LEFT + min(share, 1) * (WIDTH - LEFT - RIGHT)


def _scale(height: int) -> Iterator[str]:
    for value_s in (0.1, 1, 10, 100):
        x = f"{_place(value_s):.1f}"
        yield f'<line x1="{x}" x2="{x}" y1="{HEAD - 12}" y2="{height - 8}" stroke="#e3e3e3"/>'
        yield _text(_place(value_s), HEAD - 18, f"{value_s:g} s", anchor="middle")


def _bar(results: Results, row: Row, tool: Tool, top: int) -> Iterator[str]:
    yield _text(LEFT - 8, top + BAR - 4, tool.name, anchor="end")
    fastest = row.fastest(results, tool)
    if fastest is not None:
        setting, value_s = fastest
        width = _place(value_s) - LEFT
        yield (
            f'<rect x="{LEFT}" y="{top + 1}" width="{width:.1f}" height="{BAR - 2}" '
            f'fill="{COLOURS[tool is OWN]}"/>'
        )
        yield _text(
            _place(value_s) + 5,
            top + BAR - 4,
            (f"{value_s:.2g}" if value_s < 10 else f"{value_s:.0f}")
            + (" (the root alone)" if row.looks_at_root(setting) else ""),
        )
        return
    troubles = [cell.trouble for cell in row.cells(results, tool).values()]
    ended = {trouble.ended for trouble in troubles if trouble is not None}
    words = {"time": "stopped at the limit", "not tried": "not tried"}
    word = next((text for name, text in words.items() if name in ended), "fails")
    yield _text(LEFT + 4, top + BAR - 4, word, style="italic")


def _text(
    x: float,
    y: float,
    text: str,
    *,
    anchor: str = "start",
    size: int = 11,
    weight: str = "normal",
    style: str = "normal",
) -> str:
    return (
        f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="{size}" '
        f'font-weight="{weight}" font-style="{style}" fill="#222">{escape(text)}</text>'
    )
