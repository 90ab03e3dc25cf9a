"""Builds of several projects that make one target on S3 at once: they share the store, but no catalog and no lock."""

from __future__ import annotations

import multiprocessing
import os
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed
from superluigi.s3 import capabilities
from superluigi.targets import S3ObjectTarget, S3PrefixTarget
from superluigi.tasks import AtomicTaskWithMetadata
from tests.s3_server import FaultProxy


class SharedObject(AtomicTaskWithMetadata):
    def output(self):
        return S3ObjectTarget("lake", "shared/object.txt")

    def run(self, output_path):
        Path(output_path).write_text(Path("text").read_text())


class SharedPrefix(AtomicTaskWithMetadata):
    def output(self):
        return S3PrefixTarget("lake", "shared/prefix")

    def run(self, output_path):
        text = Path("text").read_text()
        for name in ("a.txt", "b.txt", f"{text}.txt"):
            Path(output_path, name).write_text(text)


def enter(place: Path, text: str) -> None:
    place.mkdir()
    os.chdir(place)
    Path("superluigi.toml").touch()
    Path("text").write_text(text)


def build(task: Any, place: Path, text: str, start: Any, results: Any) -> None:
    enter(place, text)
    capabilities._known.clear()
    start.wait()
    try:
        result = run_task(task, progress=False)
    except BuildFailed as error:
        results.put((text, error.failures[0].error_type.rpartition(".")[2]))
    else:
        results.put((text, "made" if result.ran else "found"))


def says_what_stands(target: Any) -> bool:
    """Whether the sidecar is about the bytes that a reader gets."""
    fingerprint = target.read_content(target.observe()).fingerprint
    return bool((target.metadata() or {})["output"]["fingerprint"] == fingerprint)


def held(target: Any) -> set[str]:
    """The texts in the target's objects: one for a whole version."""
    path = Path(target.download())
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    texts = {file.read_text() for file in files}
    assert path.is_file() or [file.name for file in files] == sorted(
        ("a.txt", "b.txt", f"{min(texts)}.txt")
    )
    return texts


def built_at_once(task: Any, root: Path, texts: list[str]) -> list[tuple[str, str]]:
    context = multiprocessing.get_context("fork")
    results, start = context.Queue(), context.Barrier(len(texts))
    builds = [
        context.Process(target=build, args=(task, root / f"{number}", text, start, results))
        for number, text in enumerate(texts)
    ]
    for each in builds:
        each.start()
    found = [results.get(timeout=100) for _ in builds]
    for each in builds:
        each.join()
    return found


@pytest.mark.parametrize("task", [SharedObject, SharedPrefix])
@pytest.mark.parametrize("ignores", [False, True], ids=["keeps", "ignores"])
@pytest.mark.parametrize("count", [4, pytest.param(16, marks=pytest.mark.faults)])
def test_of_builds_at_once_one_whole_version_stands_and_its_lineage_is_right_or_mended(
    s3: Any, s3_faults: FaultProxy, tmp_path: Path, task: Any, ignores: bool, count: int
) -> None:
    s3_faults.ignores_conditions = ignores
    texts = [f"{number % (count // 2)}" for number in range(count)]  # always two make the same

    ended = built_at_once(task(), tmp_path, texts)

    won = {text for text, how in ended if how == "made"}
    assert won or ignores, ended
    refused = {"ObjectChanged", "SyncFailed"} | ({"TargetMissing"} if ignores else set())
    assert {how for _, how in ended} <= {"made", "found", *refused}
    target = task().output()
    is_described = says_what_stands(target)
    if not ignores:
        assert len(won) == 1
        assert is_described
    if is_described:
        assert held(target) <= set(texts)
        assert len(held(target)) == 1

    enter(tmp_path / "next", "next")
    result = run_task(task(), progress=False)

    assert bool(result.ran) is not is_described
    assert held(target) == ({"next"} if result.ran else won & held(target))
    assert says_what_stands(target)
    assert run_task(task(), progress=False).ran == ()
    rows = s3.list_objects_v2(Bucket="lake")["Contents"]
    assert [
        row["Key"] for row in rows if ".superluigi" in row["Key"] or ".next" in row["Key"]
    ] == []
