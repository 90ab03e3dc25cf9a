"""`LocalFolderTarget`: what is special to local folders; what all targets share is in `test_contract.py`."""

from __future__ import annotations

import os
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import luigi
import pytest

from superluigi.errors import InputChanged, OutputNotWritten, TargetConflict
from superluigi.files import STASH_PREFIX, shared_temporaries
from superluigi.targets import LocalFolderTarget, exchange
from superluigi.targets.foreign import adapt
from superluigi.targets.state import FileEntry, Observation, tree_fingerprint
from tests.superluigi.targets.contract import (
    NEW,
    OLD,
    FolderKind,
    FolderWithSidecarInsideKind,
    published,
    sealed,
)

pytestmark = pytest.mark.usefixtures("project")

LOOK = Observation(exists=True)
KIND = FolderKind()
INSIDE = FolderWithSidecarInsideKind()


def standing() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"superluigi.toml"}


@pytest.fixture
def no_exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A platform that cannot swap two folders in one step."""
    monkeypatch.setattr(sys, "platform", "other")
    exchange._exchange_function.cache_clear()
    yield
    exchange._exchange_function.cache_clear()


def test_the_sidecar_is_beside_the_folder_or_in_it_or_elsewhere() -> None:
    assert LocalFolderTarget("data/x/").metadata_path == "data/x.metadata.json"
    assert LocalFolderTarget("x", metadata_inside=True).metadata_path == "x/.metadata.json"
    assert LocalFolderTarget("x", metadata_path=Path("y.json")).metadata_path == "y.json"
    with pytest.raises(ValueError, match="'x': give metadata_path or metadata_inside, not both"):
        LocalFolderTarget("x", metadata_path="y", metadata_inside=True)


def test_a_trailing_slash_means_nothing() -> None:
    assert LocalFolderTarget("x/") == LocalFolderTarget("x")
    published(KIND, LocalFolderTarget("deep/x/"), OLD)
    assert sorted(path.name for path in Path("deep").iterdir()) == ["x", "x.metadata.json"]


def test_the_fingerprint_is_over_the_sorted_files() -> None:
    KIND.put(LocalFolderTarget("x"), {"b": b"2", "a/ü": b"", "a-": b"1"})
    content = LocalFolderTarget("x").read_content(LocalFolderTarget("x").observe())
    rows = [
        FileEntry(name, size, f"sha256:{digest}")
        for name, size, digest in (
            ("a-", 1, "6b86b273ff34fce19d6b804eff5a3f5747ada4eaa22f1d49c01e52ddb7875b4b"),
            ("a/ü", 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
            ("b", 1, "d4735e3a265e16eee03f59718b9b5d03019c07d8b6c51f90da3a666eec13ab35"),
        )
    ]
    assert content.contents == tuple(rows)
    assert content.fingerprint == tree_fingerprint(reversed(rows))
    assert content.fingerprint == (
        "tree-sha256:600847527fcb1e0efdc07c341d143830cb330a3a29600c3d25c6c07df515f27d"
    )


def test_moving_bytes_between_files_changes_the_fingerprint() -> None:
    one, other = LocalFolderTarget("one"), LocalFolderTarget("other")
    KIND.put(one, {"a": b"x", "b": b"y"})
    KIND.put(other, {"a": b"y", "b": b"x"})
    assert one.read_content(one.observe()) != other.read_content(other.observe())


def test_empty_folders_and_temporaries_do_not_count() -> None:
    target = LocalFolderTarget("x")
    KIND.put(target, OLD)
    token = target.observe().token
    Path("x/empty").mkdir()
    Path("x/.superluigi-tmp-1").mkdir()
    Path("x/.superluigi-tmp-1/half").touch()
    assert target.observe().token == token
    assert target.files() == sorted(OLD)


def test_an_empty_folder_exists() -> None:
    Path("x").mkdir()
    target = LocalFolderTarget("x")
    assert target.exists()
    assert target.observe().file_count == 0
    assert target.read_content(target.observe()).size_bytes == 0


def test_a_file_in_the_folders_place_is_a_conflict_that_says_so() -> None:
    Path("x").write_text("a file")
    for target in (LocalFolderTarget("x"), LocalFolderTarget("x/")):
        for attempt in (target.exists, target.observe, target.download):
            with pytest.raises(TargetConflict, match="is a file, but a folder was meant"):
                attempt()


def test_a_file_where_a_folder_above_belongs_means_missing() -> None:
    Path("data").write_text("a file")
    target = LocalFolderTarget("data/x")
    assert not target.exists()
    assert not target.observe().exists
    with pytest.raises(TargetConflict, match="is a file where a folder is needed"):
        target.begin_output("run")


def test_a_file_that_appeared_meanwhile_is_not_replaced() -> None:
    pending, sidecar = sealed(KIND, LocalFolderTarget("x"), NEW)
    pending.prepare(sidecar)
    Path("x").write_text("mine")
    with pytest.raises(TargetConflict):
        pending.commit()
    pending.discard()
    assert Path("x").read_text() == "mine"
    assert standing() == {"x"}


def test_a_folder_is_not_opened() -> None:
    with pytest.raises(TargetConflict, match=r"'x' is a folder\. Open a file in it"):
        LocalFolderTarget("x").open("w")


def test_a_copy_is_not_made_over_something() -> None:
    target = LocalFolderTarget("x")
    KIND.put(target, OLD)
    Path("taken").touch()
    with pytest.raises(TargetConflict, match="'taken' exists already"):
        target.download("taken")


def test_a_file_by_the_sidecars_name_in_the_output_is_refused() -> None:
    pending = LocalFolderTarget("x", metadata_inside=True).begin_output("run")
    Path(pending.path, "data").touch()
    Path(pending.path, ".metadata.json").write_text("mine")
    with pytest.raises(OutputNotWritten, match=r"'\.metadata\.json'.*the name of the sidecar"):
        pending.seal()
    pending.discard()


def test_a_sidecar_inside_appears_and_goes_with_the_folder() -> None:
    target = LocalFolderTarget("x", metadata_inside=True)
    sidecar = published(INSIDE, target, OLD)
    assert target.metadata() == sidecar
    assert target.files() == sorted(OLD)
    assert sidecar["output"]["file_count"] == 3
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    assert target.metadata() is None
    stash.restore()
    assert target.metadata() == sidecar


def test_a_sidecar_inside_is_not_handed_out(tmp_path_factory: pytest.TempPathFactory) -> None:
    target = LocalFolderTarget("x", metadata_inside=True)
    published(INSIDE, target, OLD)
    path, _ = target.hand_out(str(tmp_path_factory.mktemp("inputs")))
    assert INSIDE.read(path) == OLD


def test_a_folder_with_its_sidecar_inside_is_recognised_as_a_plain_target() -> None:
    target = LocalFolderTarget("x", metadata_inside=True)
    sidecar = published(INSIDE, target, OLD)
    adapted = adapt(luigi.LocalTarget("x"))
    assert adapted is not None
    assert adapted.observe().token == target.observe().token
    assert adapted.metadata() == sidecar
    Path("x/.metadata.json").write_text("another tool's")
    assert adapt(luigi.LocalTarget("x")).metadata_path == "x.metadata.json"


def test_a_reader_never_misses_the_folder_nor_sees_two_versions_mixed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real_rename = os.rename

    def slow_rename(source: str, destination: str) -> None:
        real_rename(source, destination)
        time.sleep(0.002)  # so that what happens between two renames is seen

    monkeypatch.setattr(os, "rename", slow_rename)
    target = LocalFolderTarget("x")
    versions = [{"n": bytes([n]), f"only{n}": b""} for n in (1, 2)]
    published(KIND, target, versions[0])
    if not exchange.exchange("x", shutil.copytree("x", "y")):
        pytest.skip("this filesystem cannot swap two folders at once")
    shutil.rmtree("y")
    stop = threading.Event()
    seen: set[tuple[str, ...]] = set()
    problems: list[object] = []

    def read_often() -> None:
        while not stop.is_set():
            if not Path("x").is_dir():
                problems.append("missing")
            try:
                seen.add(tuple(target.files()))
                seen.add(tuple(entry.path for entry in target.read_content(LOOK).contents))
            except Exception as problem:
                problems.append(problem)

    reader = threading.Thread(target=read_often)
    reader.start()
    try:
        for run in range(60):
            published(KIND, target, versions[run % 2], run)
    finally:
        stop.set()
        reader.join()
    assert not problems
    assert seen == {("n", "only1"), ("n", "only2")}


@pytest.mark.usefixtures("no_exchange")
def test_where_folders_cannot_be_swapped_at_once_the_new_one_replaces_the_old_one() -> None:
    target = LocalFolderTarget("x")
    published(KIND, target, OLD)
    with shared_temporaries():
        published(KIND, target, NEW, run=2)
        published(KIND, LocalFolderTarget("y"), OLD)
        published(KIND, LocalFolderTarget("y"), NEW)
    assert KIND.content(target) == NEW
    assert standing() == {"x", "x.metadata.json", "y", "y.metadata.json"}


@pytest.mark.usefixtures("no_exchange")
def test_where_folders_cannot_be_swapped_at_once_a_failure_keeps_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target = LocalFolderTarget("x")
    published(KIND, target, OLD)
    pending, sidecar = sealed(KIND, target, NEW)
    pending.prepare(sidecar)
    shutil.rmtree(pending.path)  # so that the second of the two renames fails
    with pytest.raises(FileNotFoundError):
        pending.commit()
    pending.discard()
    assert KIND.content(target) == OLD
    assert target.read_next() is None


@pytest.mark.usefixtures("no_exchange")
def test_where_a_swap_died_half_way_the_old_folder_is_found_by_the_announcement() -> None:
    target = LocalFolderTarget("x")
    published(KIND, target, OLD)
    pending, sidecar = sealed(KIND, target, NEW)
    pending.prepare(sidecar)
    announced = (target.read_next() or b"").decode()
    location = announced.partition('"stash": "')[2].partition('"')[0]
    assert STASH_PREFIX in location
    Path(location).parent.mkdir()
    Path("x").rename(location)  # and then the machine died
    assert target.put_back(location)
    assert KIND.content(target) == OLD


@pytest.mark.parametrize("left", ["file", "folder", "nothing"])
def test_an_old_folder_comes_back_over_whatever_a_task_left(left: str) -> None:
    target = LocalFolderTarget("x")
    KIND.put(target, OLD)
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    if left == "file":
        Path("x").write_text("new")
    elif left == "folder":
        KIND.put(target, NEW)
    stash.restore()
    assert KIND.content(target) == OLD
    assert standing() == {"x"}


def test_a_folder_that_vanishes_while_it_is_walked_is_missing() -> None:
    class Vanishing(LocalFolderTarget):
        def _rows(self):
            shutil.rmtree(self.path)
            return super()._rows()

    KIND.put(LocalFolderTarget("x"), OLD)
    assert not Vanishing("x").observe().exists


def test_a_folder_whose_files_keep_vanishing_cannot_be_looked_at() -> None:
    class Restless(LocalFolderTarget):
        def _rows(self):
            raise FileNotFoundError

    KIND.put(LocalFolderTarget("x"), OLD)
    with pytest.raises(InputChanged, match="kept changing while it was looked at"):
        Restless("x").observe()


@pytest.mark.skipif(sys.platform != "linux", reason="tells from /proc what is synced")
def test_what_is_published_durably_is_synced_with_all_its_folders(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    synced: list[str] = []
    real_fsync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        real_fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    pending, sidecar = sealed(KIND, LocalFolderTarget("out/x"), NEW)
    pending.durable = True
    pending.prepare(sidecar)
    assert {"a.txt", "b.bin", "c", "x", "deep", "er", "x.metadata.json.next"} == set(synced)
    synced.clear()
    pending.commit()
    assert synced == ["out", "x.metadata.json", "out"]
    pending.discard()
    synced.clear()
    LocalFolderTarget("out/x").sync()
    assert {"a.txt", "b.bin", "c", "x", "deep", "er", "x.metadata.json", "out"} == set(synced)
