"""A user's project, as text: Source → Raw → Clean → Report, with code in four modules of its own.

The same text for every kind of target: only the module `places` differs.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fresh_builds import FreshBuilds

__all__ = ["STORES", "Project", "write_project"]

PIPELINE = '''\
"""The pipeline of a team."""

import os
from pathlib import Path

from cleaning import Cleaning, first_words
from places import place, read, source, write

from superluigi.parameters import IntParameter, Parameter
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


def note(task):
    with Path("ran.log").open("a") as file:
        file.write(task.get_task_family() + "\\n")


class Source(ExternalTask):
    def output(self):
        return source()


class Raw(AtomicTaskWithMetadata):
    day = Parameter(default="monday")

    def requires(self):
        return Source()

    def output(self):
        return place("raw-" + self.day)

    def run(self, input_path, output_path):
        note(self)
        write(output_path, os.environ.get("SALT", "") + Path(input_path).read_text())


class OtherRaw(AtomicTaskWithMetadata):
    day = Parameter(default="monday")

    def output(self):
        return place("other-" + self.day)

    def run(self, output_path):
        note(self)
        write(output_path, "something else")


class Clean(Cleaning):
    day = Parameter(default="monday")
    n = IntParameter(default=3)

    def requires(self):
        return {"raw": Raw(day=self.day)}

    def output(self):
        return place("clean-" + self.day)

    def run(self, input_path, output_path):
        note(self)
        words = first_words(read(input_path["raw"]))
        text = " ".join([self.title(), *words])
        write(output_path, f"{text} {self.n % 2}")


class Report(AtomicTaskWithMetadata):
    day = Parameter(default="monday")

    def requires(self):
        return [Clean(day=self.day)]

    def output(self):
        return place("report-" + self.day)

    def run(self, input_path, output_path):
        note(self)
        write(output_path, "report: " + read(input_path[0]))
'''

CLEANING = '''\
"""What several pipelines clean with."""

from words import split

from superluigi.tasks import AtomicTaskWithMetadata

LIMIT = 2


class Cleaning(AtomicTaskWithMetadata):
    def title(self):
        return "cleaned"


def first_words(text):
    return split(text)[:LIMIT]


def nobody_calls_this(text):
    return text.lower()
'''

WORDS = '''\
"""Words of a text."""


def split(text):
    return text.split()
'''

_FOLDERS = '''\
"""Where results are."""

from pathlib import Path

from superluigi.targets import {imported}


def source():
    return {source}


def place(name):
    return {place}


def write(path, text):
    Path(path, "part.txt").write_text(text)


def read(path):
    return Path(path, "part.txt").read_text()
'''

_FILES = _FOLDERS.replace(', "part.txt")', ")")


class Files:
    """Local files."""

    has_folders = False
    places = _FILES.format(
        imported="LocalFileTarget",
        source='LocalFileTarget("source.txt")',
        place='LocalFileTarget(f"{name}.txt")',
    )

    def __init__(self, root: Path) -> None:
        self._root = root

    def write(self, key: str, text: str) -> None:
        """What another program writes."""
        (self._root / key).write_text(text)

    def read(self, key: str) -> str:
        """What stands there."""
        return (self._root / key).read_text()

    def key(self, name: str) -> str:
        """Where the bytes of a result are."""
        return f"{name}/part.txt" if self.has_folders else f"{name}.txt"

    def delete(self, name: str) -> None:
        """Delete a result; its sidecar stays."""
        path = self._root / self.key(name)
        if self.has_folders:
            shutil.rmtree(path.parent)
        else:
            path.unlink()

    def touch(self, name: str) -> None:
        """The same bytes, newer."""
        (self._root / self.key(name)).touch()


class Folders(Files):
    """Local folders."""

    has_folders = True
    places = _FOLDERS.format(
        imported="LocalFileTarget, LocalFolderTarget",
        source='LocalFileTarget("source.txt")',
        place="LocalFolderTarget(name)",
    )


class Objects(Files):
    """S3 objects."""

    places = _FILES.format(
        imported="S3ObjectTarget",
        source='S3ObjectTarget("lake", "source.txt")',
        place='S3ObjectTarget("lake", f"{name}.txt")',
    )

    def __init__(self, client: Any) -> None:
        self._client = client

    def write(self, key: str, text: str) -> None:
        """What another program writes."""
        self._client.put_object(Bucket="lake", Key=key, Body=text.encode())

    def read(self, key: str) -> str:
        """What stands there."""
        answer = self._client.get_object(Bucket="lake", Key=key)
        return str(answer["Body"].read().decode())

    def delete(self, name: str) -> None:
        """Delete a result; its sidecar stays."""
        self._client.delete_object(Bucket="lake", Key=self.key(name))

    def touch(self, name: str) -> None:
        """The same bytes, newer, written by somebody else."""
        self.write(self.key(name), self.read(self.key(name)))


class Prefixes(Objects):
    """S3 prefixes."""

    has_folders = True
    places = _FOLDERS.format(
        imported="S3ObjectTarget, S3PrefixTarget",
        source='S3ObjectTarget("lake", "source.txt")',
        place='S3PrefixTarget("lake", name)',
    )


STORES: dict[str, type[Files]] = {
    "files": Files,
    "folders": Folders,
    "objects": Objects,
    "prefixes": Prefixes,
}


@dataclass
class Project:
    """The project on disk; each build is in a fresh process."""

    root: Path
    store: Files
    builds: FreshBuilds
    options: dict[str, Any] = field(default_factory=dict)
    """Of every build."""

    def build(self, task: str = "Report", **options: Any) -> dict[str, Any]:
        """Build a task; see `tests.fresh_builds.built`."""
        return self.builds.build(self.root, task, **self.options, **options)

    def plan(self, task: str = "Report", **options: Any) -> dict[str, str]:
        """Plan a task: family → action."""
        return self.builds.build(self.root, task, plan=True, **self.options, **options)

    def edit(self, module: str, old: str, new: str) -> None:
        """Replace a text that occurs once in a module."""
        path = self.root / f"{module}.py"
        text = path.read_text()
        assert text.count(old) == 1, (module, old)
        path.write_text(text.replace(old, new))


def write_project(root: Path, store: Files, builds: FreshBuilds) -> Project:
    """The project as its team first checked it in."""
    root.mkdir(exist_ok=True)
    texts = {"pipeline": PIPELINE, "cleaning": CLEANING, "words": WORDS, "places": store.places}
    for name, text in texts.items():
        (root / f"{name}.py").write_text(text)
    (root / "superluigi.toml").touch()
    store.write("source.txt", "one two three")
    return Project(root, store, builds)
