"""Lineage as a Graphviz digraph.

Source: https://graphviz.org/doc/info/lang.html
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi_catalog.drawing.label import params_text, task_name
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage

__all__ = ["draw"]


def draw(lineage: Lineage) -> str:
    """Draw the digraph; see `Lineage.to_dot`."""
    lines = ["digraph lineage {", "  rankdir=LR;", "  node [shape=box];"]
    for task in (lineage.root, *lineage.tasks):
        label = f"{_escaped(task_name(task))}\\n{_escaped(params_text(task))}\\n{task.status}"
        lines.append(f'  "{task.task_hash}" [label="{label}"];')
    for edge in lineage.edges:
        label = _escaped(printable(edge.place))
        lines.append(f'  "{edge.upstream_hash}" -> "{edge.task_hash}" [label="{label}"];')
    return "\n".join([*lines, "}"]) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
