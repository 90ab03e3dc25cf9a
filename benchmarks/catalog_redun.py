"""The catalog's answers beside those of redun's database: `python benchmarks/catalog_redun.py PYTHON [--width W]`.

PYTHON is one that has redun (`pip install redun` into an environment of its own). redun runs a graph of four
layers of tasks with three inputs each and is asked by its own functions (`programs/redun_lineage.py`); the
same graph is recorded here, run by run as a build does, and asked the same. Milliseconds are of CPU, the best
of several, in one run on one machine: compare the ratios. Only four layers: redun stores a call's arguments with
all the ways that lead to them. What it has no question for (differences, earlier days, what is stale, the history
of a path) is left out.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from catalog import KIND, REASON, best, content_of, hash_of, moment, run_id_of, uri_of
from superluigi_catalog import Catalog, InputEntry, OutputEntry, RunEntry, TaskEntry

PROGRAM = Path(__file__).parent / "programs" / "redun_lineage.py"
LAYERS = 4


def graph(width: int) -> dict[int, list[int]]:
    """What each task requires: the graph of `PROGRAM`, with the one task that reads the last layer."""
    needs = {
        number: [
            (number // width - 1) * width + (number % width + offset) % width
            for offset in (0, 1, 7)
            if number >= width
        ]
        for number in range(width * LAYERS)
    }
    return needs | {width * LAYERS: list(range(width * (LAYERS - 1), width * LAYERS))}


def record(catalog: Catalog, needs: dict[int, list[int]]) -> None:
    """As a build does: its tasks at once, then a transaction for the beginning and the end of each run."""
    catalog.record_tasks(
        TaskEntry(
            hash_of(task),
            "Step",
            "bench",
            {"number": str(task)},
            tuple((str(place), hash_of(each)) for place, each in enumerate(below)),
            (("", uri_of(task), KIND),),
        )
        for task, below in needs.items()
    )
    for task, below in needs.items():
        started = moment(task, 0)
        catalog.finish_run(
            RunEntry(
                run_id_of(task, 0),
                hash_of(task),
                "succeeded",
                started,
                started,
                1.0,
                reason=REASON,
                inputs=tuple(
                    InputEntry(
                        str(place),
                        uri_of(each),
                        KIND,
                        content_of(each, 0),
                        9,
                        task_hash=hash_of(each),
                        run_id=run_id_of(each, 0),
                    )
                    for place, each in enumerate(below)
                ),
                outputs=(OutputEntry("", uri_of(task), KIND, content_of(task, 0), 9),),
            )
        )


def questions(catalog: Catalog, width: int) -> dict[str, Callable[[], object]]:
    """The same as those of `PROGRAM`, by the same names."""
    last, middle = hash_of(width * LAYERS), width
    return {
        "one task by hash": lambda: catalog.task(hash_of(middle)),
        "one task by the beginning of its hash": lambda: catalog.task(hash_of(middle)[:12]),
        "everything upstream of the last task": lambda: [
            (task.task_hash, task.family) for task in catalog.upstream(last)
        ],
        "who made a content": lambda: catalog.makers(content_of(middle, 0)),
        "who read a content": lambda: catalog.who_read(content_of(middle, 0)),
        "the newest 50 runs": lambda: catalog.runs(limit=50),
    }


def asked_of_redun(python: str, directory: str, width: int) -> dict[str, Any]:
    """What `PROGRAM` prints."""
    command = [python, str(PROGRAM), directory, str(width), str(LAYERS)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def main() -> int:
    """Run both, print both."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("python", help="A Python that has redun.")
    parser.add_argument("--width", type=int, default=250, help="Tasks in each of the layers.")
    chosen = parser.parse_args()
    if subprocess.run(
        [chosen.python, "-c", "import redun"], check=False, capture_output=True
    ).returncode:
        print(f"Nothing was compared: {chosen.python} has no redun.", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as directory:
        theirs = asked_of_redun(chosen.python, directory, chosen.width)
        path = Path(directory, "catalog.db")
        with Catalog(path) as catalog:
            record(catalog, graph(chosen.width))
            times = {name: best(work) for name, work in questions(catalog, chosen.width).items()}
        size = path.stat().st_size
    print(f"{chosen.width * LAYERS + 1:,} tasks\n{'':<40}{'redun':>12}{'catalog':>12}{'ratio':>9}")
    for name, took in times.items():
        other = theirs["ms"][name]
        print(f"{name:<40}{other:9,.2f} ms{took:9,.2f} ms{other / took:8,.1f}x")
    other = theirs["bytes"]
    print(
        f"{'size of the file':<40}{other / 1e6:9,.1f} MB{size / 1e6:9,.1f} MB{other / size:8,.1f}x"
    )
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
