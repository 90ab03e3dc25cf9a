"""A tool's project on disk: edits, builds, and what each build did."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from tools import Tool

__all__ = ["NotApplicable", "Outcome", "Project"]

STEPS = ("raw", "other_raw", "clean", "report")
_PROJECTS = Path(__file__).parent / "projects"


class NotApplicable(Exception):
    """The tool has nothing to which the change could be made."""


@dataclass(frozen=True)
class Outcome:
    """What one build did."""

    ran: list[str]
    """The steps whose code was entered, in order."""

    restored: list[str]
    """The steps whose result stands again, or otherwise, without a run."""

    output: str
    """What the tool printed."""

    def __str__(self) -> str:
        ran = ", ".join(self.ran) or "none"
        return f"{ran} ({', '.join(self.restored)} restored)" if self.restored else ran


@dataclass
class Project:
    """A tool's project in a directory of its own; each build is a process of its own."""

    root: Path
    tool: Tool
    parameters: dict[str, str] = field(default_factory=lambda: {"day": "monday", "n": "3"})

    def __post_init__(self) -> None:
        modules = self.root / self.tool.modules
        shutil.copytree(_PROJECTS / self.tool.folder, self.root)
        shutil.copytree(_PROJECTS / "common", modules, dirs_exist_ok=True)
        for name, text in self.tool.files.items():
            (self.root / name).write_text(text)
        (self.root / "data").mkdir()
        self.source.parent.mkdir(exist_ok=True)
        self.source.write_text("one two three")
        for edit in self.tool.start:
            self.edit(*edit)
        for command in self.tool.prepare:
            self.do(command)

    @property
    def source(self) -> Path:
        """The file that Raw reads, which no step makes."""
        return self.root / self.tool.source

    def results(self, step: str) -> list[Path]:
        """The files that a step made."""
        pattern = self.tool.results.format(step=step, Step=_class_name(step))
        return list(self.root.glob(pattern))

    def contents(self, step: str) -> dict[Path, bytes]:
        """What stands in the files that a step made."""
        return {path: path.read_bytes() for path in self.results(step)}

    def result(self, step: str) -> Path:
        """The one file that a step made."""
        (path,) = self.results(step)
        return path

    def do(self, command: str, **environment: str) -> str:
        """Carry out a command; what it printed."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = str(self.root.parent)
        # Luigi keeps its locks, and others their caches, outside of the project.
        kept = {"HOME": own, "TMPDIR": own, "PATH": path, "PYTHONPATH": str(self.root)}
        quiet = {"PYTHONDONTWRITEBYTECODE": "1", "DVC_NO_ANALYTICS": "1"}
        done = subprocess.run(
            ["sh", "-c", command.format(**self.parameters)],
            cwd=self.root,
            env={**os.environ, **kept, **quiet, **environment},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        if done.returncode:
            message = f"{command!r} with {self.tool.name} failed:\n{done.stdout}"
            raise RuntimeError(message)
        return done.stdout

    def build(self) -> Outcome:
        """Build the report."""
        log = self.root / "ran.log"
        log.unlink(missing_ok=True)
        before = {step: self.contents(step) for step in STEPS}
        output = self.do(self.tool.build)
        ran = log.read_text().split() if log.exists() else []
        changed = [_class_name(step) for step in STEPS if self.contents(step) != before[step]]
        return Outcome(ran, [name for name in changed if name not in ran], output)

    def edit(self, name: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a file."""
        path = self.root / name
        text = path.read_text()
        if text.count(old) != 1:
            message = f"{old!r} occurs {text.count(old)} times in {path}"
            raise ValueError(message)
        path.write_text(text.replace(old, new))

    def edit_module(self, name: str, old: str, new: str) -> None:
        """Edit a module that Clean imports."""
        self.edit(f"{self.tool.modules}/{name}", old, new)

    def set_parameter(self, name: str, value: str) -> None:
        """Give a parameter another value."""
        if self.tool.parameters_file:
            old = f"{name}: {self.parameters[name]}"
            self.edit(self.tool.parameters_file, old, f"{name}: {value}")
        self.parameters[name] = value


def _class_name(step: str) -> str:
    return step.title().replace("_", "")
