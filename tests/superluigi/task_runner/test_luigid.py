"""Builds handed out by a real luigid."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, SchedulerUnreachable
from tests import flows
from tests.flows import ran


@pytest.fixture(scope="module")
def luigid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    directory = tmp_path_factory.mktemp("luigid")
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [
        str(Path(sys.executable).parent / "luigid"),
        *("--address", "127.0.0.1", "--port", str(port)),
        *("--state-path", str(directory / "state.pickle")),
    ]
    with (directory / "log").open("w") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_until_it_answers(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def _wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(f"{url}/api/task_list?data=%7B%7D", timeout=1).close()
        except urllib.error.HTTPError as answer:
            answer.close()
        except OSError:
            time.sleep(0.05)
            continue
        return
    message = "luigid did not start"
    raise TimeoutError(message)


@pytest.mark.parametrize("num_workers", [1, 3])
def test_luigid_hands_out_what_the_plan_wants_and_nothing_else(
    luigid: str, num_workers: int
) -> None:
    def build(**options: object) -> list[str]:
        run_task(
            flows.Report(),
            central_scheduler=True,
            scheduler_url=luigid,
            num_workers=num_workers,
            progress=False,
            **options,
        )
        return sorted(ran())

    everything = ["Clean", "PlainCount", "Raw", "Report"]
    assert build() == everything
    assert build() == []
    # luigid has seen all of them done a moment ago, and would ignore a plain "pending".
    assert build(force_upstream=True) == everything
    assert build(force_upstream_to_task_cls=flows.Clean) == ["Clean", "Report"]
    assert build(force=True) == ["Report"]
    assert build() == []


def test_failures_and_retries_with_luigid(luigid: str) -> None:
    Path("failures_left.txt").write_text("1")
    result = run_task(flows.Failing(), scheduler_url=luigid, retries=1, progress=False)
    assert ran() == ["Raw", "Failing", "Failing"]
    assert result.ok
    Path("failures_left.txt").write_text("1")
    with pytest.raises(BuildFailed):
        run_task(flows.Failing(), scheduler_url=luigid, force=True, progress=False)


def test_a_luigid_that_does_not_answer_is_named_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(SchedulerUnreachable, match=url):
            run_task(flows.Part(n=1), central_scheduler=True, scheduler_url=url, progress=False)
    assert ran() == []
