"""A whole run, of one tool and one small graph, in the environment of the tests."""

import sys
from pathlib import Path

from benchmarks.bench.campaign import Campaign
from benchmarks.bench.environments import NotInstalled
from benchmarks.bench.peers import Tool, tool_named
from benchmarks.bench.programs import Graph
from benchmarks.bench.results import Results

HERE = Path(sys.executable).parent
LUIGI = tool_named("luigi")
SMALL = Graph("wide", 2, "2 and a root", ("cold",))
COLD = ("Luigi", "default", "wide-2", "cold")


def run(results: Results, repeats: int, minutes: float = 10) -> int:
    """How often Luigi built the graph, in all."""
    campaign = Campaign(
        results,
        [LUIGI],
        [SMALL],
        repeats,
        starts=False,
        minutes=minutes,
        installed=lambda _: HERE,
    )
    campaign.install()
    campaign.run()
    return len(results.cell(COLD).done)


def test_a_run_repeats_and_goes_on_where_it_stopped(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json")
    results.begin()
    assert run(results, 1) == 1
    assert results.versions["Luigi"].startswith("3.")
    assert results.ended_at is not None
    again = Results.load(results.path)
    again.ended_at = None
    assert run(again, 2, minutes=0) == 1
    assert run(again, 2) == 2


def test_what_was_measured_of_something_else_is_forgotten(tmp_path: Path) -> None:
    results = Results(tmp_path / "results.json")
    results.begin()
    run(results, 1)
    (before,) = results.cell(COLD).usages
    results.ended_at = None
    results.subjects["Luigi"] = "another version"
    run(results, 1)
    (after,) = results.cell(COLD).usages
    assert after != before
    assert results.subjects["Luigi"] != "another version"


def test_what_cannot_be_installed_is_left_out_and_told(tmp_path: Path) -> None:
    def refuse(_: Tool) -> Path:
        message = "no such distribution"
        raise NotInstalled(message)

    results = Results(tmp_path / "results.json")
    results.begin()
    campaign = Campaign(results, [LUIGI], [SMALL], 1, starts=True, installed=refuse)
    campaign.install()
    campaign.run()
    assert results.skipped == {"Luigi": "cannot be installed: no such distribution"}
    assert not results.cells
