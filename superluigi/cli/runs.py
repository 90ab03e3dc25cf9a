"""`superluigi runs`."""

from __future__ import annotations

import click

from superluigi.cli.output import emit_json, emit_table
from superluigi.cli.texts import (
    STATUS_STYLES,
    duration_text,
    moment_text,
    params_text,
    reason_text,
)

__all__ = ["command"]


@click.command("runs")
@click.argument("ref", required=False)
@click.option("--build", metavar="ID", help="Only of this build.")
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(ref: str | None, build: str | None, limit: int, as_json: bool) -> None:
    """List runs, the newest first.

    REF: a task hash or its beginning, a target's path or URI; without it, of all tasks.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        runs = catalog.runs(ref, build=build, limit=limit)
    if as_json:
        emit_json([run.to_dict() for run in runs])
        return
    emit_table(
        [
            (
                run.status,
                moment_text(run.started_at),
                run.task_hash[:8],
                run.family,
                params_text(run.params),
                duration_text(run.duration_s),
                f"{run.error_type}: {run.error}" if run.error_type else reason_text(run.reason),
            )
            for run in runs
        ],
        titles=("status", "started", "task", "family", "parameters", "took", "why"),
        styles=STATUS_STYLES,
    )
