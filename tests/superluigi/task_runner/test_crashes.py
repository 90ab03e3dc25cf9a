"""A process that dies at any step of a build: what stands then, and what the next build makes of it.

By default one step in three is tried; `make campaign` tries them all.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata, Task
from superluigi_catalog import Catalog
from tests.dying import die_before
from tests.rebuilt_catalogs import assert_rebuilt_catalog_decides_alike

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def text() -> str:
    return Path("word").read_text()


class CrashFile(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("out/file.txt")

    def run(self, output_path):
        Path(output_path).write_text(text())


class CrashFolder(AtomicTaskWithMetadata):
    def output(self):
        return LocalFolderTarget("out/folder")

    def run(self, output_path):
        Path(output_path, "a.txt").write_text(text())
        Path(output_path, "b.txt").write_text(text() * 2)


class CrashTwo(AtomicTaskWithMetadata):
    def output(self):
        return [LocalFileTarget("out/one.txt"), LocalFileTarget("out/two.txt")]

    def run(self, output_path):
        for path in output_path:
            Path(path).write_text(text())


class CrashInPlace(Task):
    def output(self):
        return LocalFileTarget("out/inplace.txt")

    def run(self):
        path = Path(self.output().path)
        path.parent.mkdir(exist_ok=True)
        path.write_text(text())


def bytes_of(path: Path) -> Any:
    if path.is_dir():
        return {file.name: file.read_bytes() for file in sorted(path.iterdir())}
    return path.read_bytes() if path.exists() else None


def check_sidecar(path: Path) -> None:
    document = json.loads(Path(f"{path}.metadata.json").read_text())
    recorded = document["output"]["fingerprint"]
    if path.is_dir():
        rows = "".join(
            f"{file.name}\0{file.stat().st_size}\0sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}\n"
            for file in sorted(path.iterdir())
        )
        assert recorded == "tree-sha256:" + hashlib.sha256(rows.encode()).hexdigest()
    else:
        assert recorded == "sha256:" + hashlib.sha256(path.read_bytes()).hexdigest()


MATRIX = pytest.mark.parametrize("over_an_old_result", [False, True])
TASKS = pytest.mark.parametrize("task", [CrashFile, CrashFolder, CrashTwo, CrashInPlace])


@MATRIX
@TASKS
def test_dying_at_some_steps_loses_nothing_and_the_next_build_mends_the_rest(
    task: Callable[[], Any],
    over_an_old_result: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Which third is tried differs from task to task.
    first = 1 + [CrashFile, CrashFolder, CrashTwo, CrashInPlace].index(task) % 3
    die_at_each(task, over_an_old_result, tmp_path, monkeypatch, first, every=3)


@pytest.mark.slow
@MATRIX
@TASKS
def test_dying_at_any_step_loses_nothing_and_the_next_build_mends_the_rest(
    task: Callable[[], Any],
    over_an_old_result: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    die_at_each(task, over_an_old_result, tmp_path, monkeypatch, 1, every=1)


def die_at_each(
    task: Callable[[], Any],
    over_an_old_result: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    first: int,
    every: int,
) -> None:
    for step in count(first, every):
        place = tmp_path / f"step{step}"
        place.mkdir()
        monkeypatch.chdir(place)
        Path("superluigi.toml").touch()
        outputs = [Path(target.path) for target in _targets(task())]
        if over_an_old_result:
            Path("word").write_text("old")
            run_task(task(), progress=False)
        before = [bytes_of(path) for path in outputs]
        Path("word").write_text("new!")
        lived = die_before(step, lambda: run_task(task(), progress=False, force=True), within=place)
        if task is not CrashInPlace:
            _check_each_is_old_or_new(task, outputs, before)
        ran = _check_the_next_build(task(), outputs, needs_new=not over_an_old_result)
        if over_an_old_result and task in (CrashFile, CrashFolder):
            assert ran == (), step
        if lived:
            assert step > 12
            return


def _check_the_next_build(task: Any, outputs: list[Path], *, needs_new: bool) -> Any:
    result = run_task(task, progress=False)
    assert result.ok
    for path in outputs:
        assert bytes_of(path) is not None
        check_sidecar(path)
    if needs_new:
        assert b"new!" in str(bytes_of(outputs[0])).encode()
    leftovers = [
        p.name for p in Path("out").iterdir() if ".superluigi" in p.name or p.suffix == ".next"
    ]
    assert leftovers == []
    assert_rebuilt_catalog_decides_alike(task, "out")
    assert run_task(task, progress=False).ran == ()
    with Catalog() as catalog:
        ended = {"succeeded", "interrupted", "failed", "unchanged", "adopted"}
        assert {run.status for run in catalog.runs()} <= ended
    return result.ran


def _targets(task: Any) -> list[Any]:
    output = task.output()
    return output if isinstance(output, list) else [output]


def _check_each_is_old_or_new(task: Any, outputs: list[Path], before: list[Any]) -> None:
    new: dict[Any, Any] = {
        CrashFile: b"new!",
        CrashTwo: b"new!",
        CrashFolder: {"a.txt": b"new!", "b.txt": b"new!new!"},
    }
    for path, old in zip(outputs, before, strict=True):
        assert bytes_of(path) in (old, new[task])
