"""Comparing targets with their records."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi_catalog import Catalog, TaskNotFound
from superluigi_catalog.upkeep import Progress, Verified
from tests.superluigi.places.conftest import A, B, C, lose_catalog


def problems(found: Verified) -> dict[str, str]:
    return {each.uri: each.problem for each in found.problems}


def verified(*refs: Any, **options: Any) -> Verified:
    with Catalog() as catalog:
        return catalog.verify(*refs, **options)


def overwritten_in_secret(path: Path, text: str) -> None:
    """Other bytes of the same size, behind the same time and inode; only the change time tells."""
    status = path.stat()
    path.write_text(text)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))


def test_what_is_as_recorded_is_no_problem(built: Path) -> None:
    steps: list[Progress] = []
    for content in (False, True):
        found = verified(content=content, progress=steps.append)
        assert (found.checked, found.problems) == (3, ())
    assert (steps[-1].done, steps[-1].total, steps[-1].problems) == (3, 3, 0)


def test_a_touched_file_is_read_and_found_right(built: Path) -> None:
    os.utime("data/b.txt", ns=(5, 5))
    assert verified().problems == ()
    assert plan_task(C()).to_run == ()


def test_what_is_missing_changed_or_cannot_be_looked_at_is_reported(built: Path) -> None:
    Path("data/a.txt").unlink()
    Path("data/b.txt").write_text("longer than before")
    Path("data/c.txt").unlink()
    Path("data/c.txt").mkdir()
    found = verified()
    assert problems(found) == {
        "data/a.txt": "missing",
        "data/b.txt": "changed",
        "data/c.txt": "changed",
    }
    changed = next(each for each in found.problems if each.uri == "data/b.txt")
    assert (changed.task_hash, changed.family) == (B().task_id, "B")
    with Catalog() as catalog:
        assert catalog.task(A()).status == "missing"
        assert catalog.task(C()).status == "stale"


def test_only_what_is_named_is_checked(built: Path) -> None:
    for path in ("data/a.txt", "data/b.txt"):
        Path(path).unlink()
    assert problems(verified("data/a.txt")) == {"data/a.txt": "missing"}
    assert problems(verified(B(), C().task_id)) == {"data/b.txt": "missing"}
    with pytest.raises(TaskNotFound):
        verified("data/nothing.txt")


def test_bytes_that_only_reading_tells_are_found_by_content(built: Path) -> None:
    os.utime("data/b.txt", ns=(5, 5))  # no file that may have changed in the instant of the look
    verified()
    with Catalog() as catalog:
        (target,) = catalog.targets("data/b.txt")
        record = catalog.target_records(["data/b.txt"])["data/b.txt"]
    overwritten_in_secret(Path("data/b.txt"), "xx")
    with Catalog() as catalog:
        # As if even the change time were the same.
        from superluigi.targets import LocalFileTarget

        token = LocalFileTarget("data/b.txt").observe().token
        with catalog.transaction(), catalog._connections.transaction() as session:
            session.execute("UPDATE targets SET token = ? WHERE uri = 'data/b.txt'", (token,))
    assert record.fingerprint == target.fingerprint
    assert verified().problems == ()
    assert problems(verified(content=True)) == {"data/b.txt": "changed"}


def test_what_a_crashed_machine_may_have_lost_stays_in_doubt(built: Path) -> None:
    """A look without reading says nothing that a plan may rely on: when it was last read stays on record."""
    with Catalog() as catalog:
        before = catalog.target_records(["data/b.txt"])["data/b.txt"].observed_ns
        os.utime("data/b.txt", ns=(5, 5))
        catalog.verify()
        read = catalog.target_records(["data/b.txt"])["data/b.txt"].observed_ns
        catalog.verify()
        assert before < read == catalog.target_records(["data/b.txt"])["data/b.txt"].observed_ns


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": "superluigi-sidecar/9"}'], ids=repr)
def test_a_broken_sidecar_is_reported(built: Path, data: bytes) -> None:
    Path("data/b.txt.metadata.json").write_bytes(data)
    found = verified()
    assert problems(found) == {"data/b.txt": "sidecar"}
    assert Path("data/b.txt.metadata.json").read_bytes() == data


def test_the_sidecar_of_another_target_is_reported(built: Path) -> None:
    shutil.copy("data/a.txt.metadata.json", "data/b.txt.metadata.json")
    assert problems(verified()) == {"data/b.txt": "sidecar"}
    Path("data/b.txt.metadata.json").unlink()
    assert verified().problems == ()


def test_what_no_run_is_known_to_have_made_is_unrecorded(built: Path) -> None:
    lose_catalog()
    for path in (Path("data/c.txt"), Path("data/c.txt.metadata.json")):
        path.unlink()
    plan_task(C())
    with Catalog() as catalog:
        # A build that declared them and died before it recorded anything else.
        from superluigi_catalog import TaskEntry

        catalog.record_tasks(
            [
                TaskEntry(
                    "0" * 32, "Other", "m", {}, outputs=(("", "data/c.txt", "LocalFileTarget"),)
                )
            ]
        )
        assert catalog.verify().problems == ()
        Path("data/c.txt").write_text("by hand")
        assert problems(catalog.verify("data/c.txt")) == {"data/c.txt": "unrecorded"}


def test_an_external_file_is_compared_with_what_was_last_seen(built: Path) -> None:
    from tests.flows import Raw

    Path("source.txt").write_text("hello")
    run_task(Raw(), progress=False)
    assert verified().problems == ()
    Path("source.txt").write_text("other text")
    found = verified()
    assert problems(found) == {"source.txt": "changed"}
    assert found.problems[0].family == "Source"


def test_a_catalog_that_is_only_read_is_not_written(built: Path) -> None:
    Path("data/a.txt").unlink()
    with Catalog(read_only=True) as catalog:
        assert problems(catalog.verify()) == {"data/a.txt": "missing"}
        assert catalog.task(A()).status == "fresh"


def test_objects_and_prefixes_are_compared_too(built: Path, s3: Any) -> None:
    from tests.s3_flows import S3Report

    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hello")
    run_task(S3Report(), progress=False)
    assert (verified().checked, verified(content=True).problems) == (7, ())
    s3.put_object(Bucket="lake", Key="raw/raw.txt", Body=b"hellO")
    s3.delete_object(Bucket="lake", Key="source.txt")
    s3.put_object(Bucket="lake", Key="clean/first.txt", Body=b"x")
    s3.put_object(Bucket="lake", Key="clean.metadata.json", Body=b"{")
    found = problems(verified())
    assert found == {
        "s3://lake/raw/raw.txt": "changed",
        "s3://lake/source.txt": "missing",
        "s3://lake/clean/": "changed",
    }
    with Catalog() as catalog:
        (target,) = catalog.targets("s3://lake/raw/raw.txt")
        assert (target.state, target.fingerprint) == ("present", None)


def test_a_store_that_refuses_is_a_problem_of_its_targets(built: Path, s3: Any) -> None:
    with Catalog() as catalog:
        document = json.loads(Path("data/b.txt.metadata.json").read_text())
        catalog.index_sidecar(
            document | {"run_id": "other", "task_hash": "1" * 32},
            uri="s3://nowhere-at-all/b.txt",
            kind="S3ObjectTarget",
        )
        assert problems(catalog.verify()) == {"s3://nowhere-at-all/b.txt": "error"}
