"""A temporary project with a module of tasks, and two ways to call the command line in it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from superluigi_catalog import Catalog

FLOWS = '''
"""Tasks of the tests."""

from superluigi.parameters import *
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


class Numbers(AtomicTaskWithMetadata):
    n: int = IntParameter(default=3, description="how many")

    def output(self):
        return LocalFileTarget(f"data/numbers-{self.task_id}.txt")

    def run(self, output_path, metadata):
        print("printed by Numbers")
        with open(output_path, "w") as file:
            file.write("1\\n" * self.n)
        metadata["rows"] = self.n


class Total(AtomicTaskWithMetadata):
    """Add them up."""

    n: int = IntParameter(default=3)
    force: bool = BoolParameter()
    workers: int = IntParameter(default=1)
    password: str = StrParameter(
        default="", significant=False, visibility=ParameterVisibility.PRIVATE
    )

    def requires(self):
        return {"numbers": Numbers(n=self.n)}

    def output(self):
        return LocalFileTarget(f"data/total-{self.task_id}.txt")

    def run(self, input_path, output_path):
        with open(input_path["numbers"]) as source, open(output_path, "w") as file:
            file.write(str(sum(int(line) for line in source)))


class Label(AtomicTaskWithMetadata):
    text: str = StrParameter()

    def output(self):
        return LocalFileTarget(f"data/label-{self.task_id}.txt")

    def run(self, output_path):
        with open(output_path, "w") as file:
            file.write(self.text)


class Boom(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("data/boom.txt")

    def run(self, output_path):
        secret = 42
        raise ValueError("no luck")


class Unaskable(AtomicTaskWithMetadata):
    def requires(self):
        return {}["what"]

    def output(self):
        return LocalFileTarget("data/unaskable.txt")

    def run(self, output_path):
        pass


class Missing(ExternalTask):
    def output(self):
        return LocalFileTarget("data/raw.txt")
'''


@dataclass
class CommandLineProject:
    """A project in the working directory."""

    root: Path
    modules: list[str] = field(default_factory=list)

    def write(self, name: str, source: str) -> None:
        """Add a module."""
        (self.root / f"{name}.py").write_text(source, encoding="utf-8")
        self.modules.append(name)

    def forget_modules(self) -> None:
        """Let the next import read the files."""
        for name in self.modules:
            sys.modules.pop(name, None)

    def call(self, *arguments: str) -> Result:
        """Call the command line in this process."""
        from superluigi.cli import command

        self.forget_modules()
        return CliRunner().invoke(command, arguments, prog_name="superluigi")

    def make_catalog(self) -> None:
        """An empty one."""
        with Catalog():
            pass

    def start(
        self, *arguments: str, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Call the command line in a process of its own, which finds a catalog: making one takes time."""
        self.make_catalog()
        return subprocess.run(
            [sys.executable, "-m", "superluigi", *arguments],
            cwd=self.root,
            input=stdin,
            env=os.environ | environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CommandLineProject]:
    """A project with the module `flows`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    monkeypatch.delenv("LUIGI_CONFIG_PATH", raising=False)
    monkeypatch.setattr(sys, "path", list(sys.path))
    (tmp_path / "superluigi.toml").touch()
    made = CommandLineProject(tmp_path)
    made.write("flows", FLOWS)
    yield made
    made.forget_modules()
