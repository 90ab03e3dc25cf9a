"""One graph, built and checked in an empty directory by one tool, and looked at whether that is so."""

from __future__ import annotations

import atexit
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from pathlib import Path

from benchmarks.bench.measuring import Usage, measure
from benchmarks.bench.peers import DEFAULT, Setting, Tool
from benchmarks.bench.programs import COMMANDS, Graph, phases_of

__all__ = ["built"]

Measured = tuple[str, str, Usage]
"""Setting, phase, what it cost."""


def built(tool: Tool, binaries: Path, graph: Graph, setting: Setting) -> Iterator[Measured]:
    """Measure the phases of a graph, each in a process of its own; nothing after one that did not do its work.

    Args:
        tool: Who builds.
        binaries: Where the tool is.
        graph: What is built.
        setting: How; the default one is followed by the checks of those that differ in nothing else.
    """
    directory = _new_directory()
    (directory / "superluigi.toml").touch()
    (directory / "out").mkdir()
    for command in tool.prepare:
        subprocess.run(
            tool.filled(command, binaries, graph.arguments(setting)),
            cwd=directory,
            check=True,
            stdout=subprocess.DEVNULL,
            env={**os.environ, **tool.environment},
        )
    before: dict[str, int] = {}
    for each, phase in _steps(tool, graph, setting):
        usage = _measured(tool, binaries, graph, each, phase, directory)
        after = _written(directory)
        usage = _verified(usage, graph, directory, before, after)
        before = after
        yield each.name, phase, usage
        if usage.ended != "ok":
            return


def _new_directory() -> Path:
    """An empty directory, removed when this process ends.

    Removed at once it would slow down whoever is next: ext4 does not use an inode again for a minute after
    its file was removed, and looks at all of those for every new file.
    """
    return Path(tempfile.mkdtemp(dir=_workplace()))


@cache
def _workplace() -> str:
    place = tempfile.TemporaryDirectory(prefix="superluigi-bench-")
    atexit.register(place.cleanup)
    return place.name


def _steps(tool: Tool, graph: Graph, setting: Setting) -> Iterator[tuple[Setting, str]]:
    for phase in phases_of(graph, tool, setting):
        yield setting, phase
    if setting.name == DEFAULT:
        for other in graph.settings_of(tool):
            if not other.cold:
                yield other, "check"


def _measured(
    tool: Tool, binaries: Path, graph: Graph, setting: Setting, phase: str, directory: Path
) -> Usage:
    command = COMMANDS.get(phase, tool.command)
    return measure(
        tool.filled(command, binaries, graph.arguments(setting)),
        directory,
        limit_s=graph.limit_of(tool),
        environment=tool.environment,
    )


def _written(directory: Path) -> dict[str, int]:
    """Path → when each result was written."""
    return {
        f"out/{path.name}": path.stat().st_mtime_ns for path in (directory / "out").glob("*.txt")
    }


def _verified(
    usage: Usage, graph: Graph, directory: Path, before: dict[str, int], after: dict[str, int]
) -> Usage:
    """The same files for every tool, and no second run of anything in a check."""
    if usage.ended != "ok":
        return usage
    if before:
        again = sum(before[path] != when for path, when in after.items())
        return replace(usage, ended="wrong", said=f"{again} tasks ran again") if again else usage
    expected = graph.files()
    wrong = [
        path
        for path, content in expected.items()
        if path not in after or (directory / path).read_text().rstrip("\n") != content
    ]
    if wrong or len(after) != len(expected):
        said = f"{len(wrong)} of {len(expected)} files are not there or not right"
        return replace(usage, ended="wrong", said=said)
    return usage
