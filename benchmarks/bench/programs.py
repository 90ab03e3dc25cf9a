"""The works: which graphs are built, how often each is looked at, and the goals that we set ourselves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.bench.peers import DEFAULT, OWN, TOOLS, Setting, Tool
from benchmarks.programs.graphs.shapes import LAYER, needs, path_of

__all__ = ["COMMANDS", "GRAPHS", "QUICK", "STARTS", "Graph", "phases_of", "smaller_than"]

COMMANDS = {"why": ("{bin}/superluigi", "why", "out/root.txt")}
"""Phase → our own command on what a graph's check left."""


@dataclass(frozen=True)
class Graph:
    """One graph to build in an empty directory, and what is measured there."""

    shape: str
    size: int
    title: str
    phases: tuple[str, ...] = ("cold", "check")
    workers: int = 1
    tools: tuple[str, ...] = ()
    """Their names; empty: every tool."""

    repeats: int | None = None
    """At most so often."""

    limit_s: float = 40
    """CPU seconds for a peer; we get ten times as long, so that a goal that is missed has a figure."""

    @property
    def name(self) -> str:
        """As on the command line and in the results."""
        workers = f"-{self.workers}-workers" if self.shape == "naps" else ""
        return f"{self.shape}-{self.size}{workers}"

    @property
    def tasks(self) -> int:
        """How many there are, the root included."""
        # Counted without making the graph, of which there may be 100,000 tasks.
        return {"diamond": self.size * LAYER + 1, "chain": self.size}.get(self.shape, self.size + 1)

    @property
    def edges(self) -> int:
        """How often one task needs another."""
        if self.shape == "diamond":
            return (self.size - 1) * LAYER**2 + LAYER
        return self.size - 1 if self.shape == "chain" else self.size

    def files(self) -> dict[str, str]:
        """Path → content of every file that stands when the graph is built."""
        return {path_of(name): name for name in needs(self.shape, self.size)}

    def arguments(self, setting: Setting) -> list[str]:
        """Of a tool's program."""
        more = ["--workers", str(self.workers)] if self.workers > 1 else []
        return [self.shape, str(self.size), "--setting", setting.name, *more]

    def limit_of(self, tool: Tool) -> float:
        """CPU seconds that a process of this tool may take."""
        return self.limit_s * (10 if tool is OWN else 1)

    def settings_of(self, tool: Tool) -> list[Setting]:
        """Those of a tool that are measured on this graph."""
        if (self.tools and tool.name not in self.tools) or (self.workers > 1 and not tool.parallel):
            return []
        return [
            setting
            for setting in tool.settings
            if (not setting.shapes or self.shape in setting.shapes)
            and (setting.cold or "check" in self.phases)
            and (setting.name == DEFAULT or self.shape != "naps")
        ]


_PARALLEL = tuple(tool.name for tool in TOOLS if tool.parallel)

GRAPHS = (
    Graph("wide", 1_000, "1,000 and a root that needs them", ("cold", "check", "why")),
    Graph("diamond", 10, "10 layers of 50, fully joined: 501 tasks, 22,550 edges"),
    Graph("chain", 2_000, "a chain of 2,000", ("cold",)),
    Graph("naps", 1_000, "1,000 of 10 ms, one worker", ("cold",), tools=_PARALLEL, repeats=2),
    Graph("naps", 1_000, "1,000 of 10 ms, two workers", ("cold",), 2, _PARALLEL, repeats=2),
    Graph("wide", 10_000, "10,000 and a root that needs them"),
    Graph("chain", 5_000, "a chain of 5,000", ("cold",)),
    Graph(
        "wide",
        100_000,
        "100,000 and a root that needs them",
        tools=(OWN.name,),
        repeats=1,
    ),
)
"""In the order in which they are built: of one shape, the smaller first."""

QUICK = ("wide-1000", "diamond-10")
"""The graphs of a quick look."""

STARTS = {
    "python alone": ("{bin}/python", "-c", "pass"),
    "import luigi": ("{bin}/python", "-c", "import luigi"),
    "import superluigi": ("{bin}/python", "-c", "import superluigi"),
    "import all of superluigi": (
        "{bin}/python",
        "-c",
        "import superluigi.tasks, superluigi.targets, superluigi.task_runner",
    ),
    "superluigi --help": ("{bin}/superluigi", "--help"),
}
"""Title → what is started, in our own environment, which has Luigi too."""


def phases_of(graph: Graph, tool: Tool, setting: Setting) -> Sequence[str]:
    """What is measured of a graph with a tool's setting."""
    if not setting.cold:
        return ("check",)
    own = tool is OWN and setting.name == DEFAULT
    return [phase for phase in graph.phases if own or phase not in COMMANDS]


def smaller_than(graph: Graph) -> list[Graph]:
    """The graphs that tell whether to try this one, in tasks and edges smaller: those of its shape, largest first."""

    def size(other: Graph) -> int:
        return other.tasks + other.edges

    smaller = [other for other in GRAPHS if size(other) < size(graph)]
    alike = [g for g in smaller if (g.shape, g.workers) == (graph.shape, graph.workers)]
    return sorted(alike, key=size, reverse=True) + [g for g in smaller if g not in alike]
