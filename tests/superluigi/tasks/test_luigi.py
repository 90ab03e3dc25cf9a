"""Luigi's own ways in keep working on our tasks: `luigi.build`, `luigi --module`, its events."""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
from pathlib import Path

import luigi
import pytest

from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import (
    AtomicTaskWithMetadata,
    ExternalTask,
    Task,
    TaskWithMetadata,
    WrapperTask,
)

pytestmark = pytest.mark.usefixtures("project")

ROOT = Path(__file__).parents[3]

FLOW = """
from pathlib import Path
import luigi
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import *

class Source(ExternalTask):
    def output(self):
        return LocalFileTarget("source.txt")

class Plain(luigi.Task):
    def requires(self):
        return Source()
    def output(self):
        return luigi.LocalTarget("plain.txt")
    def run(self):
        with self.output().open("w") as file:
            file.write("plain")

class Folder(AtomicTaskWithMetadata):
    n = IntParameter(default=2)
    def requires(self):
        return {"source": Source(), "plain": Plain()}
    def output(self):
        return LocalFolderTarget(f"folder{self.n}")
    def run(self, input_path, output_path, metadata):
        metadata["names"] = sorted(Path(path).name for path in input_path.values())
        for n in range(self.n):
            Path(output_path, str(n)).write_text(str(n))

class InPlace(Task):
    def requires(self):
        return Folder()
    def output(self):
        return LocalFileTarget("in_place.txt")
    def run(self):
        with self.output().temporary_path() as path:
            Path(path).write_text("x")

class All(WrapperTask):
    n = IntParameter(default=2)
    def requires(self):
        return [Folder(n=self.n), InPlace()]
"""


@pytest.fixture
def flow(project: Path) -> None:
    (project / "its_flow.py").write_text(FLOW)
    (project / "source.txt").write_text("given")


def metadata_of(path: str) -> dict:
    target = LocalFolderTarget if Path(path).is_dir() else LocalFileTarget
    return target(path).metadata()


def check_everything_was_made() -> None:
    folder, in_place = metadata_of("folder2"), metadata_of("in_place.txt")
    assert folder["names"] == ["plain.txt", "source.txt"]
    assert folder["output"]["file_count"] == 2
    assert folder["build_id"] is None
    assert folder["reason"]["text"] == "run by Luigi's own scheduling"
    assert [row["place"] for row in folder["inputs"]] == ["source", "plain"]
    assert in_place["inputs"][0]["run_id"] == folder["run_id"]
    assert in_place["inputs"][0]["fingerprint"] == folder["output"]["fingerprint"]
    assert in_place["upstream"] == {"": folder["task_hash"]}
    # Luigi itself runs plain tasks: their sidecars are `run_task`'s business.
    assert not Path("plain.txt.metadata.json").exists()
    left = {path.name for path in Path().glob(".*")} - {".superluigi"}
    assert left == set()


@pytest.mark.usefixtures("flow")
@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=str)
def test_the_luigi_command_makes_tasks_with_their_sidecars(options: tuple[str, ...]) -> None:
    command = ["-m", "luigi", "--module", "its_flow", "All", "--local-scheduler", *options]
    paths = os.pathsep.join([".", str(ROOT), str(ROOT / "catalog")])
    done = subprocess.run(
        [sys.executable, *command],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "This progress looks :)" in done.stderr
    check_everything_was_made()


@pytest.mark.usefixtures("flow")
def test_luigi_build_makes_tasks_with_their_sidecars(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(".")
    its_flow = importlib.import_module("its_flow")
    monkeypatch.delitem(sys.modules, "its_flow")
    assert luigi.build([its_flow.All()], local_scheduler=True, log_level="CRITICAL")
    check_everything_was_made()
    made = Path("folder2.metadata.json").stat()
    assert luigi.build([its_flow.All()], local_scheduler=True, log_level="CRITICAL")
    assert Path("folder2.metadata.json").stat().st_mtime_ns == made.st_mtime_ns


class Fails(AtomicTaskWithMetadata):
    n = IntParameter(default=0)

    def output(self):
        return LocalFileTarget("result.txt")

    def run(self, output_path):
        Path(output_path).write_text("half")
        message = "told to fail"
        raise ValueError(message)


class Works(TaskWithMetadata):
    def output(self):
        return LocalFileTarget("works.txt")

    def run(self, metadata):
        metadata["n"] = 1
        Path("works.txt").write_text("x")


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_task_fails_the_build_and_leaves_nothing(workers: int) -> None:
    assert not luigi.build(
        [Fails(), Works()], local_scheduler=True, workers=workers, log_level="CRITICAL"
    )
    assert {path.name for path in Path().iterdir()} == {
        "superluigi.toml",
        "works.txt",
        "works.txt.metadata.json",
    }


def test_luigis_events_and_hooks_are_called() -> None:
    heard: list[str] = []

    class Hooked(Works):
        def on_success(self):
            heard.append("on_success")

    class HookedFails(Fails):
        def on_failure(self, exception):
            heard.append(f"on_failure {exception}")

    Hooked.event_handler(luigi.Event.START)(lambda task: heard.append("start"))
    Hooked.event_handler(luigi.Event.SUCCESS)(lambda task: heard.append("success"))
    luigi.build([Hooked(), HookedFails()], local_scheduler=True, log_level="CRITICAL")
    assert sorted(heard) == ["on_failure told to fail", "on_success", "start", "success"]


def test_luigi_hands_progress_and_status_reporting_to_a_running_task() -> None:
    class Reports(Works):
        def run(self, metadata):
            metadata["reporting"] = [
                callable(self.set_status_message),
                callable(self.set_progress_percentage),
            ]
            self.set_status_message("half way")
            Path("works.txt").write_text("x")

    assert luigi.build([Reports()], local_scheduler=True, log_level="CRITICAL")
    assert metadata_of("works.txt")["reporting"] == [True, True]


def test_tasks_of_all_bases_know_whether_they_are_external() -> None:
    class Given(ExternalTask):
        pass

    class Gathers(WrapperTask):
        pass

    assert luigi.worker._is_external(Given())
    assert not luigi.worker._is_external(Gathers())
    assert not luigi.worker._is_external(Task())


def test_a_target_that_others_are_to_make_fails_the_build_until_it_is_there() -> None:
    class Given(ExternalTask):
        def output(self):
            return LocalFolderTarget("given")

    class Reads(Works):
        def requires(self):
            return Given()

    def build() -> luigi.execution_summary.LuigiRunResult:
        return luigi.build(
            [Reads()], local_scheduler=True, detailed_summary=True, log_level="CRITICAL"
        )

    assert build().status.name == "MISSING_EXT"
    Path("given").mkdir()
    assert build().status.name == "SUCCESS"
