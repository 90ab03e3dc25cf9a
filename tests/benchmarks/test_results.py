"""What is kept of a run, and how a run goes on."""

from pathlib import Path

import pytest

from benchmarks.bench.__main__ import arguments, prepared, selected
from benchmarks.bench.campaign import Campaign, Part
from benchmarks.bench.measuring import Usage
from benchmarks.bench.peers import tool_named
from benchmarks.bench.programs import GRAPHS
from benchmarks.bench.results import Results

COLD = ("Luigi", "default", "wide-1000", "cold")
CHECK = ("Luigi", "default", "wide-1000", "check")
BUILT = {graph.name: graph for graph in GRAPHS}


def usage(cpu_s: float, ended: str = "ok") -> Usage:
    return Usage(cpu_s, 2 * cpu_s, 40.0, ended, "" if ended == "ok" else "why")


def begun(path: Path) -> Results:
    results = Results(path / "results.json")
    results.begin()
    return results


def test_what_was_measured_is_read_again(tmp_path: Path) -> None:
    results = begun(tmp_path)
    results.versions["Luigi"] = "3.8.1"
    results.add((COLD, usage(2.0)))
    results.add((COLD, usage(3.0)))
    results.add((CHECK, usage(1.0, "time")))
    assert Results.load(results.path) == results


def test_the_median_is_of_what_came_to_its_end(tmp_path: Path) -> None:
    results = begun(tmp_path)
    for cpu_s, ended in ((1.0, "ok"), (2.0, "ok"), (9.0, "ok"), (100.0, "time")):
        results.add((COLD, usage(cpu_s, ended)))
    assert results.cell(COLD).median("cpu_s") == 2.0
    assert results.cell(COLD).trouble is None


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_text('{"format": 0}')
    with pytest.raises(ValueError, match="--fresh"):
        Results.load(path)


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    results = begun(tmp_path)
    results.add((COLD, usage(2.0)))
    asked = arguments(["--results", str(results.path)])
    assert COLD in prepared(asked).cells
    assert not prepared(arguments(["--results", str(results.path), "--fresh"])).cells


def test_after_a_whole_run_a_new_one_begins_or_a_part_is_replaced(tmp_path: Path) -> None:
    results = begun(tmp_path)
    results.add((COLD, usage(2.0)))
    doit = ("doit", *COLD[1:])
    results.add((doit, usage(1.0)))
    results.end()
    where = ["--results", str(results.path)]
    assert not prepared(arguments(where)).cells
    assert set(prepared(arguments([*where, "--tool", "doit"])).cells) == {COLD}
    assert set(prepared(arguments([*where, "--work", "chain"])).cells) == {COLD, doit}


def test_a_whole_name_selects_one_graph_and_a_beginning_several() -> None:
    assert [graph.name for graph in selected(["wide-1000"])] == ["wide-1000"]
    assert [graph.name for graph in selected(["wide-10", "diamond"])] == [
        "wide-1000",
        "diamond-10",
        "wide-10000",
        "wide-100000",
    ]


def test_a_larger_graph_is_not_tried_when_the_smaller_one_tells_that_it_would_end_at_the_limit(
    tmp_path: Path,
) -> None:
    results = begun(tmp_path)
    results.add((COLD, usage(5.0)))
    luigi = tool_named("luigi")
    campaign = Campaign(results, [luigi], list(GRAPHS), 1, starts=False)
    refused = campaign.refusal(Part(luigi, luigi.settings[0], BUILT["wide-10000"]))
    assert refused is not None
    assert refused.ended == "not tried"
    assert campaign.refusal(Part(luigi, luigi.settings[0], BUILT["diamond-10"])) is None
    assert campaign.refusal(Part(luigi, luigi.settings[0], BUILT["chain-2000"])) is None


def test_what_was_over_the_limit_is_not_tried_with_a_larger_graph_of_any_shape(
    tmp_path: Path,
) -> None:
    results = begun(tmp_path)
    results.add((COLD, usage(40.0, "time")))
    luigi = tool_named("luigi")
    campaign = Campaign(results, [luigi], list(GRAPHS), 1, starts=False)
    refused = campaign.refusal(Part(luigi, luigi.settings[0], BUILT["chain-2000"]))
    assert refused is not None
    assert "over the limit" in refused.said


def test_another_setting_is_not_tried_where_the_default_one_was_over_the_limit(
    tmp_path: Path,
) -> None:
    results = begun(tmp_path)
    gokart = tool_named("gokart")
    results.add((("gokart", "default", "diamond-10", "cold"), usage(40.0, "time")))
    campaign = Campaign(results, [gokart], list(GRAPHS), 1, starts=False)
    default, fast = gokart.settings
    assert campaign.refusal(Part(gokart, default, BUILT["diamond-10"])) is None
    assert campaign.refusal(Part(gokart, fast, BUILT["diamond-10"])) is not None


def test_what_is_slow_or_fails_is_measured_less_often(tmp_path: Path) -> None:
    results = begun(tmp_path)
    luigi = tool_named("luigi")
    campaign = Campaign(results, [luigi], list(GRAPHS), 5, starts=False)
    part = Part(luigi, luigi.settings[0], BUILT["wide-1000"])
    assert campaign.wanted(part) == 5
    results.add((COLD, usage(7.0)))
    assert campaign.wanted(part) == 2
    results.drop([COLD])
    results.add((COLD, usage(9.0, "failed")))
    assert campaign.wanted(part) == 1


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--tool", "make"], "'make'"),
        (["--work", "chain", "--work", "nothing"], "'nothing'"),
        (["--repeats", "0"], "at least once"),
    ],
    ids=["tool", "work", "repeats"],
)
def test_a_wrong_selection_is_an_error(
    words: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        arguments(words)
    assert told in capsys.readouterr().err
