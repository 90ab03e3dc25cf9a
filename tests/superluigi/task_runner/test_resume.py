"""Going on with a forced build that died or failed half-way."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from tests import flows
from tests.flows import ran


@pytest.fixture(autouse=True)
def _made(_project: None) -> None:
    Path("failures_left.txt").write_text("0")
    run_task(flows.AfterFailing(), progress=False)
    ran()


def fail_half_way() -> None:
    Path("failures_left.txt").write_text("1")
    with pytest.raises(BuildFailed):
        run_task(flows.AfterFailing(), force_upstream=True, progress=False)
    assert sorted(ran()) == ["Clean", "Failing", "Raw"]


def test_what_was_forced_and_finished_is_not_run_again() -> None:
    fail_half_way()
    run_task(flows.AfterFailing(), resume=True, progress=False)
    assert ran() == ["Failing", "AfterFailing"]


def test_the_same_force_argument_may_be_given_again() -> None:
    fail_half_way()
    run_task(flows.AfterFailing(), force_upstream=True, resume=True, progress=False)
    assert ran() == ["Failing", "AfterFailing"]


def test_a_resumed_build_can_be_resumed() -> None:
    Path("failures_left.txt").write_text("2")
    for expected in (["Clean", "Failing", "Raw"], ["Failing"]):
        with pytest.raises(BuildFailed):
            run_task(
                flows.AfterFailing(),
                force_upstream=expected != ["Failing"],
                resume=True,
                progress=False,
            )
        assert sorted(ran()) == expected
    run_task(flows.AfterFailing(), resume=True, progress=False)
    assert ran() == ["Failing", "AfterFailing"]


def test_after_a_build_that_ended_well_there_is_nothing_to_resume() -> None:
    run_task(flows.AfterFailing(), force_upstream=True, progress=False)
    ran()
    run_task(flows.AfterFailing(), resume=True, progress=False)
    assert ran() == []
    run_task(flows.AfterFailing(), force_upstream=True, resume=True, progress=False)
    assert len(ran()) == 4


def test_builds_of_other_tasks_are_not_resumed() -> None:
    fail_half_way()
    run_task(flows.Clean(), resume=True, progress=False)
    assert ran() == []


def test_without_resume_the_forcing_of_a_failed_build_is_forgotten() -> None:
    fail_half_way()
    run_task(flows.AfterFailing(), progress=False)
    assert ran() == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_build_that_was_killed_goes_on_where_it_died(monkeypatch: pytest.MonkeyPatch) -> None:
    pid = os.fork()
    if pid == 0:
        stop = {"event": "run_started", "family": "Failing"}

        def kill(event: dict[str, object]) -> None:
            if stop.items() <= event.items():
                os.kill(os.getpid(), signal.SIGKILL)

        run_task(flows.AfterFailing(), force_upstream=True, progress=kill)
        os._exit(1)
    _, status = os.waitpid(pid, 0)
    assert os.WTERMSIG(status) == signal.SIGKILL
    finished = set(ran())
    assert finished <= {"Raw", "Clean"}
    assert "Raw" in finished
    run_task(flows.AfterFailing(), resume=True, progress=False)
    assert sorted(ran()) == sorted({"Raw", "Clean", "Failing", "AfterFailing"} - finished)
