"""A small project that was built, and ways to lose its catalog."""

from __future__ import annotations

from pathlib import Path

import pytest

from superluigi import run_task
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata


class A(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("data/a.txt")

    def run(self, output_path):
        Path(output_path).write_text("a")


class B(AtomicTaskWithMetadata):
    def requires(self):
        return A()

    def output(self):
        return LocalFileTarget("data/b.txt")

    def run(self, input_path, output_path, metadata):
        Path(output_path).write_text(Path(input_path).read_text() + "b")
        metadata["letters"] = 1


class C(AtomicTaskWithMetadata):
    def requires(self):
        return {"b": B(), "a": A()}

    def output(self):
        return LocalFileTarget("data/c.txt")

    def run(self, input_path, output_path):
        Path(output_path).write_text(Path(input_path["b"]).read_text() + "c")


def lose_catalog() -> None:
    for path in Path(".superluigi").glob("catalog.db*"):
        path.unlink()


@pytest.fixture
def built(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with the targets of A, B and C."""
    root = tmp_path / "project"
    root.mkdir()
    monkeypatch.chdir(root)
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    Path("superluigi.toml").touch()
    run_task(C(), progress=False)
    return root
