"""Documents as tests read them: their code blocks, and carrying these out in a project of its own."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DRIVER = Path(__file__).with_name("document_driver.py")

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE_NAME = re.compile(r"# (\w+\.py)\n")
_NOT_RUN = re.compile(r"(make|pip|git) ")
_VOLATILE = (
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    (re.compile(r"\b[0-9]+\.[0-9]+ s\b"), "<time>"),
    (re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}Z"), "<moment>"),
)


@dataclass(frozen=True)
class Block:
    """One fenced block."""

    language: str
    text: str
    where: str
    """`README.md:12`, the line of its fence."""

    @property
    def file_name(self) -> str | None:
        """The file that it is, where its first line says so."""
        match = _FILE_NAME.match(self.text)
        return match.group(1) if match else None

    @property
    def commands(self) -> list[str]:
        """The lines of a shell block, without comments."""
        lines = [line.partition(" #")[0].strip() for line in self.text.splitlines()]
        return [line for line in lines if line and not line.startswith("#")]

    @property
    def is_run(self) -> bool:
        """Whether it can be carried out in a project: not what makes or installs this one."""
        if self.language == "sh":
            return not any(_NOT_RUN.match(command) for command in self.commands)
        return self.language in ("python", "toml")


@dataclass(frozen=True)
class Done:
    """What came of one block that was carried out."""

    block: Block
    output: str
    """What it wrote to stderr, then what it wrote to stdout."""


def blocks_of(path: Path) -> list[Block]:
    """The fenced blocks of a document, in order."""
    text = path.read_text(encoding="utf-8")
    return [
        Block(
            match.group(1),
            match.group(2),
            f"{path.relative_to(ROOT)}:{text.count(chr(10), 0, match.start()) + 1}",
        )
        for match in _FENCE.finditer(text)
    ]


def carry_out(blocks: list[Block], directory: Path) -> dict[str, Done]:
    """Carry out blocks one after the other, in one process and one directory; by place.

    A Python block that names a file becomes that file; the others share one namespace. A shell block is
    one script. Settings become `superluigi.toml` while the next Python or shell block runs.
    """
    steps = [
        {
            "language": b.language,
            "text": _on_a_free_port(b.text),
            "file": b.file_name,
            "where": b.where,
        }
        for b in blocks
    ]
    environment = clean_environment()
    environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{environment['PATH']}"
    done = subprocess.run(
        [sys.executable, str(DRIVER)],
        input=json.dumps(steps),
        cwd=directory,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    outputs = json.loads(done.stdout)
    return {block.where: Done(block, output) for block, output in zip(blocks, outputs, strict=True)}


def clean_environment() -> dict[str, str]:
    """This process's, without what leads to a store or a catalog."""
    hidden = ("AWS_", "SUPERLUIGI_")
    return {name: value for name, value in os.environ.items() if not name.startswith(hidden)}


def same_shape(text: str) -> list[str]:
    """The lines of an output, with ids and times of one run taken out."""
    for pattern, word in _VOLATILE:
        text = pattern.sub(word, text)
    return [line.rstrip() for line in text.strip().splitlines()]


def _on_a_free_port(text: str) -> str:
    if "5000" not in text:
        return text
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return text.replace("5000", str(found.getsockname()[1]))
