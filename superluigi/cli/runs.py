"""`superluigi runs`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from superluigi.cli.filters import json_option, limit_option, moment_option, tell_of_more
from superluigi.cli.output import emit, emit_json, emit_table
from superluigi.cli.texts import (
    STATUS_STYLES,
    duration_text,
    minute_text,
    run_label,
    run_text,
)
from superluigi_catalog.results import RUN_STATUSES

if TYPE_CHECKING:
    from superluigi_catalog.results import Run

__all__ = ["command", "emit_runs", "emit_tracebacks"]


@click.command("runs")
@click.argument("ref", required=False)
@click.option("--build", metavar="ID", help="Only of this build: its id or the beginning of it.")
@click.option(
    "--status", type=click.Choice(RUN_STATUSES), multiple=True, help="Only those that ended so."
)
@moment_option("--since", "Begun then or later")
@click.option("--after", metavar="RUN", help="Go on after this run, the last one of a list.")
@limit_option(50)
@click.option("--traceback", is_flag=True, help="Print the tracebacks of those that failed too.")
@json_option
def command(
    ref: str | None,
    build: str | None,
    status: tuple[str, ...],
    since: str | None,
    after: str | None,
    limit: int,
    traceback: bool,
    as_json: bool,
) -> None:
    """List runs, the newest first, and why they ran.

    REF: a task hash or its beginning, a target's path or URI; without it, of all tasks.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        runs = catalog.runs(
            ref, build=build, status=status or None, since=since, limit=limit, after=after
        )
    if as_json:
        emit_json([run.to_dict() for run in runs])
        return
    emit_runs(runs)
    if traceback:
        emit_tracebacks(runs)
    if runs:
        tell_of_more(len(runs), limit, runs[-1].run_id)


def emit_runs(runs: Sequence[Run]) -> None:
    """List runs: how each ended, when, how long it took, what it was, and why."""
    emit_table(
        [
            (
                run.status,
                minute_text(run.started_at),
                duration_text(run.duration_s),
                run_label(run),
            )
            for run in runs
        ],
        titles=("status", "started", "took", "task, and why"),
        styles=STATUS_STYLES,
        notes=[run_text(run) for run in runs],
    )


def emit_tracebacks(runs: Sequence[Run]) -> None:
    """Print what the runs that failed raised, and where."""
    for run in runs:
        if run.traceback:
            emit(f"\n{run_label(run)}\n{run.traceback.rstrip()}", multiline=True)
