"""What a run consumes: recorded by content, and the same when it ends."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import luigi
import luigi.mock
import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, InputChanged, TargetMissing
from superluigi.parameters import BoolParameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Task, WrapperTask

pytestmark = pytest.mark.usefixtures("project")


class File(ExternalTask):
    def output(self):
        return LocalFileTarget("data/file.txt")


class Folder(ExternalTask):
    inside = BoolParameter(default=False)

    def output(self):
        return LocalFolderTarget("data/folder", metadata_inside=self.inside)


class Plain(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("data/file.txt")


class Marked(luigi.ExternalTask):
    def output(self):
        return luigi.mock.MockTarget("marker")


@pytest.fixture(autouse=True)
def _data(project: Path) -> None:
    (project / "data/folder").mkdir(parents=True)
    (project / "data/file.txt").write_text("given")
    (project / "data/folder/part").write_text("given part")
    with luigi.mock.MockTarget("marker").open("w") as file:
        file.write("x")


def sha256(data: bytes) -> str:
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


class Atomic(AtomicTaskWithMetadata):
    """Reads what the test says, and does what it says."""

    requires_now: Any = File
    meanwhile: Any = staticmethod(lambda: None)

    def requires(self):
        return type(self).requires_now()

    def output(self):
        return LocalFileTarget("result.txt")

    def run(self, input_path, output_path):
        type(self).meanwhile()
        Path(output_path).write_text("new")


class InPlace(Atomic):
    """The same, reading and writing in place."""

    def run(self):
        type(self).meanwhile()
        Path("result.txt").write_text("new")


def reading(cls: Any, requires: Any, meanwhile: Any = lambda: None) -> Any:
    """A task of a class of its own."""
    members = {"requires_now": requires, "meanwhile": staticmethod(meanwhile)}
    return type(cls)(f"{cls.__name__}Reads", (cls,), members)()


def inputs() -> list[dict[str, Any]]:
    return LocalFileTarget("result.txt").metadata()["inputs"]


BOTH = pytest.mark.parametrize("cls", [Atomic, InPlace])


@BOTH
@pytest.mark.parametrize("how", ["run", "run_task"])
def test_inputs_are_recorded_by_their_content(cls: Any, how: str) -> None:
    requires = lambda: {"file": File(), "folder": Folder(), "plain": [Plain()], "m": Marked()}  # noqa: E731
    task = reading(cls, requires)
    task.run() if how == "run" else run_task(task, progress=False)
    rows = {row["place"]: row for row in inputs()}
    assert list(rows) == ["file", "folder", "plain.0", "m"]
    assert rows["file"]["fingerprint"] == rows["plain.0"]["fingerprint"] == sha256(b"given")
    target = Folder().output()
    assert rows["folder"]["fingerprint"] == target.read_content(target.observe()).fingerprint
    assert rows["folder"]["path"] == "data/folder"
    assert rows["m"]["fingerprint"] == "run:unknown"
    assert rows["m"]["path"].startswith("MockTarget:")
    assert LocalFileTarget("result.txt").metadata()["upstream"]["file"] == File().task_id


@BOTH
@pytest.mark.parametrize("how", ["run", "run_task"])
def test_inputs_behind_wrappers_are_recorded(cls: Any, how: str) -> None:
    class Inner(WrapperTask):
        def requires(self):
            return {"b": Folder()}

    class Gathers(WrapperTask):
        def requires(self):
            return [File(), Inner()]

    task = reading(cls, lambda: {"all": Gathers()})
    task.run() if how == "run" else run_task(task, progress=False)
    assert [row["place"] for row in inputs()] == ["all.0", "all.1.b"]
    assert not run_task(task, progress=False).ran


@pytest.mark.parametrize("cls", [Atomic, InPlace])
def test_what_luigi_ran_is_fresh_for_the_next_build_of_ours(cls: Any) -> None:
    task = reading(cls, lambda: [File(), Folder()])
    task.run()
    assert not run_task(task, progress=False).ran
    Path("data/folder/part").write_text("changed")
    assert [d.reasons[0].kind for d in run_task(task, progress=False).ran] == ["input_changed"]


# -- changes while it runs ------------------------------------------------------------------------


def rewrite() -> None:
    Path("data/file.txt").write_text("changed")


def replace() -> None:
    Path("data/new").write_text("other")
    Path("data/new").replace("data/file.txt")


def to_folder() -> None:
    Path("data/file.txt").unlink()
    Path("data/file.txt").mkdir()


def rewrite_part() -> None:
    Path("data/folder/part").write_text("changed")


def add_part() -> None:
    Path("data/folder/more").touch()


CHANGES = [
    (File, rewrite, "changed"),
    (Plain, rewrite, "changed"),
    (File, replace, "changed"),
    (File, lambda: Path("data/file.txt").unlink(), "disappeared"),
    (File, to_folder, "changed"),
    (Folder, rewrite_part, "changed"),
    (Folder, add_part, "changed"),
    (Folder, lambda: shutil.rmtree("data/folder"), "disappeared"),
]


@BOTH
@pytest.mark.parametrize(("requires", "change", "what"), CHANGES)
@pytest.mark.parametrize("how", ["run", "run_task"])
def test_an_input_that_changes_while_it_is_read_fails_the_run(
    cls: Any, requires: Any, change: Any, what: str, how: str
) -> None:
    Path("result.txt").write_text("old")
    task = reading(cls, requires, change)
    message = rf"The input data/f\w+(\.txt)? {what} while \w+ was running"
    if how == "run":
        with pytest.raises(InputChanged, match=message) as caught:
            task.run()
        assert caught.value.target.path.endswith(("data/file.txt", "data/folder"))
    else:
        with pytest.raises(BuildFailed, match="InputChanged"):
            run_task(task, force=True, progress=False)
    assert Path("result.txt").read_text() == "old"
    expected = {"data", "result.txt", "superluigi.toml"}
    assert {p.name for p in Path().iterdir()} - {
        ".superluigi",
        "result.txt.metadata.json",
    } == expected


@BOTH
def test_an_input_that_was_only_touched_is_the_same(cls: Any) -> None:
    def touch() -> None:
        os.utime("data/file.txt", (1, 1))
        os.utime("data/folder/part", (1, 1))

    reading(cls, lambda: [File(), Folder()], touch).run()
    assert Path("result.txt").read_text() == "new"


@BOTH
def test_a_change_that_was_undone_is_none(cls: Any) -> None:
    def change_and_undo() -> None:
        rewrite()
        Path("data/file.txt").write_text("given")

    reading(cls, File, change_and_undo).run()
    assert inputs()[0]["fingerprint"] == sha256(b"given")


def test_what_counts_is_what_was_handed_out_and_not_what_stands_there_a_moment_later() -> None:
    class Restless(LocalFileTarget):
        """Changes once before it is copied, and once after."""

        def hand_out(self, directory, *, force_download=False):
            Path(self.path).write_text("handed out")
            handed = super().hand_out(directory, force_download=force_download)
            Path(self.path).write_text("a moment later")
            return handed

    class Given(ExternalTask):
        def output(self):
            return Restless("data/file.txt")

    seen = []

    class Reads(AtomicTaskWithMetadata):
        def requires(self):
            return Given()

        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, input_path, output_path):
            seen.append(Path(input_path).read_text())
            Path(output_path).touch()

    with pytest.raises(InputChanged):
        Reads().run()
    assert seen == ["handed out"]


def test_a_change_between_planning_and_running_is_what_counts() -> None:
    class Changes(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("first.txt")

        def run(self, output_path):
            rewrite()
            Path(output_path).touch()

    class Reads(AtomicTaskWithMetadata):
        def requires(self):
            return {"first": Changes(), "file": File()}

        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, input_path, output_path):
            Path(output_path).write_text(Path(input_path["file"]).read_text())

    run_task(Reads(), progress=False)
    assert Path("result.txt").read_text() == "changed"
    assert {row["place"]: row["fingerprint"] for row in inputs()}["file"] == sha256(b"changed")
    assert not run_task(Reads(), progress=False).ran


def test_what_was_edited_since_the_plan_is_not_credited_to_the_run_that_made_it() -> None:
    class Makes(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("made.txt")

        def run(self, output_path):
            Path(output_path).write_text("made")

    class Edits(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("edits.txt")

        def run(self, output_path):
            Path("made.txt").write_text("edited")
            Path(output_path).touch()

    run_task(Makes(), progress=False)
    task = reading(Atomic, lambda: {"edits": Edits(), "made": Makes()})
    run_task(task, progress=False)
    made = inputs()[1]
    assert (made["fingerprint"], made["run_id"]) == (sha256(b"edited"), None)


# -- special inputs -----------------------------------------------------------------------------------


@BOTH
@pytest.mark.parametrize("how", ["run", "run_task"])
def test_a_folder_with_its_sidecar_inside_is_an_input_like_others(cls: Any, how: str) -> None:
    class Makes(AtomicTaskWithMetadata):
        def output(self):
            return LocalFolderTarget("made", metadata_inside=True)

        def run(self, output_path):
            Path(output_path, "part").write_text("x")

    task = reading(cls, Makes)
    if how == "run":
        Makes().run()
        task.run()
    else:
        run_task(task, progress=False)
    sidecar = Makes().output().metadata()
    assert inputs()[0]["fingerprint"] == sidecar["output"]["fingerprint"]
    assert inputs()[0]["run_id"] == sidecar["run_id"]
    assert not run_task(task, progress=False).ran


@pytest.mark.parametrize("how", ["run", "run_task"])
def test_an_input_that_is_not_there_though_its_task_is_complete_is_only_missed_when_read(
    how: str,
) -> None:
    class Says(Task):
        def complete(self):
            return True

        def output(self):
            return LocalFileTarget("nowhere.txt")

    def run(task: Any) -> None:
        task.run() if how == "run" else run_task(task, raise_exception=True, progress=False)

    run(reading(InPlace, Says))
    assert inputs()[0]["fingerprint"] == "run:unknown"
    with pytest.raises(TargetMissing, match=r"'nowhere.txt' does not exist"):
        run(reading(Atomic, Says))


def test_an_input_is_credited_to_its_run_only_while_it_is_what_that_wrote() -> None:
    class Makes(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("made.txt")

        def run(self, output_path):
            Path(output_path).write_text("made")

    Makes().run()
    reading(Atomic, Makes).run()
    assert inputs()[0]["run_id"] == Makes().output().metadata()["run_id"]
    Path("made.txt").write_text("edited by hand")
    reading(Atomic, Makes).run()
    assert inputs()[0]["run_id"] is None
    assert inputs()[0]["fingerprint"] == sha256(b"edited by hand")
