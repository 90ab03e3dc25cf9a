"""What was measured, kept as JSON after each process: a run can be taken up again, and its page made anew."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from benchmarks.bench.measuring import Usage
from benchmarks.bench.peers import ROOT

__all__ = ["STARTS_KEY", "Cell", "Key", "Results", "machine", "now"]

FORMAT = 1

Key = tuple[str, str, str, str]
"""Tool, setting, graph, phase."""

STARTS_KEY = "starts"
"""Stands for the graph of what is only started."""


@dataclass
class Cell:
    """All that was measured of one tool, setting, graph and phase."""

    usages: list[Usage] = field(default_factory=list)

    @property
    def done(self) -> list[Usage]:
        """Those that came to their end."""
        return [usage for usage in self.usages if usage.ended == "ok"]

    def median(self, what: str) -> float | None:
        """Of an attribute of `Usage`; None when nothing came to its end."""
        values = [getattr(usage, what) for usage in self.done]
        return statistics.median(values) if values else None

    @property
    def trouble(self) -> Usage | None:
        """Why there is no median."""
        return self.usages[-1] if self.usages and not self.done else None


@dataclass
class Results:
    """One run, finished or not, and the file that keeps it."""

    path: Path
    machine: dict[str, Any] = field(default_factory=dict)
    started_at: str = ""
    ended_at: str | None = None
    versions: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    """Tool → why it was left out."""

    subjects: dict[str, str] = field(default_factory=dict)
    """Tool → digest of what was measured: an unfinished run is taken up only with the same."""

    cells: dict[Key, Cell] = field(default_factory=dict)
    loads: list[float] = field(default_factory=list)
    """How many processes wanted a processor when a process was started."""

    @classmethod
    def load(cls, path: Path) -> Results:
        """What is kept at a path: an empty run if nothing is.

        Raises:
            ValueError: the file is not of this format.
        """
        if not path.exists():
            return cls(path)
        kept = json.loads(path.read_text())
        if kept.pop("format", None) != FORMAT:
            message = f"{path} is not of format {FORMAT}: delete it, or measure with --fresh."
            raise ValueError(message)
        rows = kept.pop("measured")
        results = cls(path, **kept)
        for row in rows:
            key = (row.pop("tool"), row.pop("setting"), row.pop("graph"), row.pop("phase"))
            results.cells.setdefault(key, Cell()).usages.append(Usage(**row))
        return results

    def cell(self, key: Key) -> Cell:
        """What is measured under a key; empty if nothing is."""
        return self.cells.get(key, Cell())

    def add(self, *measured: tuple[Key, Usage]) -> None:
        """Take up measurements, and keep them."""
        for key, usage in measured:
            self.cells.setdefault(key, Cell()).usages.append(usage)
        self.loads.append(round(os.getloadavg()[0], 2))
        self.save()

    def drop(self, keys: Iterable[Key]) -> None:
        """Forget what is to be measured again."""
        for key in keys:
            self.cells.pop(key, None)

    def save(self) -> None:
        """Write everything, or leave what was written before."""
        document = {
            "format": FORMAT,
            "machine": self.machine,
            "started_at": self.started_at,
            "ended_at": self.ended_at,
            "versions": self.versions,
            "skipped": self.skipped,
            "subjects": self.subjects,
            "loads": self.loads,
            "measured": [
                dict(zip(("tool", "setting", "graph", "phase"), key, strict=True)) | asdict(usage)
                for key, cell in self.cells.items()
                for usage in cell.usages
            ],
        }
        temporary = self.path.with_suffix(".tmp")
        temporary.write_text(_lines(document))
        temporary.replace(self.path)

    def begin(self) -> None:
        """Start over."""
        self.cells, self.loads = {}, []
        self.subjects, self.versions, self.skipped = {}, {}, {}
        self.machine, self.started_at, self.ended_at = machine(), now(), None

    def end(self) -> None:
        """All that was asked for is measured."""
        self.ended_at = now()
        self.save()


def machine() -> dict[str, Any]:
    """On what is measured, and what."""
    facts = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (facts.read_text().splitlines() if facts.exists() else ())
        if line.startswith("model name")
    ]
    return {
        "processor": models[0] if models else platform.processor() or platform.machine(),
        "processors": os.cpu_count(),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "commit": _commit(),
    }


def _commit() -> str:
    """Of ourselves; with a plus sign when something is not committed."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--exclude=*", "--dirty=+"]
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return done.stdout.strip()


def now() -> str:
    """UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds").replace("+00:00", "Z")


def _lines(document: dict[str, Any]) -> str:
    """JSON with a line for each measurement, so that a difference between two runs can be read."""
    head = {key: value for key, value in document.items() if key != "measured"}
    rows = ",\n".join(" " + json.dumps(row) for row in document["measured"])
    return f'{json.dumps(head, indent=1)[:-2]},\n "measured": [\n{rows}\n ]\n}}\n'
