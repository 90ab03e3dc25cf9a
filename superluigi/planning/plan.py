"""`Plan`: the decisions of one build, in the order in which they would be carried out."""

from __future__ import annotations

import html
import json
from collections import Counter
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

from superluigi.planning.decision import Decision
from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from rich.console import RenderableType

__all__ = ["Plan"]

_MAX_ROWS_SHOWN = 50
_QUIET = ("up_to_date", "wrapper")
"""Reasons of a skipped task that are not worth a row."""


class Plan:
    """What a build would do; iterates its decisions, upstream before downstream."""

    def __init__(self, decisions: list[Decision]) -> None:
        self._decisions = tuple(decisions)

    def __iter__(self) -> Iterator[Decision]:
        return iter(self._decisions)

    def __len__(self) -> int:
        return len(self._decisions)

    @cached_property
    def by_hash(self) -> dict[str, Decision]:
        """The decisions by task hash."""
        return {decision.task_hash: decision for decision in self}

    @cached_property
    def to_run(self) -> tuple[Decision, ...]:
        """What will run, in running order."""
        return self._with_action("run")

    @cached_property
    def maybe(self) -> tuple[Decision, ...]:
        """What will run if an upstream's new result differs from the old one."""
        return self._with_action("maybe")

    @cached_property
    def skipped(self) -> tuple[Decision, ...]:
        """What will not run."""
        return self._with_action("skip")

    @cached_property
    def blocked(self) -> tuple[Decision, ...]:
        """What should run but cannot."""
        return self._with_action("blocked")

    @property
    def has_work(self) -> bool:
        """Whether anything will or may run, or should and cannot."""
        return bool(self.to_run or self.maybe or self.blocked)

    @property
    def estimate_s(self) -> float | None:
        """How long what will and may run took before, one after the other; None when nothing is known."""
        known = [d.estimate_s for d in (*self.to_run, *self.maybe) if d.estimate_s is not None]
        return sum(known) if known else None

    def counts(self) -> dict[str, int]:
        """How many tasks have which action."""
        return dict(Counter(decision.action for decision in self))

    def to_dict(self) -> dict[str, Any]:
        """As JSON holds it."""
        return {
            "counts": self.counts(),
            "estimate_s": self.estimate_s,
            "decisions": [decision.to_dict() for decision in self],
        }

    def to_json(self) -> str:
        """One JSON document: counts, estimate_s, decisions."""
        return json.dumps(self.to_dict(), ensure_ascii=True)

    def __str__(self) -> str:
        return "\n".join([*(printable(str(row)) for row in self.shown()), self.footer()])

    def __repr__(self) -> str:
        return f"<Plan: {self.footer()}>"

    def __rich__(self) -> RenderableType:
        from superluigi.planning.drawing import plan_table

        return plan_table(self)

    def _repr_html_(self) -> str:
        rows = "".join(
            f"<tr><td>{row.action}</td><td>{html.escape(printable(row.label))}</td>"
            f"<td>{html.escape(printable('; '.join(r.text for r in row.reasons)))}</td></tr>"
            for row in self.shown()
        )
        return (
            "<table><thead><tr><th>action</th><th>task</th><th>why</th></tr></thead>"
            f"<tbody>{rows}</tbody></table><p>{html.escape(self.footer())}</p>"
        )

    def _with_action(self, action: str) -> tuple[Decision, ...]:
        return tuple(decision for decision in self if decision.action == action)

    def shown(self) -> list[Decision]:
        """What does something or has something to say, up to a screenful."""
        return self._worth_showing[:_MAX_ROWS_SHOWN]

    @cached_property
    def _worth_showing(self) -> list[Decision]:
        return [d for d in self if d.action != "skip" or d.reasons[0].kind not in _QUIET]

    def footer(self) -> str:
        """The counts and the estimate on one line; and how many rows a screenful leaves out."""
        counts = self.counts()
        parts = [
            f"{counts[action]:,} {word}"
            for action, word in (
                ("run", "to run"),
                ("maybe", "may run"),
                ("blocked", "blocked"),
                ("skip", "up to date"),
            )
            if counts.get(action)
        ]
        text = ", ".join(parts) or "no tasks"
        left_out = len(self._worth_showing) - _MAX_ROWS_SHOWN
        if left_out > 0:
            text += f" ({left_out:,} more than shown; to_json() has all)"
        estimate = self.estimate_s
        return text if estimate is None else f"{text}; about {estimate:.1f} s of work"
