from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi.errors import BuildFailed, ForceRefused
from tests import flows
from tests.flows import ran

EVERYTHING = ["Clean", "PlainCount", "Raw", "Report"]
MODES = [{"num_workers": 1}, {"num_workers": 3}]


@pytest.fixture(autouse=True)
def _made(_project: None) -> None:
    run_task(flows.Report(), progress=False)
    ran()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    ("force", "expected"),
    [
        ({"force": True}, ["Report"]),
        ({"force_upstream": True}, EVERYTHING),
        ({"force_upstream_to_task": lambda: flows.Clean()}, ["Clean", "Report"]),
        (
            {"force_upstream_to_task": lambda: [flows.Clean(), flows.PlainCount()]},
            ["Clean", "PlainCount", "Report"],
        ),
        ({"force_upstream_to_task_cls": flows.PlainCount}, ["PlainCount", "Report"]),
        (
            {"force_upstream_to_task_cls": [flows.Clean, flows.PlainCount]},
            ["Clean", "PlainCount", "Report"],
        ),
        ({"force_upstream_to_task_cls": flows.Raw}, EVERYTHING),
        ({"force_upstream_to_task": "Clean"}, ["Clean", "Report"]),
        ({"force_readers_of": "raw.txt"}, ["Clean", "PlainCount", "Report"]),
        ({"force_readers_of": ["source.txt", Path("clean")]}, ["Raw", "Report"]),
        ({"force_readers_of": lambda: flows.Source().output()}, ["Raw"]),
    ],
)
def test_what_is_forced_runs_exactly_once(
    mode: dict[str, Any], force: dict[str, Any], expected: list[str]
) -> None:
    arguments = {
        name: value() if callable(value) and not isinstance(value, type) else value
        for name, value in force.items()
    }
    planned = plan_task(flows.Report(), **arguments)
    assert sorted(d.family for d in planned.to_run) == expected
    result = run_task(flows.Report(), progress=False, **arguments, **mode)
    assert sorted(ran()) == expected
    assert sorted(d.family for d in result.ran) == expected
    assert {d.reasons[0].kind for d in result.ran} == {"forced"}


@pytest.mark.parametrize("mode", MODES)
def test_forcing_does_not_leak_into_the_next_build(mode: dict[str, Any]) -> None:
    run_task(flows.Report(), force_upstream=True, progress=False, **mode)
    ran()
    run_task(flows.Report(), progress=False, **mode)
    assert ran() == []


def test_a_failed_forced_build_does_not_leak_either() -> None:
    Path("failures_left.txt").write_text("1")
    with pytest.raises(BuildFailed):
        run_task(flows.Failing(), force_upstream=True, progress=False)
    ran()
    run_task(flows.Failing(), progress=False)
    assert ran() == ["Failing"]
    run_task(flows.Failing(), progress=False)
    assert ran() == []


def test_forcing_a_wrapper_forces_what_it_wraps() -> None:
    run_task(flows.Both(), force=True, progress=False)
    assert sorted(ran()) == ["Clean", "PlainCount"]


def test_what_is_only_downstream_of_a_forced_task_is_cut_off_when_nothing_changed() -> None:
    run_task(flows.Clean(), force=True, progress=False)
    ran()
    result = run_task(flows.Report(), progress=False)
    assert ran() == []
    assert result.ok


def test_readers_notice_in_the_next_build_that_a_forced_task_made_other_bytes() -> None:
    Path("raw.txt").write_text("tampered")
    run_task(flows.Raw(), force=True, progress=False)
    assert ran() == ["Raw"]
    assert Path("raw.txt").read_text() == "hello"
    run_task(flows.Report(), progress=False)
    assert ran() == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"force": True, "force_upstream": True}, "force and force_upstream contradict"),
        ({"force_upstream_to_task_cls": flows.Part}, "no Part is in the graph"),
        ({"force_upstream_to_task_cls": flows.Source}, "Source is an external task"),
        ({"force_upstream_to_task_cls": "Raw"}, "takes a task class"),
        ({"force_upstream_to_task_cls": []}, "is empty"),
        ({"force_upstream_to_task": flows.Raw}, "takes a task or its name or several"),
        ({"force_upstream_to_task": "Part"}, "Part is not in the graph"),
        ({"force_readers_of": "elsewhere.txt"}, "reads 'elsewhere.txt'"),
        ({"force_readers_of": "report.txt"}, "nothing in the graph"),
        ({"force_readers_of": 3}, "takes a target's path"),
        ({"force_readers_of": "raw.txt", "force": True}, "force and force_readers_of contradict"),
    ],
)
def test_impossible_force_arguments_are_refused_before_anything_runs(
    arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(ForceRefused, match=message):
        run_task(flows.Report(), progress=False, **arguments)
    assert ran() == []


def test_a_task_that_is_not_in_the_graph_cannot_be_forced() -> None:
    with pytest.raises(ForceRefused, match="not in the graph"):
        run_task(flows.Report(), force_upstream_to_task=flows.Part(n=1), progress=False)


def test_an_external_root_cannot_be_forced() -> None:
    with pytest.raises(ForceRefused, match="external"):
        run_task(flows.Source(), force=True, progress=False)
