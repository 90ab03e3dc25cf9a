"""The tools that are compared: where each comes from, its command lines, and its settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DEFAULT", "OWN", "PROGRAMS", "ROOT", "TOOLS", "Setting", "Tool", "tool_named"]

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ROOT / "benchmarks" / "programs"
DEFAULT = "default"


@dataclass(frozen=True)
class Setting:
    """One way to run a tool."""

    name: str
    says: str
    """What differs from the tool's defaults."""

    looks_at: str
    """What its check of a finished graph takes into account."""

    cold: bool = True
    """False: only its check is another one, of what the default settings built."""

    whole: bool = True
    """False: its check looks at the root alone."""

    shapes: tuple[str, ...] = ()
    """Of the graphs that it is for; empty: all."""


@dataclass(frozen=True)
class Tool:
    """One tool; its program is `programs/graphs/with_<distribution>.py`."""

    name: str
    requirement: str
    """For pip, with the version that is compared."""

    settings: tuple[Setting, ...]
    """The defaults first."""

    task_s: float
    """About how long a task takes, for the estimate of a first run."""

    prepare: tuple[tuple[str, ...], ...] = ()
    """Commands that make its project, not measured; in the form of `command`."""

    command: tuple[str, ...] = ("{bin}/python", "{program}", "{graph}")
    """`{bin}`: of its environment; `{graph}`: the arguments that say which graph."""

    parallel: bool = False
    """Whether its program is measured with two workers."""

    environment: dict[str, str] = field(default_factory=dict)

    @property
    def distribution(self) -> str:
        """Its name on PyPI."""
        return self.requirement.partition("==")[0]

    def filled(self, command: Sequence[str], binaries: Path, graph: Sequence[str]) -> list[str]:
        """A command of this tool as it is started."""
        program = PROGRAMS / "graphs" / f"with_{self.distribution}.py"
        known = {"bin": str(binaries), "program": str(program)}
        filled: list[str] = []
        for word in command:
            filled.extend(graph if word == "{graph}" else [word.format(**known)])
        return filled


def _luigi_like(name: str, requirement: str, task_s: float, *, parallel: bool = False) -> Tool:
    return Tool(
        name,
        requirement,
        (
            Setting(DEFAULT, "", "whether the root's file exists", whole=False),
            Setting("all", "asked for every task by itself", "whether each file exists", False),
        ),
        task_s,
        parallel=parallel,
    )


OWN = Tool(
    "Super Luigi",
    "superluigi",
    (
        Setting(
            DEFAULT,
            "",
            "size, times and inode of each file and sidecar against the record of its run; each input's "
            "fingerprint against what the run consumed; code, for the notices",
        ),
        Setting(
            "missing",
            '`rerun_on={"missing"}`',
            "whether the root's file exists",
            cold=False,
            whole=False,
        ),
        Setting(
            "inputs",
            "`def run(self, input_path, output_path)`",
            "as by default",
            shapes=("diamond",),
        ),
    ),
    0.003,
    parallel=True,
)
"""Ourselves: sidecars and catalog included."""

TOOLS = (
    OWN,
    _luigi_like("Luigi", "luigi==3.8.1", 0.003, parallel=True),
    Tool(
        "doit",
        "doit==0.37.0",
        (
            Setting(DEFAULT, "", "each target exists; each dependency's size and time, then MD5"),
            Setting(
                "fast",
                "time stamps instead of MD5, JSON instead of dbm, no report",
                "each target exists; each dependency's time",
            ),
        ),
        0.0015,
        parallel=True,
    ),
    _luigi_like("law", "law==0.1.21", 0.004),
    Tool(
        "gokart",
        "gokart==1.12.2",
        (
            Setting(
                DEFAULT, "", "whether the root's file exists; every task's identity", whole=False
            ),
            Setting(
                "fast",
                "`should_dump_supplementary_log_files = False`",
                "whether the root's file exists; every task's identity",
                whole=False,
            ),
        ),
        0.012,
    ),
    Tool(
        "redun",
        "redun==0.44.1",
        (
            Setting(DEFAULT, "", "each call's record, each file's size and time"),
            Setting(
                "fast",
                '`check_valid="shallow"` on the root call, no log',
                "the root call's record and file",
                whole=False,
            ),
        ),
        0.02,
    ),
    Tool(
        "pytask",
        "pytask==0.6.0",
        (Setting(DEFAULT, "", "each file's time, then digest; the task module's digest"),),
        0.015,
        prepare=(("{bin}/python", "{program}", "{graph}"),),
        command=("{bin}/pytask",),
    ),
    Tool(
        "DVC",
        "dvc==3.67.1",
        (
            Setting(DEFAULT, "", "each file's size and time, then MD5; each stage's command"),
            Setting(
                "fast",
                "`cache: false` for every output: no copies kept",
                "each file's size and time, then MD5; each stage's command",
            ),
        ),
        0.08,
        prepare=(("{bin}/python", "{program}", "{graph}"), ("{bin}/dvc", "init", "--quiet")),
        command=("{bin}/dvc", "repro", "--quiet"),
        environment={"DVC_NO_ANALYTICS": "1"},
    ),
)


def tool_named(name: str) -> Tool:
    """A tool by its name, in any case, or by its distribution's.

    Raises:
        ValueError: there is none.
    """
    for tool in TOOLS:
        if name.lower() in (tool.name.lower(), tool.distribution):
            return tool
    message = f"No tool is called {name!r}: there are {', '.join(tool.name for tool in TOOLS)}."
    raise ValueError(message)
