"""A process that dies at any step of a build: what stands then, and what the next build makes of it.

The steps are the interpreter's own audit events for changes of the filesystem: the child dies just before
the n-th of them, for every n.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.tasks import AtomicTaskWithMetadata, Task
from superluigi_catalog import Catalog

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")

_CHANGES = {"os.rename", "os.remove", "os.rmdir", "os.mkdir", "os.link", "shutil.rmtree"}
_WRITING = os.O_WRONLY | os.O_RDWR


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


def run_and_die_at(task: Any, step: int, **options: Any) -> int:
    """Run in a forked child that dies before its `step`-th change; the number of changes if it lived."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        _die_at(step, writer)
        run_task(task, progress=False, **options)
        os.write(writer, b"%d" % _count[0])
        os._exit(0)
    os.close(writer)
    _, status = os.waitpid(pid, 0)
    told = os.read(reader, 20)
    os.close(reader)
    assert status in (0, 9 << 8)
    return int(told or 0)


_count = [0]


def _die_at(step: int, writer: int) -> None:
    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            changes = isinstance(arguments[2], int) and arguments[2] & _WRITING
        else:
            changes = event in _CHANGES
        if changes and "out" in Path(os.fsdecode(arguments[0])).parts[-4:]:
            _count[0] += 1
            if _count[0] == step:
                os._exit(9)

    sys.addaudithook(hook)


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


@pytest.mark.parametrize("over_an_old_result", [False, True])
@pytest.mark.parametrize("task", [CrashFile, CrashFolder, CrashTwo, CrashInPlace])
def test_dying_at_any_step_loses_nothing_and_the_next_build_mends_the_rest(
    task: Callable[[], Any],
    over_an_old_result: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    atomic = task is not CrashInPlace
    step, steps = 0, 1
    while step < steps:
        step += 1
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
        lived = run_and_die_at(task(), step, force=True)
        steps = max(steps, lived, step + 1 if not lived else step)
        if atomic:
            _check_each_is_old_or_new(task, outputs, before)
        result = run_task(task(), progress=False)
        assert result.ok, step
        for path in outputs:
            assert bytes_of(path) is not None, step
            check_sidecar(path)
        if not over_an_old_result:
            assert b"new!" in str(bytes_of(outputs[0])).encode(), step
        leftovers = [
            p.name for p in Path("out").iterdir() if ".superluigi" in p.name or p.suffix == ".next"
        ]
        assert leftovers == [], step
        assert run_task(task(), progress=False).ran == (), step
        with Catalog() as catalog:
            assert {run.status for run in catalog.runs()} <= {
                "succeeded",
                "interrupted",
                "failed",
                "unchanged",
                "adopted",
            }, step
    assert steps > 5


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
