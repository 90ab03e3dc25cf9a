"""Outputs that appear complete, or not at all (`AtomicTaskWithMetadata`)."""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path
from typing import Any

import luigi
import luigi.mock
import pytest

from superluigi import run_task
from superluigi.errors import (
    BuildFailed,
    MetadataError,
    OutputNotWritten,
    SuperLuigiError,
    TargetConflict,
    TargetError,
)
from superluigi.execution.order import RunOrder
from superluigi.execution.published_outputs import PublishedOutputs
from superluigi.sidecar import MAX_SIDECAR_BYTES
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata

pytestmark = pytest.mark.usefixtures("project")


def beside(folder: str = ".") -> set[str]:
    return {path.name for path in Path(folder).iterdir()} - {"superluigi.toml", ".superluigi"}


def kept_path(error: BaseException) -> Path:
    found = re.search(r"What run\(\) wrote is kept in '([^']*)'", str(error))
    assert found, error
    return Path(found[1])


class Two(AtomicTaskWithMetadata):
    """A file and a folder; what it writes is the module's `WRITES`."""

    def output(self):
        return {"file": LocalFileTarget("out/x.csv.gz"), "folder": LocalFolderTarget("out/y")}

    def run(self, output_path, metadata):
        WRITES[0](output_path, metadata)


def write_both(output_path: Any, metadata: Any) -> None:
    metadata["n"] = 1
    Path(output_path["file"]).write_text("new")
    Path(output_path["folder"], "part").write_text("new")


WRITES = [write_both]


@pytest.fixture(autouse=True)
def _writes() -> None:
    WRITES[0] = write_both


def put_old_ones() -> None:
    Path("out/y").mkdir(parents=True)
    Path("out/x.csv.gz").write_text("old")
    Path("out/y/old part").write_text("old")


def contents() -> dict[str, str]:
    return {str(p): p.read_text() for p in Path("out").rglob("*") if p.is_file()}


def test_several_outputs_appear_with_their_sidecars_and_nothing_else() -> None:
    put_old_ones()
    Two().run()
    assert beside("out") == {"x.csv.gz", "y", "x.csv.gz.metadata.json", "y.metadata.json"}
    assert Path("out/x.csv.gz").read_text() == "new"
    assert [path.name for path in Path("out/y").iterdir()] == ["part"]
    assert Two().output()["file"].metadata()["n"] == 1
    assert Two().output()["folder"].metadata()["n"] == 1


def test_nothing_is_seen_while_the_task_writes() -> None:
    put_old_ones()
    seen = []

    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        seen.append({k: v for k, v in contents().items() if "superluigi-tmp" not in k})

    WRITES[0] = write
    Two().run()
    assert seen == [{"out/x.csv.gz": "old", "out/y/old part": "old"}]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, SystemExit, GeneratorExit])
def test_a_failed_run_keeps_the_old_outputs_and_leaves_nothing(error: type[BaseException]) -> None:
    put_old_ones()
    before = contents()

    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        raise error

    WRITES[0] = write
    with pytest.raises(error):
        Two().run()
    assert contents() == before
    assert beside("out") == {"x.csv.gz", "y"}


def only_file(output_path: Any, metadata: Any) -> None:
    Path(output_path["file"]).write_text("new")


def only_folder(output_path: Any, metadata: Any) -> None:
    Path(output_path["folder"], "part").write_text("new")


def nothing(output_path: Any, metadata: Any) -> None:
    pass


@pytest.mark.parametrize(
    ("write", "message"),
    [
        (nothing, "wrote nothing to output_path, so 'out/x.csv.gz' was not made"),
        (only_folder, "wrote nothing to output_path, so 'out/x.csv.gz' was not made"),
        (only_file, "left the folder output_path empty, so 'out/y' was not made"),
    ],
)
def test_all_outputs_are_published_or_none(write: Any, message: str) -> None:
    put_old_ones()
    before = contents()
    WRITES[0] = write
    with pytest.raises(OutputNotWritten, match=message) as caught:
        Two().run()
    left = {name: text for name, text in contents().items() if ".unpublished-" not in name}
    assert left == before
    if write is not nothing:
        assert kept_path(caught.value).exists()
    assert not list(Path("out").glob("*.next"))
    assert not list(Path("out").glob(".superluigi-*"))


def test_a_change_of_metadata_that_json_cannot_hold_keeps_and_names_the_result() -> None:
    put_old_ones()
    before = contents()

    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        metadata["rows"] = rows = [1]
        rows.append(object())

    WRITES[0] = write
    with pytest.raises(MetadataError, match=r"metadata\['rows.1'\] is a builtins.object") as caught:
        Two().run()
    assert kept_path(caught.value).read_text() == "new"
    kept = {name for name in beside("out") if "unpublished" in name}
    assert len(kept) == 2
    assert {k: v for k, v in contents().items() if "unpublished" not in k} == before


def test_metadata_that_is_too_large_keeps_and_names_the_result() -> None:
    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        metadata["note"] = "x" * MAX_SIDECAR_BYTES

    WRITES[0] = write
    with pytest.raises(MetadataError, match="largest part is 'note'") as caught:
        Two().run()
    assert kept_path(caught.value).read_text() == "new"
    assert not any(target.exists() for target in Two().output().values())
    assert not list(Path("out").glob("*.next"))


def test_what_cannot_be_published_is_kept_and_named() -> None:
    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        Path("out/x.csv.gz").mkdir()

    WRITES[0] = write
    with pytest.raises(TargetConflict, match="is a folder, but a file was meant") as caught:
        Two().run()
    assert kept_path(caught.value).read_text() == "new"
    assert caught.value.target == LocalFileTarget("out/x.csv.gz")
    assert not list(Path("out").glob("*.next"))
    assert not list(Path("out").glob(".superluigi-*"))


def test_an_error_of_the_system_while_publishing_is_said_with_where_the_result_is() -> None:
    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        Path("out/x.csv.gz.metadata.json.next").mkdir()

    WRITES[0] = write
    with pytest.raises(TargetError, match="Publishing failed with IsADirectoryError") as caught:
        Two().run()
    assert isinstance(caught.value.__cause__, IsADirectoryError)
    assert kept_path(caught.value).read_text() == "new"


def test_a_name_that_leaves_no_room_for_a_sidecar_keeps_the_result() -> None:
    class Long(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("ü" * 125)

        def run(self, output_path):
            Path(output_path).write_text("new")

    with pytest.raises(TargetError, match="File name too long") as caught:
        Long().run()
    assert kept_path(caught.value).read_text() == "new"
    with pytest.raises(BuildFailed) as failed:
        run_task(Long(), progress=False)
    assert kept_path(failed.value).read_text() == "new"


def test_an_output_that_was_published_before_another_failed_is_not_kept_twice() -> None:
    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        Path("out/y").write_text("a file in the folder's place")

    WRITES[0] = write
    with pytest.raises(TargetConflict) as caught:
        Two().run()
    assert Path("out/x.csv.gz").read_text() == "new"
    assert str(caught.value).count("unpublished") == 1
    assert (kept_path(caught.value) / "part").read_text() == "new"


def test_the_old_version_of_a_folder_that_was_published_is_not_taken_for_the_result() -> None:
    class FolderFirst(AtomicTaskWithMetadata):
        def output(self):
            return [LocalFolderTarget("out/y"), LocalFileTarget("out/x")]

        def run(self, output_path):
            Path(output_path[0], "part").write_text("new")
            Path(output_path[1]).write_text("new")
            Path("out/x").mkdir()

    put_old_ones()
    with pytest.raises(TargetConflict) as caught:
        FolderFirst().run()
    assert str(caught.value).count("unpublished") == 1
    assert kept_path(caught.value).read_text() == "new"
    assert [path.name for path in Path("out/y").iterdir()] == ["part"]


def test_the_record_of_a_failed_publish_names_where_the_result_is() -> None:
    def write(output_path: Any, metadata: Any) -> None:
        write_both(output_path, metadata)
        metadata["rows"] = rows = [1]
        rows.append(object())

    WRITES[0] = write
    with pytest.raises(BuildFailed) as caught:
        run_task(Two(), progress=False)
    (failure,) = caught.value.failures
    assert "What run() wrote is kept in" in failure.error


def test_a_plain_luigi_target_is_published_as_well() -> None:
    class Plain(AtomicTaskWithMetadata):
        def output(self):
            return luigi.LocalTarget("x.csv")

        def run(self, output_path):
            Path(output_path).write_text("new")

    Plain().run()
    assert LocalFileTarget("x.csv").metadata()["family"] == "Plain"


def test_a_marker_beside_a_file_must_exist_after_the_run() -> None:
    class Marks(AtomicTaskWithMetadata):
        def output(self):
            return [luigi.mock.MockTarget("the marker"), LocalFileTarget("x")]

        def run(self, output_path):
            marker, path = output_path
            Path(path).write_text("x")
            if Path("mark").exists():
                with marker.open("w") as file:
                    file.write("done")

    with pytest.raises(OutputNotWritten, match="without writing the output '0'"):
        Marks().run()
    assert not Path("x").exists()
    Path("mark").touch()
    Marks().run()
    assert Path("x").exists()


def test_a_complete_of_ones_own_has_the_last_word() -> None:
    class Own(Two):
        def complete(self):
            return False

    with pytest.raises(OutputNotWritten, match=r"Own.complete\(\) still returns False"):
        Own().run()
    assert Path("out/x.csv.gz").read_text() == "new"
    assert beside("out") == {"x.csv.gz", "y", "x.csv.gz.metadata.json", "y.metadata.json"}


@pytest.mark.skipif(sys.platform != "linux", reason="tells from /proc what is synced")
def test_durable_builds_sync_everything_that_they_publish(monkeypatch: pytest.MonkeyPatch) -> None:
    synced: set[str] = set()
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.add(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    run_task(Two(), progress=False)
    assert not {"x.csv.gz", "part", "out"} & synced
    Path("superluigi.toml").write_text('durability = "fsync"')
    run_task(Two(), force=True, progress=False)
    expected = {"x.csv.gz", "x.csv.gz.metadata.json.next", "part", "y", "y.metadata.json", "out"}
    assert expected <= synced


def test_nothing_is_published_for_a_build_that_is_gone() -> None:
    order = RunOrder("run", "0" * 32, None, reason={}, inputs=(), builder_pid=1)
    outputs = PublishedOutputs(Two(), order)
    outputs.begin()
    write_both(outputs.path_structure(), {})
    with pytest.raises(SuperLuigiError, match="process 1\\) is gone: nothing is published"):
        outputs.publish(lambda row: row)
    assert not Path("out/x.csv.gz").exists()
