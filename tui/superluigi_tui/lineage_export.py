"""A lineage as a file: for a document, for Graphviz, for a browser, for a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from superluigi_catalog import Lineage

__all__ = ["KINDS", "write_lineage"]


class Kind(NamedTuple):
    """A form to write it in."""

    text: str
    ending: str
    draw: Callable[[Lineage], str]


def _json(lineage: Lineage) -> str:
    document = {
        "direction": lineage.direction,
        "root": lineage.root.to_dict(),
        "tasks": lineage.to_dicts(),
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


KINDS: Mapping[str, Kind] = {
    "mermaid": Kind("Mermaid (.mmd)", "mmd", Lineage.to_mermaid),
    "dot": Kind("Graphviz DOT (.dot)", "dot", Lineage.to_dot),
    "svg": Kind("SVG picture (.svg)", "svg", Lineage.to_svg),
    "json": Kind("JSON (.json)", "json", _json),
    "text": Kind("text (.txt)", "txt", Lineage.to_text),
}
"""By the name of the choice."""


def write_lineage(lineage: Lineage, kind: str, folder: Path) -> Path:
    """Write it into a new file, named by the task that it begins with.

    Returns:
        The file's path.

    Raises:
        OSError: it cannot be written.
    """
    drawn = KINDS[kind].draw(lineage).encode("utf-8", "backslashreplace")
    name = f"lineage-{lineage.root.task_hash[:8]}"
    path, number = folder / f"{name}.{KINDS[kind].ending}", 1
    while path.exists() and path.read_bytes() != drawn:
        number += 1
        path = folder / f"{name}-{number}.{KINDS[kind].ending}"
    path.write_bytes(drawn)
    return path
