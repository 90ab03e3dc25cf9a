"""Our speed against plain Luigi's in one run: CPU seconds of whole processes, medians.

    python benchmarks/quick.py [repeats]

The machine's own noise is in every figure: compare the ratios. Luigi's check looks at the root alone; ours
looks at every target and compares every input.
"""

from __future__ import annotations

import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAMS = Path(__file__).parent / "programs"
TASKS = 1_000


def cpu_seconds(command: list[str], directory: Path) -> float:
    """User and system time of a process and its children."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, cwd=directory, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def wide(repeats: int) -> dict[str, list[float]]:
    """Cold and up-to-date builds of `TASKS` leaves and a root, the two tools in turn."""
    times: dict[str, list[float]] = {}
    for _ in range(repeats):
        for tool in ("luigi", "superluigi"):
            with tempfile.TemporaryDirectory() as name:
                directory = Path(name)
                (directory / "superluigi.toml").touch()
                (directory / "out").mkdir()
                program = [sys.executable, str(PROGRAMS / f"wide_{tool}.py"), str(TASKS)]
                cold = cpu_seconds([*program, str(TASKS + 1)], directory)
                check = cpu_seconds([*program, "0"], directory)
            times.setdefault(f"cold {tool}", []).append(cold)
            times.setdefault(f"check {tool}", []).append(check)
    return times


def starts(repeats: int) -> dict[str, list[float]]:
    """Imports and the command line's help."""
    commands = {
        "python alone": [sys.executable, "-c", "pass"],
        "import luigi": [sys.executable, "-c", "import luigi"],
        "import superluigi": [sys.executable, "-c", "import superluigi"],
        "import all of superluigi": [
            sys.executable,
            "-c",
            "import superluigi.tasks, superluigi.targets, superluigi.task_runner",
        ],
        "superluigi --help": [sys.executable, "-m", "superluigi", "--help"],
    }
    times: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(repeats):
        for name, command in commands.items():
            times[name].append(cpu_seconds(command, Path.cwd()))
    return times


def main() -> None:
    """Measure and print."""
    repeats = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    medians = {
        name: statistics.median(values)
        for name, values in (wide(repeats) | starts(max(repeats, 5))).items()
    }
    print(f"CPU seconds, whole process, median of {repeats}; {TASKS:,} leaves and a root\n")
    for name, value in medians.items():
        print(f"{name:<28}{value:8.3f}")
    print(
        f"\ncold, ratio to Luigi        {medians['cold superluigi'] / medians['cold luigi']:8.2f}"
    )
    ratio = medians["import superluigi"] / medians["import luigi"]
    print(f"import, ratio to Luigi      {ratio:8.2f}\n")
    subprocess.run([sys.executable, str(PROGRAMS / "chain_hash.py"), "100000"], check=True)


if __name__ == "__main__":
    main()
