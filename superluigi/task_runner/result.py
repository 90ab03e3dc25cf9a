"""`BuildResult`: what became of every task of a build."""

from __future__ import annotations

import html
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from superluigi.planning.decision import Decision
from superluigi.running.entries import Failure
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["BuildResult", "Failure"]

CATEGORIES = ("ran", "unchanged", "shared", "failed", "blocked", "skipped")


@dataclass(frozen=True, repr=False)
class BuildResult:
    """What `run_task` did."""

    build_id: str
    ok: bool
    """Every requested task is complete, and nothing failed."""
    ran: tuple[Decision, ...]
    """In the order in which they ended."""
    skipped: tuple[Decision, ...]
    unchanged: tuple[Decision, ...]
    """Not run, because what ran before them changed none of their inputs; or recorded anew only."""
    shared: tuple[Decision, ...]
    """Run by another build at the same time."""
    failed: tuple[Decision, ...]
    blocked: tuple[Decision, ...]
    """Not run, because something that they need failed or is missing."""
    outputs: Any
    """The outputs of the requested task, as paths, in the shape of `output()`; a list for several tasks.

    None when the build did not succeed.
    """
    decisions: tuple[Decision, ...]
    """All of them, upstream before downstream."""
    duration_s: float
    failures: tuple[Failure, ...] = field(default=(), repr=False)
    """What failed, with tracebacks."""

    def counts(self) -> dict[str, int]:
        """How many tasks ended how; only what occurred."""
        return {name: len(getattr(self, name)) for name in CATEGORIES if getattr(self, name)}

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        rows: dict[str, Any] = {"build_id": self.build_id, "ok": self.ok}
        rows |= {name: [d.to_dict() for d in getattr(self, name)] for name in CATEGORIES}
        rows["outputs"] = self.outputs
        rows["duration_s"] = self.duration_s
        rows["failures"] = [failure.to_dict() for failure in self.failures]
        return rows

    def __repr__(self) -> str:
        from superluigi.task_runner.summary import headline

        return f"<BuildResult {headline(self)}>"

    def __str__(self) -> str:
        from superluigi.task_runner.summary import summary_lines

        return "\n".join(summary_lines(self))

    def __rich__(self) -> RenderableType:
        from superluigi.task_runner.summary import summary_table

        return summary_table(self)

    def _repr_html_(self) -> str:
        from superluigi.task_runner.summary import summary_lines

        text = "\n".join(summary_lines(self))
        return f"<pre>{html.escape(printable(text, multiline=True))}</pre>"
