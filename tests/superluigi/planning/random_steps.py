"""The tasks of random projects: a module of its own for each, so that its code can be edited."""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import luigi

from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, TaskWithMetadata

REQUIRES: list[list[int]] = []
"""What each step requires: earlier ones, or -1 for the origin."""
YIELDS: list[list[int]] = []
"""What each step may ask for while running: earlier ones."""
LOG = Path("ran.jsonl")


class RandomOrigin(ExternalTask):
    def output(self):
        return LocalFileTarget("origin.txt")


class RandomStep(luigi.Task):
    """Says in a log what it read and made, before it writes it."""

    i = 0

    def word(self):
        raise NotImplementedError

    def requires(self):
        return [step(j) for j in REQUIRES[self.i]]

    def output(self):
        return LocalFileTarget(f"step{self.i}.txt")

    def make(self, paths):
        read = {str(j): Path(p).read_text() for j, p in zip(REQUIRES[self.i], paths, strict=True)}
        asked = asked_for(self.i, read)
        if asked:
            targets = yield [step(j) for j in asked]
            read |= {f"+{j}": Path(t.path).read_text() for j, t in zip(asked, targets, strict=True)}
        text = made(self.i, self.word(), read)
        with LOG.open("a") as file:
            row = {"i": self.i, "word": self.word(), "read": read, "text": text}
            file.write(json.dumps(row) + "\n")
        return text


class AtomicStep(RandomStep, AtomicTaskWithMetadata):
    def run(self, input_path, output_path):
        text = yield from self.make(input_path)
        Path(output_path).write_text(text)


class InPlaceStep(RandomStep, TaskWithMetadata):
    def run(self):
        text = yield from self.make([target.path for target in self.input()])
        Path(self.output().path).write_text(text)


MODULE = """\
from tests.superluigi.planning.random_steps import {base}


class RandomStep{i}({base}):
    i = {i}

    def word(self):
        return {word!r}
"""


def step(i: int) -> Any:
    """The task, of the code that was imported last."""
    if i < 0:
        return RandomOrigin()
    return getattr(sys.modules[f"random_step{i}"], f"RandomStep{i}")()


def write_module(i: int, word: str) -> None:
    """Write the code of a step into the working directory, and import it anew."""
    base = "InPlaceStep" if i % 4 == 2 else "AtomicStep"
    Path(f"random_step{i}.py").write_text(MODULE.format(base=base, i=i, word=word))
    sys.modules.pop(f"random_step{i}", None)
    importlib.invalidate_caches()
    importlib.import_module(f"random_step{i}")


def asked_for(i: int, read: Mapping[str, str]) -> list[int]:
    """What a step yields depends on what it read."""
    odd = int(made(i, "", read)[0], 16) % 2
    return YIELDS[i][odd:]


def made(i: int, word: str, read: Mapping[str, str]) -> str:
    """What a step makes; every third one forgets most of what it reads, so that runs are cut off."""
    digest = hashlib.sha256(json.dumps([i, word, dict(read)]).encode()).hexdigest()
    return digest[:1] if i % 3 == 1 else digest


def take_log() -> Iterator[dict[str, Any]]:
    """What ran since the last call."""
    lines = LOG.read_text().splitlines() if LOG.exists() else []
    LOG.unlink(missing_ok=True)
    return map(json.loads, lines)
