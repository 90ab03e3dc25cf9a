"""A run of the whole table or of a part: in turns, with a limit for each process, and taken up where it stopped."""

from __future__ import annotations

import hashlib
import math
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.bench.building import built
from benchmarks.bench.environments import NotInstalled, binaries_of, version_of
from benchmarks.bench.measuring import Usage, measure
from benchmarks.bench.peers import DEFAULT, OWN, PROGRAMS, ROOT, Setting, Tool
from benchmarks.bench.programs import STARTS, Graph, phases_of, smaller_than
from benchmarks.bench.results import STARTS_KEY, Key, Results

__all__ = ["Campaign", "Part"]

BUDGET_S = 15
"""CPU seconds for the repeats of one tool, setting and graph: what is slow is measured less often."""

OWN_BUDGET_S = 40


@dataclass(frozen=True)
class Part:
    """One tool, setting and graph: what is built in one directory."""

    tool: Tool
    setting: Setting
    graph: Graph

    @property
    def keys(self) -> list[Key]:
        """Of what it measures."""
        found = [
            (self.tool.name, self.setting.name, self.graph.name, phase)
            for phase in phases_of(self.graph, self.tool, self.setting)
        ]
        if self.setting.name == DEFAULT:
            others = (other for other in self.graph.settings_of(self.tool) if not other.cold)
            found += [(self.tool.name, other.name, self.graph.name, "check") for other in others]
        return found

    def __str__(self) -> str:
        setting = "" if self.setting.name == DEFAULT else f", {self.setting.name}"
        return f"{self.graph.name}: {self.tool.name}{setting}"


class Campaign:
    """Measures what lacks in the results."""

    def __init__(
        self,
        results: Results,
        tools: list[Tool],
        graphs: list[Graph],
        repeats: int,
        *,
        starts: bool,
        minutes: float = math.inf,
        installed: Callable[[Tool], Path] = binaries_of,
    ) -> None:
        self._results = results
        self._repeats = repeats
        self._starts = starts
        self._minutes = minutes
        self._installed = installed
        self._binaries: dict[str, Path] = {}
        self._tools = tools
        self._graphs = graphs

    def parts(self) -> list[Part]:
        """All that is asked for."""
        return [
            Part(tool, setting, graph)
            for graph in self._graphs
            for tool in self._tools
            for setting in graph.settings_of(tool)
            if setting.cold
        ]

    def install(self) -> None:
        """Make the environments; leave out what cannot be installed, and what changed since it was measured."""
        for tool in list(self._tools):
            try:
                binaries = self._binaries[tool.name] = self._installed(tool)
                self._results.versions[tool.name] = version_of(tool, binaries)
                self._results.skipped.pop(tool.name, None)
            except NotInstalled as error:
                print(f"{tool.requirement} is left out, it cannot be installed: {error}")
                self._results.skipped[tool.name] = f"cannot be installed: {error}"
                self._tools.remove(tool)
                continue
            subject = _digest(tool)
            changed = self._results.subjects.get(tool.name, subject) != subject
            if changed and not self._results.ended_at:
                self._results.drop([key for key in self._results.cells if key[0] == tool.name])
            self._results.subjects[tool.name] = subject

    def run(self) -> None:
        """Measure in turns: every tool once, then again, ourselves first, while there is time."""
        until = time.monotonic() + 60 * self._minutes
        for turn in range(self._repeats):
            if self._starts and OWN.name in self._binaries:
                self._measure_starts(turn)
            for part in sorted(self.parts(), key=lambda part: turn > 0 and part.tool is not OWN):
                late = turn > 0 and time.monotonic() > until
                if self.wanted(part) > turn >= self._measured(part) and not late:
                    self._build(part)
        self._results.end()

    def _measure_starts(self, turn: int) -> None:
        # Short as they are, twice as often.
        for title, command in STARTS.items():
            key = (OWN.name, DEFAULT, STARTS_KEY, title)
            binaries = self._binaries[OWN.name]
            while len(self._results.cell(key).usages) < 2 * (turn + 1):
                self._results.add((key, measure(OWN.filled(command, binaries, ()), ROOT)))

    def _build(self, part: Part) -> None:
        left = _minutes(sum(self._seconds(other) for other in self.parts()))
        refusal = self.refusal(part)
        print(f"{left} left  {part} ", end="", flush=True)
        found = (
            iter([(part.setting.name, "cold", refusal)])
            if refusal
            else built(part.tool, self._binaries[part.tool.name], part.graph, part.setting)
        )
        # Kept when the part is complete: one that was interrupted is measured again.
        usages: list[tuple[Key, Usage]] = []
        try:
            for setting, phase, usage in found:
                usages.append(((part.tool.name, setting, part.graph.name, phase), usage))
                told = f"{usage.cpu_s:.2f} s" if usage.ended == "ok" else usage.ended
                print(f" {phase} {told}", end="", flush=True)
        except subprocess.CalledProcessError as error:
            failed = Usage(0, 0, 0, "failed", f"its project cannot be made: {error}")
            usages.append((part.keys[0], failed))
            print(f" {failed.said}", end="")
        self._results.add(*usages)
        print(flush=True)

    def refusal(self, part: Part) -> Usage | None:
        """Why it is not tried: the default setting or a smaller graph says what it would take."""
        limit_s = part.graph.limit_of(part.tool)
        default = self._results.cell((part.tool.name, DEFAULT, part.graph.name, "cold")).trouble
        if default is not None and default.ended == "time" and part.setting.name != DEFAULT:
            return _not_tried("by default over the limit")
        for smaller in smaller_than(part.graph):
            cell = self._results.cell((part.tool.name, part.setting.name, smaller.name, "cold"))
            alike = smaller.shape == part.graph.shape
            trouble = cell.trouble
            if trouble is not None and (alike or trouble.ended == "time"):
                word = {"time": "over the limit"}.get(trouble.ended, trouble.ended)
                return _not_tried(f"{smaller.title}: {word}")
            cpu_s = cell.median("cpu_s")
            if alike and cpu_s is not None and cpu_s * part.graph.size / smaller.size > limit_s:
                return _not_tried(
                    f"{smaller.title}: {cpu_s:.0f} s, and the limit is {limit_s:.0f} s"
                )
        return None

    def _measured(self, part: Part) -> int:
        return len(self._results.cell(part.keys[0]).usages)

    def wanted(self, part: Part) -> int:
        """How often a part is measured in all."""
        most = min(self._repeats, part.graph.repeats or self._repeats)
        usages = self._results.cell(part.keys[0]).usages
        if not usages:
            return most
        if usages[0].ended != "ok":
            return 1
        once_s = sum(_first(self._results, key, "cpu_s") for key in part.keys)
        budget_s = OWN_BUDGET_S if part.tool is OWN else BUDGET_S
        return max(1, min(most, int(budget_s / max(once_s, 1e-6))))

    def _seconds(self, part: Part) -> float:
        """About how long what lacks of a part will take."""
        lacking = max(0, self.wanted(part) - self._measured(part))
        if not lacking:
            return 0
        if self._measured(part):
            return lacking * sum(_first(self._results, key, "wall_s") for key in part.keys)
        if self.refusal(part):
            return 0
        once_s = part.graph.tasks * part.tool.task_s * 1.5
        limit_s = part.graph.limit_of(part.tool)
        if once_s > limit_s:
            return limit_s
        budget_s = OWN_BUDGET_S if part.tool is OWN else BUDGET_S
        return once_s * max(1, min(lacking, int(budget_s / once_s)))

    def estimate(self) -> str:
        """How long all that lacks will take, as a person says it."""
        return _minutes(sum(map(self._seconds, self.parts())))


def _not_tried(said: str) -> Usage:
    return Usage(0, 0, 0, "not tried", said)


def _first(results: Results, key: Key, what: str) -> float:
    usages = results.cell(key).usages
    return getattr(usages[0], what) if usages else 0.0


def _minutes(seconds: float) -> str:
    return f"{int(seconds) // 60:2}:{int(seconds) % 60:02}"


def _digest(tool: Tool) -> str:
    """Of what is measured: version, command lines and program; of ourselves, every module."""
    names = [setting.name for setting in tool.settings]
    told = (tool.requirement, tool.prepare, tool.command, tool.environment, names)
    digest = hashlib.sha256(repr(told).encode())
    for path in _sources(tool):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def _sources(tool: Tool) -> Iterator[Path]:
    graphs = PROGRAMS / "graphs"
    yield graphs / f"with_{tool.distribution}.py"
    yield from (graphs / name for name in ("asked.py", "classes.py", "shapes.py"))
    if tool is OWN:
        for package in ("superluigi", "catalog"):
            yield from sorted((ROOT / package).rglob("*.py"))
