"""The table's rows: which measurement stands in which line, and what we want of ourselves there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.bench.peers import DEFAULT, OWN, TOOLS, Setting, Tool
from benchmarks.bench.results import STARTS_KEY, Cell, Key, Results

__all__ = ["MEMORY_ROWS", "NAPS", "PLOTTED", "ROWS", "START_ROWS", "Goal", "Row", "goals"]


@dataclass(frozen=True)
class Row:
    """One line of the table of CPU seconds."""

    title: str
    graph: str
    phase: str
    goal_s: float | None = None
    own: str = DEFAULT
    """Our setting."""

    peers: tuple[str, ...] | None = None
    """The settings of others; None: all that were measured, the default one first."""

    beside: tuple[str, ...] | None = None
    """The tools beside ours; None: all."""

    def keys(self, tool: Tool) -> list[Key]:
        """Where a tool's measurements are."""
        names: Sequence[str]
        if tool is not OWN and self.beside is not None and tool.name not in self.beside:
            return []
        if tool is OWN:
            names = [self.own]
        elif self.peers is not None:
            names = self.peers
        else:
            names = [setting.name for setting in tool.settings]
        return [(tool.name, name, self.graph, self.phase) for name in names]

    def cells(self, results: Results, tool: Tool) -> dict[Setting, Cell]:
        """What was measured of a tool, setting by setting."""
        settings = {setting.name: setting for setting in tool.settings}
        return {
            settings[key[1]]: results.cells[key] for key in self.keys(tool) if key in results.cells
        }

    def first(self, results: Results, tool: Tool) -> Cell:
        """What was measured of the setting that comes first; empty if nothing was."""
        return next(iter(self.cells(results, tool).values()), Cell())

    def own_median(self, results: Results, what: str = "cpu_s") -> float | None:
        """Our own figure."""
        return results.cell(self.keys(OWN)[0]).median(what)

    def looks_at_root(self, setting: Setting) -> bool:
        """Whether a figure of this row is for a look at the root alone."""
        return self.phase == "check" and not setting.whole

    def fastest(self, results: Results, tool: Tool) -> tuple[Setting, float] | None:
        """The setting that needs least CPU seconds: of those that look at every task, if any does."""
        medians = {
            setting: median
            for setting, cell in self.cells(results, tool).items()
            if (median := cell.median("cpu_s")) is not None
        }
        if not medians:
            return None
        return min(medians.items(), key=lambda item: (self.looks_at_root(item[0]), item[1]))


COLD = Row("cold, 1,000 and a root", "wide-1000", "cold", 1.2)
CHECK = Row("check, 1,000 and a root", "wide-1000", "check", 0.35)
DIAMOND = Row("cold, diamond of 10 layers of 50 fully joined", "diamond-10", "cold", 1.5)
DIAMOND_CHECK = Row("check, the same diamond", "diamond-10", "check", 0.4)
CHAIN = Row("cold, chain of 2,000", "chain-2000", "cold", 2.1)
COLD_10K = Row("cold, 10,000 and a root", "wide-10000", "cold", 10)
CHECK_10K = Row("check, 10,000 and a root", "wide-10000", "check", 1.5)
COLD_100K = Row("cold, 100,000 and a root", "wide-100000", "cold", 150)

ROWS = (
    COLD,
    CHECK,
    Row(
        'only whether the root exists, of 1,000 (ours: `rerun_on={"missing"}`)',
        "wide-1000",
        "check",
        0.2,
        "missing",
        (DEFAULT,),
        ("Luigi", "law", "gokart"),
    ),
    DIAMOND,
    DIAMOND_CHECK,
    Row(
        "cold, the same diamond, each task asks for its 50 inputs",
        "diamond-10",
        "cold",
        4,
        "inputs",
        (),
    ),
    Row("check, the same diamond with inputs", "diamond-10", "check", None, "inputs", beside=()),
    CHAIN,
    Row("cold, chain of 5,000", "chain-5000", "cold", 6),
    COLD_10K,
    CHECK_10K,
    COLD_100K,
    Row("check, 100,000 and a root", "wide-100000", "check"),
)

PLOTTED = (COLD, CHECK, DIAMOND, DIAMOND_CHECK, CHAIN, COLD_10K, CHECK_10K)
MEMORY_ROWS = (COLD, CHECK, DIAMOND, COLD_10K, CHECK_10K, COLD_100K)

START_ROWS = (
    Row("Python alone", STARTS_KEY, "python alone"),
    Row("`import luigi`", STARTS_KEY, "import luigi"),
    Row("`import superluigi`", STARTS_KEY, "import superluigi"),
    Row("`import` of all that a build needs", STARTS_KEY, "import all of superluigi"),
    Row("`superluigi --help`", STARTS_KEY, "superluigi --help"),
    Row("`superluigi why out/root.txt`, 1,001 tasks", "wide-1000", "why", 0.4),
)

NAPS = tuple(Row("", f"naps-1000-{workers}-workers", "cold") for workers in (1, 2))
"""The same tasks of 10 ms with one worker and with two."""


@dataclass(frozen=True)
class Goal:
    """What we want of one figure, and what it is."""

    title: str
    goal: str
    measured: float | None
    unit: str
    met: bool | None
    """None: not measured."""


def goals(results: Results) -> list[Goal]:
    """All of them, in the order of the table."""
    found = [
        _at_most(row.title, row.goal_s, row.own_median(results), " s")
        for row in (*ROWS, *START_ROWS)
        if row.goal_s is not None
    ]
    luigi = next(tool for tool in TOOLS if tool.name == "Luigi")
    more = _ratio(START_ROWS[2].own_median(results), START_ROWS[1].own_median(results))
    found.append(_at_most("`import superluigi`, in `import luigi`s", 1.2, more, ""))
    gained = _ratio(*(row.own_median(results, "wall_s") for row in NAPS))
    met = None if gained is None else gained >= 1.7
    found.append(Goal("two workers for one, 1,000 tasks of 10 ms, wall", "≥ 1.7", gained, "", met))
    whole = COLD_100K.own_median(results, "peak_mb")
    found.append(_at_most("peak memory, 100,000 and a root", 1200, whole, " MB"))
    ours, theirs = (COLD.first(results, tool).median("peak_mb") for tool in (OWN, luigi))
    above = None if ours is None or theirs is None else ours - theirs
    found.append(_at_most("peak memory above Luigi's, 1,000 and a root", 15, above, " MB"))
    return found


def _at_most(title: str, goal: float, measured: float | None, unit: str) -> Goal:
    met = None if measured is None else measured <= goal
    return Goal(title, f"≤ {goal:,g}{unit}", measured, unit, met)


def _ratio(above: float | None, below: float | None) -> float | None:
    return above / below if above is not None and below else None
