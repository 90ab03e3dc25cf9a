"""`superluigi why`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import click

from superluigi.cli.errors import task_code
from superluigi.cli.filters import json_option
from superluigi.cli.output import emit_json, emit_lines, narrating, tell

if TYPE_CHECKING:
    import luigi

    from superluigi_catalog.explanation import Why

__all__ = ["command"]

_STYLES = {"ok": "green", "CHANGED": "yellow", "MISSING": "red", "note": "cyan", "?": "cyan"}


@click.command("why")
@click.argument("ref")
@click.option("--recorded", is_flag=True, help="By the records alone; import no code.")
@json_option
def command(ref: str, recorded: bool, as_json: bool) -> None:
    """Explain why a task would run again, or why a run was made.

    The answer is a checklist with evidence, and the root causes upstream.

    REF: a task hash or its beginning, a target's path or URI; or the id of a run.

    With the task's code, all of its graph is looked at as for a plan. Where the code cannot be imported,
    and with --recorded, the records alone answer.
    """
    from superluigi.cli.recorded_tasks import made_again
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        why = catalog.why(ref)
        task, problem = None, ""
        if not recorded and why.action != "ran":
            task, problem = made_again(catalog, why.task_hash, why.family)
    if problem:
        tell(f"The code as it is now cannot be looked at. {problem}")
    if task is not None:
        why = _live(task, why)
    if as_json:
        emit_json(why.to_dict())
    else:
        emit_lines(
            [(line, _STYLES.get(line[4:12].strip(), "")) for line in str(why).splitlines()],
        )


def _live(task: luigi.Task, recorded: Why) -> Why:
    from superluigi.task_runner.explaining import live_plan

    with narrating(), task_code(f"Planning {recorded.family}"), live_plan([task]) as plan:
        why = plan.why(recorded.task_hash)
    failed = tuple(step for step in recorded.steps if step.name == "run")
    return replace(why, steps=(*failed, *why.steps))
