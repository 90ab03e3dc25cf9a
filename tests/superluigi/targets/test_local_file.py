"""`LocalFileTarget`: what is special to local files; what all targets share is in `test_contract.py`."""

from __future__ import annotations

import gzip
import hashlib
import os
import sys
from pathlib import Path
from typing import Any

import luigi.format
import pytest

from superluigi.errors import InputChanged, SidecarError, TargetConflict
from superluigi.files import STASH_PREFIX
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from tests.superluigi.targets.contract import NEW, OLD, FileKind, document, published, sealed

pytestmark = pytest.mark.usefixtures("project")

KIND = FileKind()


def test_a_path_may_be_a_path_object() -> None:
    target = LocalFileTarget(Path("data") / "x.csv", metadata_path=Path("meta.json"))
    assert target.path == "data/x.csv"
    assert target.metadata_path == "meta.json"


def test_the_sidecar_is_beside_the_file_unless_it_is_elsewhere() -> None:
    assert LocalFileTarget("data/x.csv").metadata_path == "data/x.csv.metadata.json"
    assert LocalFileTarget("/abs/x").metadata_path == "/abs/x.metadata.json"


def test_a_relative_path_and_an_absolute_one_are_one_place(project: Path) -> None:
    assert LocalFileTarget("x.csv").uri == str(project / "x.csv")
    assert LocalFileTarget("x.csv") == LocalFileTarget(project / "sub/../x.csv")


def test_open_writes_all_at_once_in_the_format_that_was_asked_for() -> None:
    target = LocalFileTarget("deep/er/x.csv.gz", format=luigi.format.Gzip)
    with target.open("w") as file:
        file.write(b"a,b\n")
        assert not target.exists()
    assert gzip.decompress(Path("deep/er/x.csv.gz").read_bytes()) == b"a,b\n"
    with target.open() as file:
        assert file.read() == b"a,b\n"


def test_luigis_temporary_path_works() -> None:
    target = LocalFileTarget("deep/x.csv")
    with target.temporary_path() as path:
        Path(path).write_text("new")
    assert Path("deep/x.csv").read_text() == "new"


def test_a_fingerprint_is_of_the_bytes_alone() -> None:
    KIND.put(KIND.target(), OLD)
    target = KIND.target()
    fingerprint = target.read_content(target.observe()).fingerprint
    assert fingerprint == f"sha256:{hashlib.sha256(b'old a').hexdigest()}"
    os.utime(target.path, (1, 1))
    Path(target.path).chmod(0o400)
    assert target.read_content(target.observe()).fingerprint == fingerprint


def test_a_token_says_size_times_and_inode() -> None:
    Path("x").write_text("old")
    target = LocalFileTarget("x")
    status = Path("x").stat()
    expected = f"stat:3:{status.st_mtime_ns}:{status.st_ino}:{status.st_ctime_ns}"
    assert target.observe().token == expected
    Path("y").write_text("new")
    os.utime("y", ns=(status.st_atime_ns, status.st_mtime_ns))
    Path("y").replace("x")
    assert target.observe().token != expected


def test_a_folder_in_the_files_place_is_a_conflict_that_says_so() -> None:
    target = LocalFileTarget("x")
    Path("x").mkdir()
    for attempt in (target.exists, target.observe, lambda: target.stash("run"), target.download):
        with pytest.raises(
            TargetConflict, match=r"'x' is a folder, but a file was meant"
        ) as caught:
            attempt()
        assert caught.value.target is target


def test_a_folder_that_appeared_meanwhile_is_not_replaced() -> None:
    target = LocalFileTarget("x")
    pending, sidecar = sealed(KIND, target, NEW)
    pending.prepare(sidecar)
    Path("x").mkdir()
    Path("x/mine").touch()
    with pytest.raises(TargetConflict):
        pending.commit()
    assert Path("x/mine").exists()
    pending.discard()
    assert {path.name for path in Path().iterdir()} == {"x", "superluigi.toml"}


def test_a_file_where_a_folder_above_belongs_is_named() -> None:
    Path("data").write_text("a file")
    target = LocalFileTarget("data/sub/x.csv")
    assert not target.exists()
    assert target.metadata() is None
    with pytest.raises(TargetConflict, match=r"cannot be made: '.*data.*' is a file where"):
        target.begin_output("run")


def test_a_new_version_is_written_on_the_targets_filesystem_in_a_directory_of_its_own() -> None:
    target = LocalFileTarget("deep/x.csv")
    one, other = target.begin_output("run"), target.begin_output("run")
    assert Path(one.path).parent.parent == Path("deep").resolve()
    assert Path(one.path).parent != Path(other.path).parent
    one.discard()
    other.discard()
    assert list(Path("deep").iterdir()) == []


def test_publishing_replaces_a_link_and_not_what_it_leads_to() -> None:
    Path("elsewhere").write_text("precious")
    Path("x").symlink_to("elsewhere")
    published(KIND, LocalFileTarget("x"), NEW)
    assert Path("elsewhere").read_text() == "precious"
    assert not Path("x").is_symlink()


def test_a_link_is_read_through() -> None:
    Path("elsewhere").write_text("linked")
    Path("x").symlink_to("elsewhere")
    target = LocalFileTarget("x")
    assert target.observe().size_bytes == 6
    Path("elsewhere").unlink()
    assert not target.exists()


def test_a_crash_between_file_and_sidecar_leaves_the_announcement() -> None:
    target = LocalFileTarget("x")
    pending, sidecar = sealed(KIND, target, NEW)
    pending.prepare(sidecar)
    Path("x.metadata.json").mkdir()  # so that the sidecar cannot be renamed
    with pytest.raises(OSError, match="directory"):
        pending.commit()
    pending.discard()
    assert pending.is_published
    assert Path("x").read_bytes() == NEW["a.txt"]
    assert sidecar["run_id"].encode() in (target.read_next() or b"")


def test_a_folder_in_the_sidecars_place_is_no_sidecar() -> None:
    Path("x.metadata.json").mkdir()
    with pytest.raises(SidecarError):
        LocalFileTarget("x").metadata()


def test_a_download_onto_itself_changes_nothing(project: Path) -> None:
    target = LocalFileTarget("data/x.csv")
    KIND.put(target, OLD)
    for to in ("data/x.csv", "data", str(project / "data/x.csv")):
        assert Path(target.download(to)).samefile("data/x.csv")
        assert Path("data/x.csv").read_bytes() == OLD["a.txt"]
    Path("link").symlink_to("data/x.csv")
    target.download("link")
    assert Path("data/x.csv").read_bytes() == OLD["a.txt"]


def test_a_download_into_a_folder_keeps_the_name_and_replaces_what_is_there() -> None:
    target = LocalFileTarget("data/x.csv")
    KIND.put(target, OLD)
    Path("to").mkdir()
    Path("to/x.csv").write_text("older")
    assert target.download("to") == "to/x.csv"
    assert Path("to/x.csv").read_bytes() == OLD["a.txt"]
    assert [path.name for path in Path("to").iterdir()] == ["x.csv"]


def test_an_input_that_never_rests_is_not_handed_out(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    class Restless(LocalFileTarget):
        copies = 0

        def _copy_to(self, destination: str) -> None:
            super()._copy_to(destination)
            self.copies += 1
            Path(self.path).write_text("x" * self.copies)

    Path("x").write_text("first")
    directory = tmp_path_factory.mktemp("inputs")
    target = Restless("x")
    with pytest.raises(InputChanged, match=r"'x' kept changing") as caught:
        target.hand_out(str(directory))
    assert target.copies == 3
    assert caught.value.target is target
    assert list(directory.iterdir()) == []


@pytest.mark.parametrize("left", ["file", "folder"])
def test_an_old_file_comes_back_over_whatever_a_task_left(left: str) -> None:
    Path("x").write_text("old")
    stash = LocalFileTarget("x").stash("run")
    assert stash is not None
    stash.take()
    if left == "file":
        Path("x").write_text("new")
    else:
        Path("x/deep").mkdir(parents=True)
    stash.restore()
    assert Path("x").read_text() == "old"
    assert {path.name for path in Path().iterdir()} == {"x", "superluigi.toml"}


def test_a_stash_is_found_after_the_project_has_moved() -> None:
    target = LocalFileTarget("one/x")
    KIND.put(target, OLD)
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    Path("one").rename("other")
    moved = LocalFileTarget("other/x")
    assert moved.put_back(stash.location)
    assert Path("other/x").read_bytes() == OLD["a.txt"]
    assert not list(Path("other").glob(f"{STASH_PREFIX}*"))


@pytest.mark.skipif(sys.platform != "linux", reason="tells from /proc what is synced")
def test_what_is_published_durably_is_synced_before_it_counts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    synced: list[str] = []
    steps: list[str] = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        steps.append(f"sync {Path(synced[-1]).name}")
        real_fsync(descriptor)

    def replace(source: str, destination: str) -> None:
        steps.append(f"rename to {Path(destination).name}")
        real_replace(source, destination)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", replace)
    pending, sidecar = sealed(KIND, LocalFileTarget("out/x"), NEW)
    pending.durable = True
    pending.prepare(sidecar)
    pending.commit()
    pending.discard()
    assert steps == [
        "sync x",
        "sync x.metadata.json.next",
        "rename to x",
        "sync out",
        "rename to x.metadata.json",
        "sync out",
    ]
    steps.clear()
    LocalFileTarget("out/x").sync()
    assert steps == ["sync x.metadata.json", "sync out", "sync x", "sync out"]
    steps.clear()
    published(KIND, LocalFileTarget("out/x"), OLD)
    assert not any(step.startswith("sync") for step in steps)


def test_the_next_announcement_replaces_one_of_a_longer_text() -> None:
    target = LocalFileTarget("x")
    target.write_next(document(1, note="x" * 10_000))
    target.write_next(document(2))
    assert len(target.read_next() or b"") < 1_000


@pytest.mark.parametrize(
    ("cls", "on_s3"),
    [(LocalFileTarget, "S3ObjectTarget"), (LocalFolderTarget, "S3PrefixTarget")],
    ids=["file", "folder"],
)
def test_what_is_no_local_path_is_refused(cls: Any, on_s3: str) -> None:
    with pytest.raises(ValueError, match=f"{cls.__name__} was given an empty path"):
        cls("")
    with pytest.raises(ValueError, match=rf"is on S3. Use {on_s3}\('s3://lake/key'\)"):
        cls("s3://lake/key")


def test_two_that_publish_at_once_without_knowing_of_each_other_both_end_well() -> None:
    target = LocalFileTarget("x")
    pending = [sealed(KIND, target, OLD, run=1), sealed(KIND, target, NEW, run=2)]
    for each, sidecar in pending:
        each.prepare(sidecar)
    for each, _ in pending:
        each.commit()
        each.discard()
    assert Path("x").read_bytes() == NEW["a.txt"]
    assert target.metadata() == pending[1][1]
    assert not target.is_announced()
