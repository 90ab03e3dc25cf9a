"""A process that dies at any step of a build into S3: before any request, any change of a file, any record.

By default one step in sixteen is tried; `make faults` tries them all.
"""

from __future__ import annotations

import shutil
import tempfile
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.targets import S3ObjectTarget, S3PrefixTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask
from superluigi_catalog import Catalog
from tests.dying import die_before
from tests.rebuilt_catalogs import assert_rebuilt_catalog_decides_alike

RAN = Path("ran.log")


class CrashSource(ExternalTask):
    def output(self):
        return S3ObjectTarget("lake", "source.txt")


class CrashObject(AtomicTaskWithMetadata):
    def requires(self):
        return CrashSource()

    def output(self):
        return S3ObjectTarget("lake", "out/object.txt")

    def run(self, input_path, output_path):
        note(self)
        Path(output_path).write_text(Path(input_path).read_text())


class CrashPrefix(AtomicTaskWithMetadata):
    def requires(self):
        return CrashSource()

    def output(self):
        return S3PrefixTarget("lake", "out/prefix")

    def run(self, input_path, output_path):
        note(self)
        text = Path(input_path).read_text()
        Path(output_path, "a.txt").write_text(text)
        Path(output_path, f"{text}.txt").write_text(text * 2)


class CrashReader(AtomicTaskWithMetadata):
    """Reads all that may be half done."""

    def requires(self):
        return [CrashObject(), CrashPrefix()]

    def output(self):
        return S3ObjectTarget("lake", "out/reader.txt")

    def run(self, input_path, output_path):
        note(self)
        first, folder = input_path
        texts = {path.name: path.read_text() for path in sorted(Path(folder).iterdir())}
        Path(output_path).write_text(f"{Path(first).read_text()} {texts}")


def note(task: Any) -> None:
    with RAN.open("a") as file:
        file.write(f"{task.get_task_family()}\n")


def ran() -> list[str]:
    lines = RAN.read_text().split() if RAN.exists() else []
    RAN.unlink(missing_ok=True)
    return lines


TASKS = pytest.mark.parametrize("task", [CrashObject, CrashPrefix, CrashReader])
MATRIX = pytest.mark.parametrize("over_an_old_result", [False, True])


@MATRIX
@pytest.mark.parametrize(("task", "first"), [(CrashObject, 2), (CrashPrefix, 4)])
def test_dying_at_some_steps_of_a_build_into_s3_is_mended_by_the_next(
    task: Any, first: int, over_an_old_result: bool, s3: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    die_at_each(task, over_an_old_result, s3, tmp_path, monkeypatch, first=first, every=16)


@pytest.mark.faults
@pytest.mark.timeout(1_200)
@MATRIX
@TASKS
def test_dying_at_any_step_of_a_build_into_s3_is_mended_by_the_next(
    task: Any, over_an_old_result: bool, s3: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    die_at_each(task, over_an_old_result, s3, tmp_path, monkeypatch, first=1, every=1)


def die_at_each(
    task: Any,
    over_an_old_result: bool,
    s3: Any,
    tmp_path: Path,
    monkeypatch: Any,
    *,
    first: int,
    every: int,
) -> None:
    for step in count(first, every):
        place = tmp_path / f"step{step}"
        place.mkdir()
        monkeypatch.chdir(place)
        Path("superluigi.toml").touch()
        for key in keys(s3):
            s3.delete_object(Bucket="lake", Key=key)
        if over_an_old_result:
            s3.put_object(Bucket="lake", Key="source.txt", Body=b"old")
            run_task(task(), progress=False)
            if step % 2:  # so that inputs are downloaded, too
                shutil.rmtree(".superluigi/cache")
        Path(".superluigi").mkdir(exist_ok=True)
        before = contents(task()), publisher(task())
        s3.put_object(Bucket="lake", Key="source.txt", Body=b"new")
        lived = die_before(step, lambda: run_task(task(), progress=False), within=place)
        check_next_build(task(), *before, s3)
        if lived:
            assert step > 12
            return


def check_next_build(task: Any, old: Any, published_by: Any, s3: Any) -> None:
    stood = contents(task)
    was_published = publisher(task) != published_by
    ran()
    result = run_task(task, progress=False)
    assert stood in (old, contents(task))
    assert "new" in str(contents(task))
    again = sorted(ran())
    assert again == sorted(decision.family for decision in result.ran)
    assert (task.get_task_family() in again) is not was_published
    assert list(Path(".superluigi/tmp").iterdir()) == []
    with Catalog() as catalog:
        assert {run.status for run in catalog.runs()} <= {"succeeded", "interrupted", "unchanged"}
        assert {row.status for row in catalog.tasks()} == {"fresh"}
    assert_rebuilt_catalog_decides_alike(task, "s3://lake/out/")
    assert run_task(task, progress=False).ran == ()
    assert ran() == []
    leftovers = [key for key in keys(s3) if ".superluigi" in key or key.endswith(".next")]
    assert leftovers == []


def keys(s3: Any) -> list[str]:
    return [row["Key"] for row in s3.list_objects_v2(Bucket="lake").get("Contents", ())]


def contents(task: Any) -> Any:
    """What a reader finds: a whole result, or none."""
    target = task.output()
    if not target.exists():
        return None
    path = Path(target.download(tempfile.mkdtemp(dir=".superluigi") + "/copy"))
    if path.is_dir():
        return {file.name: file.read_text() for file in sorted(path.iterdir())}
    return path.read_text()


def publisher(task: Any) -> Any:
    """The run that the sidecar names."""
    return (task.output().metadata() or {}).get("run_id")
