"""`PROFILE.md`: where our time goes, layer by layer, and how far that is from the least that it can be.

    python -m benchmarks.bench.profiling [repeats]

Builds some graphs of the table: bare, for the CPU seconds; under a clock that looks at what is being done, for the
shares; and a loop that writes the same files, sidecars and rows, for the floor.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.bench.measuring import measure
from benchmarks.bench.page import circumstances, seconds, table
from benchmarks.bench.peers import OWN, PROGRAMS, ROOT
from benchmarks.bench.programs import GRAPHS, STARTS, Graph
from benchmarks.bench.results import machine, now
from benchmarks.bench.sampling import LAYERS, OTHER, Samples

__all__ = ["PROFILED", "Profile", "page", "profiled"]

PROFILED = (
    ("wide-1000", "default"),
    ("diamond-10", "default"),
    ("diamond-10", "inputs"),
    ("chain-2000", "default"),
)
"""Graph and our setting."""

REPEATS = 3
FUNCTIONS = 15
BESIDE = "rows, a commit for each run"
"""A part of the floor that replaces another one rather than being added."""

_HERE = Path(sys.executable).parent
_SAMPLING = Path(__file__).with_name("sampling.py")

_IN_MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Where files are written: what a new file costs on a disk changes tenfold with what was removed before."""


@dataclass
class Profile:
    """One phase of one graph."""

    title: str
    cpu_s: list[float] = field(default_factory=list)
    samples: Samples = field(default_factory=Counter)
    floor: dict[str, float] = field(default_factory=dict)

    @property
    def measured_s(self) -> float:
        """CPU seconds without the clock."""
        return statistics.median(self.cpu_s)

    def layers(self) -> dict[str, float]:
        """Layer → its CPU seconds."""
        counts: Counter[str] = Counter()
        for (layer, _), count in self.samples.items():
            counts[layer] += count
        whole = max(1, counts.total())
        return {layer: self.measured_s * count / whole for layer, count in counts.items()}

    def functions(self) -> list[tuple[str, str, float]]:
        """Layer, function, share: those that take most, with what they call outside of any layer."""
        whole = max(1, self.samples.total())
        return [
            (layer, function, count / whole)
            for (layer, function), count in self.samples.most_common(FUNCTIONS)
        ]


def profiled(graph: Graph, setting: str, repeats: int) -> Iterator[Profile]:
    """Measure one graph, cold and checked."""
    program = str(PROGRAMS / "graphs" / f"with_{OWN.distribution}.py")
    words = [program, graph.shape, str(graph.size), "--setting", setting]
    inputs = ", with inputs" if setting == "inputs" else ""
    profiles = {phase: Profile(f"{phase}, {graph.name}{inputs}") for phase in ("cold", "check")}
    for _ in range(repeats):
        for sampled in (False, True):
            with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as name:
                directory = _empty(name)
                for phase, profile in profiles.items():
                    kept = directory / f"{phase}.json"
                    clock = [str(_SAMPLING), str(kept)] if sampled else []
                    usage = measure([sys.executable, *clock, *words], directory)
                    if usage.ended != "ok":
                        sys.exit(f"{profile.title}: {usage.ended} {usage.said}")
                    if sampled:
                        for layer, function, count in json.loads(kept.read_text()):
                            profile.samples[layer, function] += count
                    else:
                        profile.cpu_s.append(usage.cpu_s)
                        floor = _floor(directory, phase, setting)
                        profile.floor = _lower(profile.floor, floor)
    yield from profiles.values()


def _empty(name: str) -> Path:
    directory = Path(name)
    (directory / "superluigi.toml").touch()
    (directory / "out").mkdir()
    return directory


def _floor(built: Path, phase: str, setting: str) -> dict[str, float]:
    with tempfile.TemporaryDirectory(dir=_IN_MEMORY) as name:
        command = [sys.executable, str(PROGRAMS / "floor.py"), str(built), phase, setting]
        said = subprocess.run(command, cwd=name, check=True, stdout=subprocess.PIPE).stdout
    parts: dict[str, float] = json.loads(said)
    return parts


def _lower(one: dict[str, float], other: dict[str, float]) -> dict[str, float]:
    return {name: min(value, one.get(name, value)) for name, value in other.items()}


def page(profiles: list[Profile], start_s: float, load: float) -> str:
    """The page as Markdown.

    Args:
        profiles: What was measured.
        start_s: CPU seconds of `import luigi` in a process of its own, which no build can do without.
        load: How many processes wanted a processor meanwhile.
    """
    lines = [
        "# Where the time goes",
        "",
        *circumstances(machine(), "make bench-profile", now(), load),
        "",
        f"Files are written {'in memory' if _IN_MEMORY else 'to the disk'}. "
        "The *floor* is what a build cannot do without: starting Python and importing Luigi, and a bare loop that writes "
        "the same files, sidecars and rows (fifty runs to a commit; with inputs, a copy of each too), or, for a check, "
        "looks at each file once and reads the records.",
        "",
        "## Against the floor, in CPU seconds",
        "",
        *_floor_table(profiles, start_s),
        "",
        "## By layer",
        "",
        "The layer of the innermost function that belongs to one: what SQLite, json or the kernel do counts for who asked.",
        "",
        *_layer_table(profiles),
    ]
    for profile in profiles:
        head = ("function", "layer", "share")
        rows = [
            (f"`{name}`" if name else "", layer, f"{share:.1%}")
            for layer, name, share in profile.functions()
        ]
        lines += ["", f"## {profile.title}", "", *table(head, rows)]
    return "\n".join(lines) + "\n"


def _floor_table(profiles: list[Profile], start_s: float) -> Iterator[str]:
    rows = []
    for profile in profiles:
        parts = {"start": start_s} | profile.floor
        least = sum(value for name, value in parts.items() if name != BESIDE)
        told = ", ".join(f"{name} {value:.3f}" for name, value in parts.items() if name != BESIDE)
        beside = parts.get(BESIDE)
        told += f" ({BESIDE}: {beside:.3f})" if beside is not None else ""
        ratio = f"{profile.measured_s / least:.1f}"
        rows.append((profile.title, seconds(profile.measured_s), seconds(least), ratio, told))
    yield from table(("", "ours", "floor", "ratio", "the floor's parts"), rows)


def _layer_table(profiles: list[Profile]) -> Iterator[str]:
    found = [profile.layers() for profile in profiles]
    rows = [
        [layer, *(f"{layers.get(layer, 0):.2f}" for layers in found)]
        for layer in (*LAYERS, OTHER)
        if any(layers.get(layer, 0) >= 0.005 for layers in found)
    ]
    rows.append(["**all**", *(f"**{profile.measured_s:.2f}**" for profile in profiles)])
    yield from table(["", *(profile.title for profile in profiles)], rows)


def main() -> None:
    """Measure, and write the page."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else REPEATS
    command = OWN.filled(STARTS["import luigi"], _HERE, ())
    start_s = statistics.median(measure(command, ROOT).cpu_s for _ in range(5))
    profiles: list[Profile] = []
    loads: list[float] = []
    graphs = {graph.name: graph for graph in GRAPHS}
    for name, setting in PROFILED:
        for profile in profiled(graphs[name], setting, repeats):
            print(f"{profile.title}: {profile.measured_s:.2f} s", flush=True)
            profiles.append(profile)
            loads.append(os.getloadavg()[0])
    path = ROOT / "benchmarks" / "PROFILE.md"
    path.write_text(page(profiles, start_s, statistics.median(loads)))
    print(f"wrote {path.name}")


if __name__ == "__main__":
    main()
