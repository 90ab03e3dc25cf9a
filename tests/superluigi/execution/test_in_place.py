"""Tasks that write to their targets themselves (`Task`, `TaskWithMetadata`, plain Luigi tasks)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import luigi
import luigi.mock
import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, OutputNotWritten
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import Task, TaskWithMetadata
from superluigi_catalog.owner import this_owner

pytestmark = pytest.mark.usefixtures("project")

ROOT = Path(__file__).parents[3]


class File(TaskWithMetadata):
    def output(self):
        return LocalFileTarget("out/x")

    def run(self, metadata):
        metadata["n"] = 1
        DOES[0]()


class Folder(Task):
    def output(self):
        return LocalFolderTarget("out/x")

    def run(self):
        DOES[0]()


class Two(Task):
    def output(self):
        return [LocalFileTarget("out/one"), LocalFileTarget("out/two")]

    def run(self):
        DOES[0]()


def write_file() -> None:
    Path("out").mkdir(exist_ok=True)
    Path("out/x").write_text("new")


def write_folder() -> None:
    Path("out/x").mkdir(parents=True)
    Path("out/x/part").write_text("new")


DOES: list[Any] = [write_file]


def then_fail(write: Any) -> Any:
    def does() -> None:
        write()
        raise InterruptedError

    return does


def beside() -> set[str]:
    return {path.name for path in Path("out").iterdir()}


def announced(path: str = "out/x") -> dict[str, Any]:
    return json.loads(Path(f"{path}.metadata.json.next").read_text())


def put_old(cls: Any) -> None:
    Path("out").mkdir(exist_ok=True)
    if cls is File:
        Path("out/x").write_text("old")
    else:
        Path("out/x").mkdir()
        Path("out/x/old part").write_text("old")


def content() -> Any:
    path = Path("out/x")
    return path.read_text() if path.is_file() else {p.name: p.read_text() for p in path.iterdir()}


KINDS = [
    (File, write_file, "new", "old"),
    (Folder, write_folder, {"part": "new"}, {"old part": "old"}),
]


@pytest.mark.parametrize(("cls", "write", "new", "old"), KINDS)
def test_a_target_that_was_written_in_place_gets_its_sidecar(
    cls: Any, write: Any, new: Any, old: Any
) -> None:
    DOES[0] = write
    for _ in range(2):
        cls().run()
        assert content() == new
        assert cls().output().metadata()["family"] == cls.__name__
        assert beside() == {"x", "x.metadata.json"}


@pytest.mark.parametrize(("cls", "write", "new", "old"), KINDS)
def test_the_old_version_is_away_while_the_task_writes(
    cls: Any, write: Any, new: Any, old: Any
) -> None:
    put_old(cls)
    seen = []

    def does() -> None:
        seen.append((os.path.lexists("out/x"), announced()["state"]))
        write()

    DOES[0] = does
    cls().run()
    assert seen == [(False, "running")]
    assert content() == new


@pytest.mark.parametrize(("cls", "write", "new", "old"), KINDS)
@pytest.mark.parametrize("left", ["nothing", "file", "folder"])
def test_a_failed_run_puts_the_old_version_back(
    cls: Any, write: Any, new: Any, old: Any, left: str
) -> None:
    put_old(cls)
    cls().output().write_sidecar(sidecar := made_sidecar())
    leave = {"nothing": lambda: None, "file": write_file, "folder": write_folder}[left]
    DOES[0] = then_fail(leave)
    for _ in range(2):
        with pytest.raises(InterruptedError):
            cls().run()
        assert content() == old
        assert cls().output().metadata() == sidecar
        assert beside() == {"x", "x.metadata.json"}


def made_sidecar() -> dict[str, Any]:
    from tests.superluigi.targets.contract import document

    return document()


@pytest.mark.parametrize(("cls", "write", "new", "old"), KINDS)
def test_what_a_failed_first_run_left_is_marked_as_failed(
    cls: Any, write: Any, new: Any, old: Any
) -> None:
    DOES[0] = then_fail(write)
    for _ in range(3):  # the mark stays, however often it fails
        with pytest.raises(InterruptedError):
            cls().run()
        assert content() == new
        assert announced()["state"] == "failed"
        assert announced()["task_hash"] == cls().task_id
        assert beside() == {"x", "x.metadata.json.next"}
    DOES[0] = write
    cls().run()
    assert beside() == {"x", "x.metadata.json"}


def test_a_failed_first_run_that_left_nothing_leaves_nothing() -> None:
    Path("out").mkdir()
    DOES[0] = then_fail(lambda: None)
    with pytest.raises(InterruptedError):
        File().run()
    assert beside() == set()


def test_what_a_failed_first_run_left_is_not_taken_for_a_result() -> None:
    DOES[0] = then_fail(write_file)
    for _ in range(2):
        with pytest.raises(BuildFailed):
            run_task(File(), progress=False)
        assert announced()["state"] == "failed"
    DOES[0] = write_file
    assert [d.family for d in run_task(File(), progress=False).ran] == ["File"]


def test_a_run_that_ends_without_its_output_puts_the_old_version_back() -> None:
    put_old(File)
    DOES[0] = lambda: None
    with pytest.raises(
        OutputNotWritten, match=r"ended without writing out/x\. Write to self\.output"
    ):
        File().run()
    assert content() == "old"
    assert beside() == {"x"}


def test_a_complete_of_ones_own_that_still_says_no_marks_nothing_as_failed() -> None:
    class Own(File):
        def complete(self):
            return False

    DOES[0] = write_file
    with pytest.raises(OutputNotWritten, match=r"Own.complete\(\) still returns False"):
        Own().run()
    assert content() == "new"
    assert beside() == {"x", "x.metadata.json"}


def test_of_several_outputs_all_old_versions_come_back() -> None:
    Path("out").mkdir()
    Path("out/one").write_text("old 1")
    Path("out/two").write_text("old 2")
    DOES[0] = lambda: Path("out/one").write_text("new 1")
    with pytest.raises(OutputNotWritten, match="without writing the output '1', out/two"):
        Two().run()
    assert (Path("out/one").read_text(), Path("out/two").read_text()) == ("old 1", "old 2")
    assert beside() == {"one", "two"}


def test_the_first_old_version_comes_back_when_the_second_cannot_be_put_aside() -> None:
    Path("out").mkdir()
    Path("out/one").write_text("old 1")
    Path("out/two").write_text("old 2")
    Path("out/two.metadata.json.next").mkdir()  # so that nothing can be announced there
    with pytest.raises(IsADirectoryError):
        Two().run()
    assert Path("out/one").read_text() == "old 1"
    assert not list(Path("out").glob(".superluigi-*"))
    assert not Path("out/one.metadata.json.next").exists()


def test_when_a_sidecar_cannot_be_written_the_others_are_as_they_were() -> None:
    Path("out").mkdir()
    Path("out/one").write_text("old 1")
    Path("out/two").write_text("old 2")
    LocalFileTarget("out/one").write_sidecar(sidecar := made_sidecar())

    def does() -> None:
        Path("out/one").write_text("new 1")
        Path("out/two").write_text("new 2")
        Path("out/two.metadata.json").mkdir()

    DOES[0] = does
    with pytest.raises(IsADirectoryError):
        Two().run()
    assert Path("out/one").read_text() == "old 1"
    assert LocalFileTarget("out/one").metadata() == sidecar
    assert Path("out/two").read_text() == "old 2"


# -- Luigi's idioms on a forced rerun -----------------------------------------------------------------


class TemporaryPath(luigi.Task):
    def output(self):
        return luigi.LocalTarget("x.txt")

    def run(self):
        with self.output().temporary_path() as path:
            Path(path).write_text(str(len(list(Path().glob("run*")))))
        Path(f"run{len(list(Path().glob('run*')))}").touch()


class OpensForWriting(TemporaryPath):
    def run(self):
        with self.output().open("w") as file:
            file.write("x")
        Path("run").touch()


class ReturnsWhenItIsThere(TemporaryPath):
    def run(self):
        if self.output().exists():
            return
        Path("x.txt").write_text("x")
        Path("run").touch()


class OurTemporaryPath(Task):
    def output(self):
        return LocalFolderTarget("x.txt")

    def run(self):
        with self.output().temporary_path() as path:
            Path(path).mkdir()
            Path(path, "part").touch()
        Path("run").touch()


@pytest.mark.parametrize(
    "cls", [TemporaryPath, OpensForWriting, ReturnsWhenItIsThere, OurTemporaryPath]
)
@pytest.mark.parametrize("num_workers", [1, 2])
def test_luigis_idioms_work_on_a_forced_rerun(cls: Any, num_workers: int) -> None:
    run_task(cls(), progress=False)
    for path in Path().glob("run*"):
        path.unlink()
    run_task(cls(), force=True, num_workers=num_workers, progress=False)
    assert list(Path().glob("run*"))
    assert not list(Path().glob(".superluigi-*"))


# -- plain Luigi tasks --------------------------------------------------------------------------------


class PlainFolder(luigi.Task):
    def output(self):
        return luigi.LocalTarget("x")

    def run(self):
        Path("x").mkdir()
        Path("x/part").write_text("new")


def test_a_plain_target_may_turn_out_to_be_a_folder() -> None:
    run_task(PlainFolder(), progress=False)
    sidecar = LocalFolderTarget("x").metadata()
    assert sidecar["output"]["type"] == "LocalFolderTarget"
    assert sidecar["output"]["file_count"] == 1
    assert not run_task(PlainFolder(), progress=False).ran
    Path("x/part").write_text("edited")
    run_task(PlainFolder(), force=True, progress=False)
    assert Path("x/part").read_text() == "new"


def test_plain_tasks_get_no_sidecars_where_the_project_wants_none() -> None:
    Path("superluigi.toml").write_text("plain_targets = false")
    run_task(TemporaryPath(), progress=False)
    assert not list(Path().glob("*.metadata.json*"))
    assert not run_task(TemporaryPath(), progress=False).ran
    run_task(TemporaryPath(), force=True, progress=False)
    assert not list(Path().glob("*.metadata.json*"))
    DOES[0] = write_file
    run_task(File(), progress=False)
    assert File().output().metadata()["n"] == 1


def test_a_marker_that_the_run_did_not_set_fails_it() -> None:
    class Marks(Task):
        def output(self):
            return luigi.mock.MockTarget("a marker that nobody sets")

        def run(self):
            pass

    with pytest.raises(OutputNotWritten):
        Marks().run()


def test_a_task_without_outputs_just_runs() -> None:
    class Runs(Task):
        def run(self):
            Path("ran").touch()

    Runs().run()
    assert Path("ran").exists()


# -- what a death leaves ------------------------------------------------------------------------------


DIES = """
import os, signal
from pathlib import Path
from superluigi.targets import LocalFileTarget
from superluigi.tasks import Task

class File(Task):
    def output(self):
        return LocalFileTarget("out/x")
    def run(self):
        Path("out/x").write_text("half")
        os.kill(os.getpid(), signal.SIGKILL)

File().run()
"""


def die_while_writing() -> None:
    paths = os.pathsep.join([str(ROOT), str(ROOT / "catalog")])
    done = subprocess.run(
        [sys.executable, "-c", DIES], env={**os.environ, "PYTHONPATH": paths}, check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert announced()["state"] == "running"


def test_the_next_run_puts_back_what_a_dead_one_had_put_aside_before_it_begins() -> None:
    put_old(File)
    die_while_writing()
    assert content() == "half"
    DOES[0] = then_fail(write_file)
    with pytest.raises(InterruptedError):
        File().run()
    assert content() == "old"
    assert beside() == {"x"}


def test_what_a_dead_first_run_left_stays_marked_when_the_next_one_fails() -> None:
    Path("out").mkdir()
    die_while_writing()
    DOES[0] = then_fail(lambda: None)
    with pytest.raises(InterruptedError):
        File().run()
    assert content() == "half"
    assert announced()["state"] == "failed"
    DOES[0] = write_file
    File().run()
    assert content() == "new"
    assert beside() == {"x", "x.metadata.json"}


@pytest.mark.parametrize("left", ["{", "a publish", "another run"])
def test_an_announcement_that_says_nothing_of_what_stands_there_is_no_obstacle(left: str) -> None:
    put_old(File)
    if left == "a publish":
        File().output().write_next(made_sidecar())
    elif left == "another run":
        note = {**made_sidecar(), "state": "running", "owner": this_owner()}
        File().output().write_next(note)
    else:
        Path("out/x.metadata.json.next").write_text(left)
    DOES[0] = then_fail(write_file)
    with pytest.raises(InterruptedError):
        File().run()
    assert content() == "old"
    assert beside() == {"x"}
    DOES[0] = write_file
    File().run()
    assert beside() == {"x", "x.metadata.json"}


@pytest.mark.skipif(sys.platform != "linux", reason="tells from /proc what is synced")
def test_durable_builds_sync_what_was_written_in_place(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[str] = set()
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    Path("superluigi.toml").write_text('durability = "fsync"\nplain_targets = false')
    DOES[0] = write_file
    run_task([File(), TemporaryPath()], progress=False)
    assert {"x", "x.metadata.json", "out", "x.txt"} <= synced
