"""Our speed against plain Luigi's in one run: CPU seconds of whole processes, medians.

    python -m benchmarks.quick [repeats]

The machine's own noise is in every figure: compare the ratios. Luigi's check looks at the root alone; ours
looks at every target and compares every input. `make bench` has the other tools and the larger graphs.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.bench.building import built
from benchmarks.bench.measuring import measure
from benchmarks.bench.peers import DEFAULT, OWN, PROGRAMS, ROOT, tool_named
from benchmarks.bench.programs import GRAPHS, QUICK, STARTS
from benchmarks.bench.results import Cell

HERE = Path(sys.executable).parent
"""Luigi stands in our own environment."""


def graphs(repeats: int) -> dict[str, Cell]:
    """Cold and up-to-date builds, the two tools in turn."""
    cells: dict[str, Cell] = {}
    for _ in range(repeats):
        for graph in GRAPHS:
            for tool in (tool_named("luigi"), OWN) if graph.name in QUICK else ():
                setting = tool.settings[0]
                for name, phase, usage in built(tool, HERE, graph, setting):
                    if name != DEFAULT:
                        continue
                    if usage.ended != "ok":
                        sys.exit(f"{graph.name} with {tool.name}: {usage.ended} {usage.said}")
                    title = f"{graph.name} {phase} {tool.name}"
                    cells.setdefault(title, Cell()).usages.append(usage)
    return cells


def starts(repeats: int) -> dict[str, Cell]:
    """Imports and the command line's help."""
    cells = {name: Cell() for name in STARTS}
    for _ in range(repeats):
        for name, command in STARTS.items():
            cells[name].usages.append(measure(OWN.filled(command, HERE, ()), ROOT))
    return cells


def main() -> None:
    """Measure and print."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    cells = graphs(repeats) | starts(max(repeats, 5))
    medians = {name: cell.median("cpu_s") or 0.0 for name, cell in cells.items()}
    print(f"CPU seconds, whole process, median of {repeats}\n")
    for name, value in medians.items():
        print(f"{name:<34}{value:8.3f}")
    print("\nratio to Luigi")
    for name, value in medians.items():
        luigi = medians.get(name.replace("Super Luigi", "Luigi"))
        if "Super Luigi" in name and luigi:
            print(f"{name.removesuffix(' Super Luigi'):<34}{value / luigi:8.2f}")
    print(f"{'import':<34}{medians['import superluigi'] / medians['import luigi']:8.2f}\n")
    subprocess.run([sys.executable, str(PROGRAMS / "chain_hash.py"), "100000"], check=True)


if __name__ == "__main__":
    main()
