"""What nobody needs any more, and what must never be removed."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi.parameters import IntParameter
from superluigi.s3.client import ClientSpec
from superluigi.s3.uploads import announced_upload
from superluigi.targets import LocalFileTarget, LocalFolderTarget, S3ObjectTarget, S3PrefixTarget
from superluigi.tasks import AtomicTaskWithMetadata
from superluigi_catalog import Catalog
from superluigi_catalog.upkeep import Orphans
from tests.s3_server import FaultProxy
from tests.superluigi.places.conftest import A, B, C, lose_catalog


class Leaf(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"old/leaf{self.n}.txt")

    def run(self, output_path):
        Path(output_path).write_text(f"leaf {self.n}")


class Tree(AtomicTaskWithMetadata):
    n = IntParameter()

    def requires(self):
        return Leaf(n=self.n)

    def output(self):
        return LocalFolderTarget(f"old/tree{self.n}", metadata_inside=True)

    def run(self, output_path):
        Path(output_path, "x.txt").write_text(f"tree {self.n}")


@pytest.fixture
def aged(built: Path) -> Path:
    """Two graphs: `Tree(1)` was built before `Tree(2)`, and only that was asked for lately."""
    run_task(Tree(n=1), progress=False)
    run_task(Tree(n=2), progress=False)
    return built


def orphans(catalog: Catalog, **options: Any) -> Orphans:
    return catalog.orphans(**{"unused_days": 0, **options})


def names(found: Orphans) -> set[str]:
    return {each.name for each in found.orphans}


OLD = {"old/leaf1.txt", "old/tree1", "data/a.txt", "data/b.txt", "data/c.txt"}


def test_what_the_newest_build_needs_is_no_orphan(aged: Path) -> None:
    with Catalog() as catalog:
        found = orphans(catalog)
        assert names(found) == OLD
        assert found.current_tasks == 2
        assert {each.kind for each in found.orphans} == {"target"}
        leaf = next(each for each in found.orphans if each.name == "old/leaf1.txt")
        assert (leaf.size_bytes, leaf.family) == (6, "Leaf")
        with Catalog() as again:
            assert leaf.last_used == again.runs(Tree(n=1))[0].started_at  # it was read then
        assert names(orphans(catalog, keep=[C()])) == {"old/leaf1.txt", "old/tree1"}
        assert names(orphans(catalog, keep=["old/tree1"])) == OLD - {"old/leaf1.txt", "old/tree1"}
        assert orphans(catalog, unused_days=1).orphans == ()
    for path in OLD:
        assert Path(path).exists()


def test_orphans_are_removed_with_their_sidecars(aged: Path) -> None:
    with Catalog() as catalog:
        done = catalog.remove_orphans(orphans(catalog))
        assert [each.kept_because for each in done.orphans] == [""] * 5
        assert orphans(catalog).orphans == ()
        assert catalog.task(A()).status == "missing"
    assert sorted(map(str, Path("old").iterdir())) == [
        "old/leaf2.txt",
        "old/leaf2.txt.metadata.json",
        "old/tree2",
    ]
    assert list(Path("data").iterdir()) == []
    assert plan_task(Tree(n=2)).to_run == ()
    assert len(plan_task(C()).to_run) == 3


def test_what_is_not_as_recorded_is_kept(aged: Path) -> None:
    Path("data/a.txt").write_text("edited by hand")
    Path("old/tree1/mine.txt").write_text("put there by hand")
    Path("data/b.txt.metadata.json.next").write_text("{}")
    Path("data/c.txt").unlink()
    with Catalog() as catalog:
        done = catalog.remove_orphans(orphans(catalog))
    kept = {each.name: each.kept_because for each in done.orphans if each.kept_because}
    assert set(kept) == {"data/a.txt", "old/tree1", "data/b.txt"}
    assert "not those that were recorded" in kept["data/a.txt"]
    assert "A run is writing it" in kept["data/b.txt"]
    for path in ("data/a.txt", "data/a.txt.metadata.json", "data/b.txt", "old/tree1/mine.txt"):
        assert Path(path).exists()
    assert not Path("data/c.txt.metadata.json").exists()


def test_a_sidecar_that_tells_of_other_bytes_is_kept(aged: Path) -> None:
    Path("data/a.txt.metadata.json").write_text("somebody's notes")
    with Catalog() as catalog:
        catalog.remove_orphans(orphans(catalog))
    assert not Path("data/a.txt").exists()
    assert Path("data/a.txt.metadata.json").read_text() == "somebody's notes"


def test_what_was_adopted_or_is_external_is_never_an_orphan(built: Path) -> None:
    from tests.flows import Raw

    Path("source.txt").write_text("hello")
    Path("raw.txt").write_text("stood there before")
    run_task(Raw(), progress=False)
    run_task(A(), progress=False, force=True)
    with Catalog() as catalog:
        assert not {"source.txt", "raw.txt"} & names(orphans(catalog))


def test_what_came_into_use_meanwhile_is_kept(aged: Path) -> None:
    with Catalog() as catalog:
        found = orphans(catalog)
        run_task(B(), progress=False)
        done = catalog.remove_orphans(found)
    kept = {each.name for each in done.orphans if each.kept_because}
    assert kept == {"data/a.txt", "data/b.txt"}
    assert Path("data/b.txt").exists()


def test_without_any_build_nobody_can_tell(built: Path) -> None:
    lose_catalog()
    with Catalog() as catalog:
        catalog.rebuild(".")
        found = orphans(catalog)
        assert (found.orphans, found.current_tasks) == ((), None)
        assert names(orphans(catalog, keep=[A()])) == {"data/b.txt", "data/c.txt"}
        done = catalog.remove_orphans(orphans(catalog, keep=[B()]))
        assert [each.kept_because for each in done.orphans] == [""]
    assert not Path("data/c.txt").exists()


def test_old_runs_are_released_but_never_what_stands_on_them(built: Path) -> None:
    for _ in range(3):
        run_task(A(), progress=False, force=True)
    with Catalog() as catalog:
        before = catalog.runs(A(), limit=None)
        found = orphans(catalog, keep_runs=1, keep=[C()])
        runs = [each for each in found.orphans if each.kind == "run"]
        # The newest stands, and B and C read what the first one made.
        assert [each.name for each in runs] == [run.run_id for run in reversed(before[1:-1])]
        catalog.remove_orphans(found)
        assert [run.run_id for run in catalog.runs(A(), limit=None)] == [
            before[0].run_id,
            before[-1].run_id,
        ]
        assert {task.task_hash for task in catalog.upstream(C())} == {A().task_id, B().task_id}
    assert plan_task(C()).to_run == ()


def test_copies_that_nobody_used_are_removed(aged: Path) -> None:
    blob = Path(".superluigi/cache/cas/v1/ab/abc")
    blob.parent.mkdir(parents=True)
    blob.write_bytes(b"12345")
    with Catalog() as catalog:
        assert str(blob.resolve()) not in names(orphans(catalog, unused_days=1))
        time.sleep(0.01)
        (copy,) = [each for each in orphans(catalog).orphans if each.kind == "copy"]
        assert (copy.name, copy.size_bytes) == (str(blob.resolve()), 5)
        os.utime(blob)
        (kept,) = [
            each
            for each in catalog.remove_orphans(
                Orphans((copy,), None, copy.last_used, (), 1)
            ).orphans
        ]
        assert kept.kept_because == "It was used meanwhile."
        time.sleep(0.01)
        catalog.remove_orphans(orphans(catalog))
    assert not blob.exists()


class OldObject(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return S3ObjectTarget("lake", f"old/{self.n}.txt")

    def run(self, output_path):
        Path(output_path).write_text(f"object {self.n}")


class OldPrefix(AtomicTaskWithMetadata):
    def output(self):
        return S3PrefixTarget("lake", "old/prefix")

    def run(self, output_path):
        Path(output_path, "own.txt").write_text("own")


def test_objects_are_removed_and_what_others_put_beside_them_stays(built: Path, s3: Any) -> None:
    run_task([OldObject(n=1), OldObject(n=2), OldPrefix()], progress=False)
    run_task(A(), progress=False, force=True)
    s3.put_object(Bucket="lake", Key="old/2.txt", Body=b"replaced by others")
    s3.put_object(Bucket="lake", Key="old/prefix/theirs.txt", Body=b"x")
    with Catalog() as catalog:
        found = orphans(catalog)
        done = catalog.remove_orphans(found)
    kept = {each.name for each in done.orphans if each.kept_because}
    assert kept == {"s3://lake/old/2.txt"}
    listed = {row["Key"] for row in s3.list_objects_v2(Bucket="lake")["Contents"]}
    assert listed == {"old/2.txt", "old/2.txt.metadata.json", "old/prefix/theirs.txt"}


def a_dead_upload(s3: Any, key: str) -> str:
    """As a process leaves it that was killed between two parts."""
    upload = s3.create_multipart_upload(Bucket="lake", Key=key)["UploadId"]
    child = os.fork()
    if not child:
        with announced_upload(ClientSpec(), "lake", key, upload):
            os._exit(9)
    os.waitpid(child, 0)
    return str(upload)


def test_uploads_in_which_a_process_died_are_aborted(built: Path, s3: Any) -> None:
    ours, others = (
        a_dead_upload(s3, "big.bin"),
        s3.create_multipart_upload(Bucket="lake", Key="big.bin"),
    )
    with announced_upload(ClientSpec(), "lake", "under way", "1"), Catalog() as catalog:
        found = catalog.orphans()
        (upload,) = found.orphans
        assert (upload.kind, upload.name, upload.fingerprint) == (
            "upload",
            "s3://lake/big.bin",
            ours,
        )
        assert len(s3.list_multipart_uploads(Bucket="lake")["Uploads"]) == 2
        (done,) = catalog.remove_orphans(found).orphans
        assert done.kept_because == ""
        assert catalog.orphans().orphans == ()
        assert catalog.remove_orphans(found).orphans[0].kept_because == ""
    (left,) = s3.list_multipart_uploads(Bucket="lake")["Uploads"]
    assert left["UploadId"] == others["UploadId"]


def test_an_upload_whose_bucket_is_gone_is_forgotten(built: Path, s3: Any) -> None:
    a_dead_upload(s3, "big.bin")
    with Catalog() as catalog:
        found = catalog.orphans()
        s3.abort_multipart_upload(
            Bucket="lake", Key="big.bin", UploadId=found.orphans[0].fingerprint
        )
        s3.delete_bucket(Bucket="lake")
        (done,) = catalog.remove_orphans(found).orphans
        assert done.kept_because == ""
        assert catalog.orphans().orphans == ()


def test_an_upload_that_the_store_does_not_abort_is_kept(
    built: Path, s3: Any, s3_faults: FaultProxy
) -> None:
    a_dead_upload(s3, "big.bin")
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"),
        when=lambda answer: "uploadId=" in answer.path,
    )
    with Catalog() as catalog:
        found = catalog.orphans()
        (done,) = catalog.remove_orphans(found).orphans
        assert "big.bin" in done.kept_because
        assert catalog.orphans().orphans == found.orphans


def test_another_projects_uploads_are_not_listed(built: Path, s3: Any, tmp_path: Path) -> None:
    a_dead_upload(s3, "big.bin")
    home = tmp_path / "elsewhere" / ".superluigi"
    home.mkdir(parents=True)
    with Catalog(home / "catalog.db") as catalog:
        assert catalog.orphans().orphans == ()
