"""What runs again after a change: the same pipeline in Super Luigi and in five other tools.

    python benchmarks/reruns/run.py [--tool NAME]... [--change TEXT]... [--options] [--verbose]

Prints a Markdown table of the tools that are installed. Each cell is a project of its own in a temporary
directory: built, changed, and built again in a fresh process; every step that is entered says so in a log.
"""

from __future__ import annotations

import argparse
import datetime
import platform
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from changes import CHANGES
from project import NotApplicable, Outcome, Project
from tools import COLUMNS, OPTIONS, Tool

EVERYTHING = ["Raw", "Clean", "Report"]


def outcome(tool: Tool, change: str) -> Outcome | None:
    """Build, change, build again; None where the change cannot be made."""
    with tempfile.TemporaryDirectory() as directory:
        project = Project(Path(directory) / "project", tool)
        first = project.build()
        if first.ran != EVERYTHING:
            message = f"the first build of {tool.name} ran {first.ran}:\n{first.output}"
            raise RuntimeError(message)
        try:
            CHANGES[change](project)
        except NotApplicable:
            return None
        return project.build()


def column(tool: Tool, changes: list[str], verbose: bool) -> Iterator[str]:
    """The cells of one tool."""
    for change in changes:
        try:
            found = outcome(tool, change)
        except RuntimeError as error:
            cell = "not obtained"
            printed = str(error)
        else:
            cell = "no base class" if found is None else str(found)
            printed = found.output if found is not None and verbose else ""
        print(f"{title(tool)}: {change}: {cell}\n{printed}".rstrip(), file=sys.stderr)
        yield cell


def title(tool: Tool) -> str:
    """The head of its column."""
    return f"{tool.name} {tool.version}" + (f", {tool.option}" if tool.option else "")


def bracketed(columns: dict[str, list[str]]) -> dict[str, list[str]]:
    """The columns by their heads; where ourselves by default differs, that stands in brackets."""
    merged: dict[str, list[str]] = {}
    for head, cells in columns.items():
        with_code = next((other for other in merged if other.startswith(f"{head}, ")), None)
        if with_code is None:
            merged[head] = cells
            continue
        pairs = zip(merged.pop(with_code), cells, strict=True)
        merged[f"{with_code} [default]"] = [a if a == b else f"{a} [{b}]" for a, b in pairs]
    return merged


def arguments() -> argparse.Namespace:
    """Of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--tool", action="append", help="only this one; by its name in the table")
    parser.add_argument(
        "--options", action="store_true", help="the tools with other options than the table's"
    )
    parser.add_argument("--change", action="append", help="only the changes with this text")
    parser.add_argument("--verbose", action="store_true", help="what the tools print, on stderr")
    return parser.parse_args()


def main() -> None:
    """Measure and print."""
    asked = arguments()
    names = [name.lower() for name in asked.tool or ()]
    tools = [
        tool
        for tool in (OPTIONS if asked.options else COLUMNS)
        if tool.version and (not names or tool.name.lower() in names)
    ]
    texts = asked.change or [""]
    changes = [change for change in CHANGES if any(text in change for text in texts)]
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda tool: list(column(tool, changes, asked.verbose)), tools)
        columns = bracketed(dict(zip(map(title, tools), found, strict=True)))
    print(f"{datetime.date.today()}, Python {platform.python_version()}, {platform.system()}\n")
    print("| change | " + " | ".join(columns) + " |")
    print("|---" * (len(columns) + 1) + "|")
    for change, cells in zip(changes, zip(*columns.values(), strict=True), strict=True):
        print(f"| {change} | " + " | ".join(cells) + " |")


if __name__ == "__main__":
    main()
