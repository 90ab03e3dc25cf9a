"""`make bench`: measure what lacks, keep it in `results.json`, write `RESULTS.md` and its plots."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from benchmarks.bench.campaign import Campaign
from benchmarks.bench.environments import ENVIRONMENTS
from benchmarks.bench.page import write_page
from benchmarks.bench.peers import OWN, ROOT, TOOLS, tool_named
from benchmarks.bench.programs import GRAPHS, QUICK, Graph
from benchmarks.bench.results import STARTS_KEY, Results

REPEATS = 3
MINUTES = 16


def selected(works: list[str]) -> list[Graph]:
    """The graphs of these names, or whose names begin so; all when no work is named."""
    names = {graph.name for graph in GRAPHS}
    return [
        graph
        for graph in GRAPHS
        if not works
        or any(
            graph.name == work if work in names else graph.name.startswith(work) for work in works
        )
    ]


def arguments(words: list[str] | None = None) -> argparse.Namespace:
    """Of the command line."""
    names = ", ".join([graph.name for graph in GRAPHS] + [STARTS_KEY])
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.bench",
        description="Super Luigi and its peers on the same graphs. A run that was interrupted goes on where "
        "it stopped; after one that ended, a new one begins, or only what is selected is measured again.",
    )
    parser.add_argument(
        "--tool", action="append", default=[], help="only this one; may be given again"
    )
    parser.add_argument(
        "--work",
        action="append",
        default=[],
        help=f"only these graphs (the beginning of a name): {names}",
    )
    parser.add_argument("--repeats", type=int, default=REPEATS, help="at most so often each")
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, help="after so many, nothing is repeated any more"
    )
    parser.add_argument("--quick", action="store_true", help=f"{' and '.join(QUICK)}, once")
    parser.add_argument("--fresh", action="store_true", help="forget an interrupted run")
    parser.add_argument("--page", action="store_true", help="measure nothing: make the page anew")
    parser.add_argument(
        "--results",
        type=Path,
        help="where they are kept, the page beside them (benchmarks/results.json)",
    )
    asked = parser.parse_args(words)
    try:
        asked.tools = [tool_named(name) for name in asked.tool] or list(TOOLS)
    except ValueError as error:
        parser.error(str(error))
    asked.graphs = [
        graph for graph in selected(asked.work) if not asked.quick or graph.name in QUICK
    ]
    if asked.results is None:
        # A quick look leaves the whole run's results alone.
        folder = ENVIRONMENTS / "quick" if asked.quick else ROOT / "benchmarks"
        folder.mkdir(parents=True, exist_ok=True)
        asked.results = folder / "results.json"
    asked.starts = OWN in asked.tools and (not asked.work or STARTS_KEY in asked.work)
    for work in asked.work:
        if work != STARTS_KEY and not selected([work]):
            parser.error(f"no work begins with {work!r}: there are {names}")
    if asked.repeats < 1:
        parser.error("--repeats: at least once")
    return asked


def prepared(asked: argparse.Namespace) -> Results:
    """The run to go on with: the interrupted one, the selected part of the last one, or a new one."""
    results = Results(asked.results) if asked.fresh else Results.load(asked.results)
    partly = bool(asked.tool or asked.work or asked.quick)
    if asked.fresh or not results.cells or (results.ended_at and not partly):
        results.begin()
    elif results.ended_at:
        tools = {tool.name for tool in asked.tools}
        graphs = {graph.name for graph in asked.graphs} | ({STARTS_KEY} if asked.starts else set())
        results.drop([key for key in results.cells if key[0] in tools and key[2] in graphs])
    else:
        print(f"going on with the run of {results.started_at} (--fresh forgets it)")
    return results


def measured(asked: argparse.Namespace) -> None:
    """Measure what lacks."""
    results = prepared(asked)
    campaign = Campaign(
        results,
        asked.tools,
        asked.graphs,
        1 if asked.quick else asked.repeats,
        starts=asked.starts,
        minutes=asked.minutes,
    )
    campaign.install()
    print(f"about {campaign.estimate()} min on an idle machine; kept in {asked.results.name}")
    try:
        campaign.run()
    except KeyboardInterrupt:
        sys.exit("\ninterrupted: the same command goes on from here")


def main() -> None:
    """Measure, and write the page."""
    # However it is stopped, what is being measured is stopped too.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    asked = arguments()
    try:
        if not asked.page:
            measured(asked)
        results = Results.load(asked.results)
    except ValueError as error:
        sys.exit(str(error))
    if not results.cells:
        sys.exit(f"nothing is kept in {asked.results}")
    for path in write_page(results, asked.results.parent):
        print(f"wrote {path}")


if __name__ == "__main__":
    main()
