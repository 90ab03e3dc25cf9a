"""Plans and decisions as rich tables."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from superluigi_catalog.text import printable

if TYPE_CHECKING:
    from superluigi.planning.decision import Decision
    from superluigi.planning.plan import Plan

__all__ = ["ACTION_STYLES", "decision_row", "plan_table"]

ACTION_STYLES = {"run": "green", "maybe": "yellow", "skip": "dim", "blocked": "red"}


def plan_table(plan: Plan) -> Table:
    """A plan as a table; texts are taken literally, never as markup."""
    table = Table(caption=plan.footer(), caption_justify="left", box=None, pad_edge=False)
    for title in ("action", "task", "why"):
        table.add_column(title, overflow="fold")
    for decision in plan.shown():
        table.add_row(*decision_row(decision))
    return table


def decision_row(decision: Decision) -> tuple[Text, Text, Text]:
    """Action, task and reasons as table cells."""
    why = "; ".join(reason.text for reason in decision.reasons) or "up to date"
    return (
        Text(decision.action, style=ACTION_STYLES[decision.action]),
        Text(printable(decision.label)),
        Text(printable(why)),
    )
