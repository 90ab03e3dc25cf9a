"""Lineage as a Mermaid flowchart.

Source: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from superluigi_catalog.drawing.label import STATUS_COLOURS, params_text, task_name
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi_catalog.lineage import Lineage

__all__ = ["draw"]

_UNSAFE = re.compile(r"[^\w .,:=/…-]")


def draw(lineage: Lineage) -> str:
    """Draw the flowchart; see `Lineage.to_mermaid`."""
    tasks = (lineage.root, *lineage.tasks)
    names = {task.task_hash: f"t{index}" for index, task in enumerate(tasks)}
    lines = ["flowchart LR"]
    for task in tasks:
        params = f"<br/>{_escaped(params_text(task))}" if task.params else ""
        label = f'"{_escaped(task_name(task))}{params}"'
        lines.append(f"  {names[task.task_hash]}[{label}]:::{task.status}")
    for edge in lineage.edges:
        place = f'|"{_escaped(printable(edge.place))}"|' if edge.place else ""
        lines.append(f"  {names[edge.upstream_hash]} -->{place} {names[edge.task_hash]}")
    for status in sorted({task.status for task in tasks}):
        lines.append(f"  classDef {status} fill:{STATUS_COLOURS[status]},stroke:#888,color:#111")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};", text)
