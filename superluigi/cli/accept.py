"""`superluigi accept`."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from superluigi.cli.errors import ExitCode, task_code
from superluigi.cli.filters import json_option
from superluigi.cli.output import emit_json, emit_table, narrating, tell

if TYPE_CHECKING:
    from superluigi.planning.decide import Verdict
    from superluigi.task_runner.explaining import LivePlan
    from superluigi_catalog import Acceptance, Catalog, Task

__all__ = ["command"]


@click.command("accept")
@click.argument("refs", metavar="REF…", nargs=-1, required=True)
@click.option("-m", "--reason", metavar="TEXT", help="Why it is right; people will read it.")
@click.option("--downstream", is_flag=True, help="What was made from it, as well.")
@click.option("--undo", is_flag=True, help="Take acceptances back.")
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@json_option
def command(
    refs: tuple[str, ...],
    *,
    reason: str | None,
    downstream: bool,
    undo: bool,
    yes: bool,
    as_json: bool,
) -> int:
    """Declare stale results right as they are, on record.

    Nothing runs, and no target is touched.

    REF: a task hash or its beginning, a target's path or URI.

    What would run is shown first, with the reasons. The acceptance holds for the inputs and the code as they
    are now; it is on record with who, when and why, in the sidecars too.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as known:
        known.task(refs[0])  # where there is no catalog, none is made
    with Catalog() as catalog:
        tasks = list(dict.fromkeys(catalog.task(ref).task_hash for ref in refs))
        if downstream:
            found = [task for ref in tasks for task in catalog.downstream(ref)]
            below = [task.task_hash for task in found if not undo or _is_accepted(catalog, task)]
            tasks = list(dict.fromkeys([*tasks, *below]))
        done = _undone(catalog, tasks) if undo else _accepted(catalog, tasks, reason, yes=yes)
    if as_json:
        emit_json([acceptance.to_dict() for acceptance in done or ()])
    for acceptance in done or ():
        word = "No longer accepted" if undo else "Accepted"
        tell(f"{word}: {', '.join(acceptance.uris)}")
        for uri in acceptance.unwritten:
            tell(f"Its sidecar could not be written: only the catalog knows of {uri}.")
    return ExitCode.OK if done is not None else ExitCode.FAILED


def _is_accepted(catalog: Catalog, task: Task) -> bool:
    current = task.current_run_id
    return current is not None and catalog.run(current).status == "accepted"


def _undone(catalog: Catalog, tasks: Sequence[str]) -> list[Acceptance]:
    for task_hash in tasks:  # all of them, or none
        if not _is_accepted(catalog, catalog.task(task_hash)):
            catalog.withdraw(task_hash)  # raises, and says why
    return [catalog.withdraw(task_hash) for task_hash in tasks]


def _accepted(
    catalog: Catalog, tasks: Sequence[str], reason: str | None, *, yes: bool
) -> list[Acceptance] | None:
    """Show, ask, accept; None when the answer was no."""
    from superluigi.cli.recorded_tasks import made_again
    from superluigi.task_runner.explaining import ALL_CHANGES, live_plan

    if not reason:
        message = "An acceptance needs a reason: give --reason TEXT."
        raise click.UsageError(message)
    live = []
    for task_hash in tasks:
        task, problem = made_again(catalog, task_hash, catalog.task(task_hash).family)
        if task is None:
            message = f"{problem} Without its code nobody can say what would be accepted."
            raise click.UsageError(message)
        live.append(task)
    with (
        narrating(),
        task_code("Planning"),
        live_plan(live, catalog=catalog, rerun_on=ALL_CHANGES) as plan,
    ):
        stale = plan.questionable(tasks)
        _show(plan, stale)
        if not stale:
            tell("All of it is up to date: there is nothing to accept.")
            return []
        if not yes and not _confirmed(len(stale)):
            return None
        return [plan.accept(verdict, reason=reason) for verdict in stale]


def _show(plan: LivePlan, stale: Sequence[Verdict]) -> None:
    decisions = [plan.planning.plan.by_hash[verdict.task.task_hash] for verdict in stale]
    emit_table(
        [("stale", d.label, "; ".join(reason.text for reason in d.reasons)) for d in decisions],
        titles=("", "task", "why"),
    )


def _confirmed(count: int) -> bool:
    if not sys.stdin.isatty():
        message = "Nobody is there to be asked: add --yes."
        raise click.UsageError(message)
    what = "this result" if count == 1 else f"these {count} results"
    return click.confirm(f"Accept {what} as right?", err=True)
