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
from urllib.parse import urlsplit

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


@pytest.mark.parametrize("by", ["url", "host and port"])
def test_luigid_is_found_by_luigis_own_configuration(luigid: str, by: str) -> None:
    place = urlsplit(luigid)
    host_and_port = {"default-scheduler-host": place.hostname, "default-scheduler-port": place.port}
    core = {"default-scheduler-url": f"{luigid}/"} if by == "url" else host_and_port
    run_task(flows.Part(n=1), central_scheduler=True, config={"core": core}, progress=False)
    assert ran() == ["Part"]
    with urllib.request.urlopen(f"{luigid}/api/task_list?data=%7B%7D", timeout=5) as answer:
        assert flows.Part(n=1).task_id in answer.read().decode()


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


TWO_HOSTS = """
import sys
import time
from pathlib import Path
from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.parameters import IntParameter, Parameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

SHARED = Path("../shared").resolve()

class Piece(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"{SHARED}/piece{self.n}.txt")

    def run(self, output_path):
        with open(SHARED / "ran.log", "a") as log:
            log.write(f"Piece {self.n}\\n")
        # Each host waits until the other has begun as well, so that neither makes everything alone.
        (SHARED / f"{Path.cwd().name}.began").touch()
        while len(list(SHARED.glob("*.began"))) < int(sys.argv[3]):
            time.sleep(0.01)
        Path(output_path).write_text(str(self.n))

class Sum(AtomicTaskWithMetadata):
    def requires(self):
        return [Piece(n=n) for n in range(8)]

    def output(self):
        return LocalFileTarget(f"{SHARED}/sum.txt")

    def run(self, input_path, output_path):
        with open(SHARED / "ran.log", "a") as log:
            log.write("Sum\\n")
        Path(output_path).write_text(" ".join(Path(p).read_text() for p in input_path))

if __name__ == "__main__":
    import two_hosts
    result = run_task(
        two_hosts.Sum(), scheduler_url=sys.argv[1], force_upstream=sys.argv[2] == "force", progress=False
    )
    print(len(result.ran), len(result.shared), len(result.skipped), flush=True)
"""


@pytest.fixture
def hosts(_project: None) -> list[Path]:
    """Two working directories, each with a catalog of its own, and targets that both see."""
    Path("shared").mkdir()
    found = []
    for name in ("one", "two"):
        host = Path(name)
        host.mkdir()
        (host / "superluigi.toml").touch()
        (host / "two_hosts.py").write_text(TWO_HOSTS)
        found.append(host)
    return found


def build_on(hosts: list[Path], url: str, force: str) -> list[list[int]]:
    """Ran, shared, skipped of each; both are started at once."""
    processes = [
        subprocess.Popen(
            [sys.executable, "two_hosts.py", url, force, str(len(hosts))],
            cwd=host,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for host in hosts
    ]
    told = [process.communicate(timeout=120) for process in processes]
    for process, (_, error) in zip(processes, told, strict=True):
        assert process.returncode == 0, error
    return [[int(n) for n in out.split()] for out, _ in told]


def test_two_hosts_run_each_task_once(luigid: str, hosts: list[Path]) -> None:
    told = build_on(hosts, luigid, "")
    entered = Path("shared/ran.log").read_text().splitlines()
    assert sorted(entered) == sorted([*(f"Piece {n}" for n in range(8)), "Sum"])
    assert sum(ran for ran, _, _ in told) == 9
    assert all(ran > 0 for ran, _, _ in told)
    assert all(sum(counts) == 9 for counts in told)
    assert Path("shared/sum.txt").read_text() == "0 1 2 3 4 5 6 7"


def test_two_hosts_that_force_run_each_task_after_their_plans(
    luigid: str, hosts: list[Path]
) -> None:
    build_on(hosts[:1], luigid, "")
    Path("shared/ran.log").unlink()
    Path("shared/one.began").unlink()
    told = build_on(hosts, luigid, "force")
    entered = Path("shared/ran.log").read_text().splitlines()
    assert set(entered) == {*(f"Piece {n}" for n in range(8)), "Sum"}
    assert all(ran + shared == 9 for ran, shared, _ in told)
    assert len(entered) == sum(ran for ran, _, _ in told)
