"""`RESULTS.md`, from what is kept of a run."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.bench.measuring import MEMORY_BYTES, PATIENCE, Usage
from benchmarks.bench.peers import DEFAULT, OWN, TOOLS, Tool
from benchmarks.bench.plot import plotted
from benchmarks.bench.programs import GRAPHS
from benchmarks.bench.results import Cell, Results
from benchmarks.bench.rows import CHECK, CHECK_10K, MEMORY_ROWS, NAPS, ROWS, START_ROWS, Row, goals

__all__ = ["cell_text", "circumstances", "page", "seconds", "table", "write_page"]

ROOT_ONLY = "°"
"""Marks the figure of a check that does not look at the whole graph."""

INTRODUCTION = """\
Every tool builds the same graphs and writes the same files: one small file for each task, whose content is compared
afterwards. *Cold* builds everything in an empty directory; *check* is the same command once more, in a new process, when
nothing is to be done (that nothing ran again is looked at, too). Super Luigi's times include what the others do not write:
a sidecar beside each file and the rows of its catalog, code and environment of each run among them.

Each figure is the median over fresh processes, of CPU seconds (user and system) of a process and its children, from the
start of the interpreter. The programs are in `programs/graphs/`, the tools' command lines and settings in `bench/peers.py`.\
"""


def write_page(results: Results, directory: Path) -> list[Path]:
    """Write the page and its plot into a directory; returns their paths."""
    written = [directory / "RESULTS.md", directory / "results.svg"]
    for path, text in zip(written, (page(results), plotted(results)), strict=True):
        path.write_text(text)
    return written


def page(results: Results) -> str:
    """The whole page as Markdown."""
    tools = [tool for tool in TOOLS if any(key[0] == tool.name for key in results.cells)]
    sections = [
        [
            "# Super Luigi and its peers on the same graphs",
            "",
            *_heading(results),
            "",
            INTRODUCTION,
        ],
        ["![CPU seconds of each tool](results.svg)"],
        ["## CPU seconds", "", *_seconds_table(results, tools), "", *_notes(results)],
        ["## Ratios", "", *_ratios(results)],
        ["## Goals", "", *_goals_table(results)],
        [
            "## Two workers",
            "",
            "Wall seconds, in brackets CPU seconds:",
            "",
            *_naps(results, tools),
        ],
        [
            "## Memory",
            "",
            "Megabytes at the peak of the largest process:",
            "",
            *_memory(results, tools),
        ],
        ["## Starting", "", *_starts(results)],
        ["## What the tools were told, and what their checks look at", "", *_settings(tools)],
    ]
    if trouble := list(_trouble(results)):
        sections.append(["## What has no figure", "", *table(("work", "tool", "why"), trouble)])
    return "\n\n".join("\n".join(section) for section in sections) + "\n"


def seconds(value: float) -> str:
    """Three digits where they say something."""
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def cell_text(cell: Cell, limit_s: float, what: str = "cpu_s") -> str:
    """A median, or in a word why there is none."""
    value = cell.median(what)
    if value is not None:
        return seconds(value) if what != "peak_mb" else f"{value:,.0f}"
    if cell.trouble is None or cell.trouble.ended == "not tried":
        return "-"
    if cell.trouble.ended != "time":
        return "fails"
    return f"> {cell.trouble.cpu_s or limit_s:.0f}" if what != "peak_mb" else "-"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterator[str]:
    """The lines of a Markdown table."""
    head = list(head)
    yield f"| {' | '.join(head)} |"
    yield "|---" * len(head) + "|"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def circumstances(facts: dict[str, Any], command: str, when: str, load: float) -> list[str]:
    """Where and when, and whether the machine had other work: the lines below a page's title.

    Args:
        facts: What `machine` said.
        command: What makes the page.
        when: From when to when.
        load: How many processes wanted a processor.
    """
    lines = [
        f"Made by `{command}`, {when}: {facts.get('processors')} processors, {facts.get('processor')}, "
        f"{facts.get('system')}, Python {facts.get('python')}; "
        f"Super Luigi at commit {facts.get('commit', 'unknown')}.",
    ]
    if load > 1.5 * (facts.get("processors") or 1):
        lines.append(
            f"**Other work ran on the machine meanwhile** (load {load:.1f}): "
            "compare the figures with each other, not with another run's."
        )
    return lines


def _heading(results: Results) -> list[str]:
    load = statistics.median(results.loads) if results.loads else 0
    end = f" to {results.ended_at}" if results.ended_at else ", not yet at its end"
    when = f"{results.started_at}{end}"
    skipped = [f"{name} is left out: {why}." for name, why in results.skipped.items()]
    return [*circumstances(results.machine, "make bench", when, load), *skipped]


def _limit(row: Row, tool: Tool) -> float:
    found = [graph.limit_of(tool) for graph in GRAPHS if graph.name == row.graph]
    return found[0] if found else 0


def _texts(results: Results, row: Row, tool: Tool, what: str = "cpu_s") -> str:
    """The default setting's, and in brackets the other one's."""
    texts: list[str] = []
    for setting, cell in row.cells(results, tool).items():
        mark = ROOT_ONLY if row.looks_at_root(setting) and what == "cpu_s" else ""
        text = cell_text(cell, _limit(row, tool), what) + mark
        texts.append(text if not texts and setting is tool.settings[0] else f"[{text}]")
    # Of ourselves a row tells of one setting only.
    return " ".join(texts) if tool is not OWN else "".join(texts).strip("[]")


def _seconds_table(results: Results, tools: list[Tool]) -> Iterator[str]:
    head = ["", *(f"{tool.name} {results.versions.get(tool.name, '')}" for tool in tools), "goal"]
    rows = []
    for row in ROWS:
        texts = [_texts(results, row, tool) for tool in tools]
        if tools and tools[0] is OWN and texts[0]:
            texts[0] = f"**{texts[0]}**"
        goal = f"≤ {row.goal_s:g}" if row.goal_s is not None else ""
        if any(texts):
            rows.append([row.title, *texts, goal])
    yield from table(head, rows)


def _ratios(results: Results) -> Iterator[str]:
    """Ours by others', each in the fastest setting that looks at as much as the row asks for."""
    rows = []
    for row in ROWS:
        ours = row.own_median(results)
        medians = {
            tool.name: found[1]
            for tool in TOOLS
            if tool is not OWN and (found := row.fastest(results, tool)) is not None
        }
        if ours is None or not medians:
            continue
        fastest = min(medians, key=lambda name: medians[name])
        luigi = f"{ours / medians['Luigi']:.2f}" if "Luigi" in medians else ""
        rows.append([row.title, luigi, f"{ours / medians[fastest]:.2f} ({fastest})"])
    yield from table(("ours, divided by", "Luigi's", "the fastest peer's"), rows)


def _notes(results: Results) -> list[str]:
    limits = sorted({graph.limit_s for graph in GRAPHS})
    counts = sorted({len(cell.usages) for cell in results.cells.values() if cell.done})
    times = f"{counts[0]} to {counts[-1]}" if len(counts) > 1 else "".join(map(str, counts))
    return [
        f"{ROOT_ONLY}: looks at the root alone. In brackets: with the other setting of the table below, which is the fastest "
        "honest one that we found, or for the check of Luigi and law the one that looks at every task. Empty: not measured. -: not tried, for the reason below.",
        f"`>`: stopped at the limit of {limits[0]:.0f} CPU seconds (or {PATIENCE} times as many on the clock); a process gets "
        f"{MEMORY_BYTES >> 30} GiB of address space. Measured {times} times each, the slow ones less often.",
    ]


def _goals_table(results: Results) -> Iterator[str]:
    words = {True: "met", False: "**missed**", None: "not measured"}
    rows = []
    for goal in goals(results):
        figure = "" if goal.measured is None else f"{seconds(goal.measured)}{goal.unit}"
        rows.append([goal.title, goal.goal, figure, words[goal.met]])
    yield from table(("", "goal", "measured", ""), rows)


def _naps(results: Results, tools: list[Tool]) -> Iterator[str]:
    rows = []
    for tool in tools:
        cells = [row.first(results, tool) for row in NAPS]
        if not any(cell.usages for cell in cells):
            continue
        texts, walls = [], []
        for row, cell in zip(NAPS, cells, strict=True):
            walls.append(cell.median("wall_s"))
            limit = _limit(row, tool)
            texts.append(f"{cell_text(cell, limit, 'wall_s')} [{cell_text(cell, limit)}]")
        gained = f"{walls[0] / walls[1]:.2f}" if walls[0] and walls[1] else ""
        rows.append([tool.name, *texts, gained])
    yield from table(("1,000 tasks of 10 ms", "one worker", "two workers", "gained"), rows)


def _memory(results: Results, tools: list[Tool]) -> Iterator[str]:
    rows = [
        [row.title, *(_texts(results, row, tool, "peak_mb") for tool in tools)]
        for row in MEMORY_ROWS
    ]
    yield from table(["", *(tool.name for tool in tools)], rows)
    for tool in tools:
        small, large = (row.first(results, tool).median("peak_mb") for row in (CHECK, CHECK_10K))
        if small and large:
            yield ""
            yield f"{tool.name}: {(large - small) / 9:.1f} MB for each further 1,000 tasks in a check."


def _starts(results: Results) -> Iterator[str]:
    rows = []
    for row in START_ROWS:
        cell = results.cell(row.keys(OWN)[0])
        texts = [cell_text(cell, 0, what) for what in ("cpu_s", "wall_s")]
        rows.append([row.title, *texts, f"≤ {row.goal_s:g}" if row.goal_s else ""])
    yield from table(("", "CPU s", "wall s", "goal"), rows)


def _settings(tools: list[Tool]) -> Iterator[str]:
    rows = [
        [
            tool.name,
            "default" if setting.name == DEFAULT else setting.says,
            setting.looks_at,
        ]
        for tool in tools
        for setting in tool.settings
    ]
    yield from table(("tool", "setting", "its check looks at"), rows)


def _trouble(results: Results) -> Iterator[list[str]]:
    words = {"time": "over the limit", "not tried": "not tried", "wrong": "did not do its work"}
    titles = {graph.name: graph.title for graph in GRAPHS}
    for (tool, setting, graph, phase), cell in results.cells.items():
        trouble: Usage | None = cell.trouble
        if trouble is None:
            continue
        name = tool if setting == DEFAULT else f"{tool}, `{setting}`"
        why = words.get(trouble.ended, "fails")
        said = trouble.said.replace("|", "\\|").replace("`", "'")
        told = f"{why}: {said}" if said else why
        yield [f"{phase}, {titles.get(graph, graph)}", name, told]
