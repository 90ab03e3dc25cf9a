"""`WhyList`: why a task would run again: a numbered checklist, each of whose steps leads to its evidence."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any, NamedTuple

from superluigi_catalog import Cause, Step, Why
from superluigi_tui.texts import one_line
from superluigi_tui.widgets.pieces import Line, Piece, wrapped
from superluigi_tui.widgets.row_list import Row, RowList

__all__ = ["Evidence", "WhyList", "why_from"]

_STATES = {"ok": "fresh", "changed": "stale", "missing": "missing", "noted": "unknown"}
_TABS = {
    "output": "outputs",
    "code": "source",
    "input": "inputs",
    "inputs": "inputs",
    "upstream": "inputs",
    "run": "log",
    "outcome": "log",
    "environment": "sidecar",
}


class Evidence(NamedTuple):
    """Where to look at what a line says."""

    tab: str = ""
    task_hash: str = ""
    """Another task: where it began."""


class WhyList(RowList):
    """The checklist."""

    def __init__(self, *, id: str | None = None) -> None:
        super().__init__(id=id, title="Why", empty="  …")
        self._why: Why | None = None

    def show(self, why: Why) -> None:
        """Show another answer."""
        self._why = why
        width = max(20, self.inner_width - 3)  # two signs, and a scrollbar that comes with the rows
        self.set_rows(
            [
                Row(f"{number} {part}", pieces=piece, value=evidence)
                for number, (evidence, line) in enumerate(self._lines(why))
                for part, piece in enumerate(wrapped(line, width))
            ]
        )

    def on_resize(self) -> None:
        """Wrap it anew."""
        if self._why is not None:
            self.show(self._why)
        super().on_resize()

    def _lines(self, why: Why) -> Iterable[tuple[Evidence, Line]]:
        state = {"run": "stale", "maybe": "stale", "blocked": "failed"}.get(why.action, "fresh")
        state = "failed" if why.verdict.startswith("failed") else state
        source = "" if why.is_live else "by the records; w asks the code"
        verdict = Piece(f"{self.glyphs.state(state)} {one_line(why.verdict)}", state)
        yield Evidence(), [verdict, Piece(f"   {source}", "dim")]
        for number, step in enumerate(why.steps, start=1):
            yield from self._step(number, step)
        for cause in why.causes:
            said = Piece(f"{cause.label}: {cause.text}", "bold")
            yield Evidence("", cause.task_hash), [Piece("root cause  ", "dim"), said]

    def _step(self, number: int, step: Step) -> Iterable[tuple[Evidence, Line]]:
        state = _STATES.get(step.state, "unknown")
        evidence = Evidence(_TABS.get(step.name, ""))
        yield (
            evidence,
            [
                Piece(f"{number} "),
                Piece(f"{self.glyphs.state(state)} ", state),
                Piece(f"{one_line(step.name):<12}", "" if state == "fresh" else state),
                Piece(step.text, "dim" if state == "fresh" else ""),
            ],
        )
        for line in step.diff.splitlines():
            style = {"+": "added", "-": "removed"}.get(line[:1], "dim")
            yield evidence, [Piece(f"    {line}", style)]


def why_from(document: Mapping[str, Any]) -> Why:
    """Take what `superluigi why --json` printed.

    Raises:
        TypeError, KeyError: it is something else.
    """
    rows = dict(document)
    names = {each.name for each in fields(Why)}
    rows["steps"] = tuple(Step(**step) for step in rows["steps"])
    rows["causes"] = tuple(Cause(**cause) for cause in rows["causes"])
    return Why(**{name: value for name, value in rows.items() if name in names})
