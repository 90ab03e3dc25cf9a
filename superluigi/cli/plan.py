"""`superluigi plan`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from superluigi.cli.decision_options import (
    AskedTask,
    DecisionOptions,
    about_a_task,
    asked_task,
    decision_options,
)
from superluigi.cli.errors import ExitCode, task_code
from superluigi.cli.output import emit_json, emit_table, is_drawn, narrating, tell

if TYPE_CHECKING:
    from superluigi.planning.decision import Decision
    from superluigi.planning.plan import Plan

__all__ = ["command", "show_plan"]

_STYLES = {"run": "green", "maybe": "yellow", "skip": "dim", "blocked": "red"}
_MAX_DRAWN = 500


@click.command("plan", context_settings={"allow_interspersed_args": False})
@decision_options
@click.option("--resume", is_flag=True, help="As run --resume would.")
@click.option("--all", "everything", is_flag=True, help="Show also what is up to date.")
@about_a_task
def command(
    ctx: click.Context,
    /,
    task: str,
    arguments: tuple[str, ...],
    decision: DecisionOptions,
    *,
    resume: bool,
    everything: bool,
    as_json: bool,
) -> int:
    """Show what a run would do, and why.

    Nothing is run. The exit code is 0 when there is nothing to do, and 3 when there is work.
    """
    return show_plan(
        ctx, task, arguments, decision, everything=everything, resume=resume, as_json=as_json
    )


def show_plan(
    ctx: click.Context,
    task: str,
    arguments: Sequence[str],
    decision: DecisionOptions,
    *,
    everything: bool = False,
    resume: bool = False,
    as_json: bool,
) -> int:
    """Plan and print.

    Returns:
        The exit code.
    """
    with narrating(), asked_task(ctx, task, arguments, decision) as asked:
        plan = _planned(asked, resume=resume)
    if as_json:
        emit_json({"has_work": plan.has_work, **plan.to_dict()})
    else:
        _print(plan, everything=everything)
    return ExitCode.HAS_WORK if plan.has_work else ExitCode.OK


def _planned(asked: AskedTask, *, resume: bool) -> Plan:
    from superluigi.task_runner import plan_task

    with task_code(f"Planning {asked.task.get_task_family()}"):
        return plan_task(asked.wanted, resume=resume, **asked.arguments)


def _print(plan: Plan, *, everything: bool) -> None:
    shown = [decision for decision in plan if everything or _says_something(decision)]
    limit = _MAX_DRAWN if is_drawn() else len(shown)
    emit_table(
        [(decision.action, decision.label, _why(decision)) for decision in shown[:limit]],
        titles=("action", "task", "why"),
        styles=_STYLES,
    )
    if len(shown) > limit:
        tell(f"… and {len(shown) - limit:,} more; --json has all.")
    tell(plan.footer())


def _says_something(decision: Decision) -> bool:
    return decision.action != "skip" or any(r.kind != "up_to_date" for r in decision.reasons)


def _why(decision: Decision) -> str:
    return "; ".join(reason.text for reason in decision.reasons) or "up to date"
