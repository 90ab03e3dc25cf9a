"""The pages that are made of what was measured."""

from collections import Counter
from pathlib import Path
from xml.etree import ElementTree

from benchmarks.bench import profiling
from benchmarks.bench.measuring import Usage
from benchmarks.bench.page import page, write_page
from benchmarks.bench.results import Results


def results(path: Path) -> Results:
    kept = Results(path / "results.json")
    kept.begin()
    for tool, setting, graph, phase, cpu_s, ended in (
        ("Super Luigi", "default", "wide-1000", "cold", 1.1, "ok"),
        ("Super Luigi", "default", "wide-1000", "check", 0.5, "ok"),
        ("Luigi", "default", "wide-1000", "cold", 2.5, "ok"),
        ("Luigi", "default", "wide-1000", "check", 0.12, "ok"),
        ("Luigi", "all", "wide-1000", "check", 0.32, "ok"),
        ("Luigi", "default", "wide-10000", "cold", 45.0, "time"),
        ("gokart", "default", "chain-2000", "cold", 3.0, "failed"),
        ("Super Luigi", "default", "naps-1000-1-workers", "cold", 3.0, "ok"),
        ("Super Luigi", "default", "naps-1000-2-workers", "cold", 1.5, "ok"),
    ):
        said = "RecursionError: too | deep" if ended == "failed" else ""
        kept.add(((tool, setting, graph, phase), Usage(cpu_s, 2 * cpu_s, 40, ended, said)))
    kept.end()
    return kept


def row(text: str, start: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {start} |")]
    return [cell.strip() for cell in line.strip("|").split("|")]


def test_the_other_setting_stands_in_brackets(tmp_path: Path) -> None:
    text = page(results(tmp_path))
    assert "| **0.50** | 0.12° [0.32] |" in text


def test_a_limit_and_a_failure_are_told_in_place_of_a_figure(tmp_path: Path) -> None:
    text = page(results(tmp_path))
    assert "> 45" in text
    assert "| fails |" in text
    assert "RecursionError: too \\| deep" in text


def test_goals_are_met_missed_or_not_measured(tmp_path: Path) -> None:
    text = page(results(tmp_path))
    assert "| cold, 1,000 and a root | ≤ 1.2 s | 1.10 s | met |" in text
    assert "| check, 1,000 and a root | ≤ 0.35 s | 0.50 s | **missed** |" in text
    assert "| cold, chain of 2,000 | ≤ 2.1 s |  | not measured |" in text
    assert "| ≥ 1.7 | 2.00 | met |" in text


def test_ratios_are_to_what_looks_at_every_task(tmp_path: Path) -> None:
    ratios = page(results(tmp_path)).partition("## Ratios")[2].partition("## Goals")[0]
    assert row(ratios, "check, 1,000 and a root")[1:] == ["1.56", "1.56 (Luigi)"]


def test_an_empty_run_has_a_page(tmp_path: Path) -> None:
    assert "not measured" in page(Results(tmp_path / "results.json"))


def test_the_plot_is_well_formed_and_has_a_bar_for_each_figure(tmp_path: Path) -> None:
    _, plot = write_page(results(tmp_path), tmp_path)
    drawn = ElementTree.parse(plot)
    bars = drawn.findall(".//{http://www.w3.org/2000/svg}rect[@x]")
    assert len(bars) == 4
    words = {element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")}
    assert {"stopped at the limit", "fails"} <= words


def test_a_profile_is_told_against_its_floor() -> None:
    profile = profiling.Profile(
        "cold",
        [2.0, 3.0, 2.5],
        Counter({("catalog", "session.py:commit"): 30, ("imports", ""): 10}),
        {"files": 0.2, "rows": 0.1, profiling.BESIDE: 0.4},
    )
    text = profiling.page([profile], 0.2, load=1000)
    assert "Other work ran on the machine" in text
    assert row(text, "cold")[:4] == ["cold", "2.50", "0.50", "5.0"]
    assert row(text, "catalog")[1] == "1.88"
    assert row(text, "`session.py:commit`")[1:] == ["catalog", "75.0%"]
