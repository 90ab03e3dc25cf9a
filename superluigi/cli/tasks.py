"""`superluigi tasks`."""

from __future__ import annotations

from datetime import datetime, timezone

import click

from superluigi.cli.output import emit_json, emit_table, tell
from superluigi.cli.texts import STATUS_STYLES, duration_text, moment_text, params_text
from superluigi_catalog.results import STATUSES

__all__ = ["command"]

_TIMES = ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ")


@click.command("tasks")
@click.option("--family", help="Only of this family.")
@click.option(
    "--param", "params", metavar="NAME=VALUE", multiple=True, help="Only with this parameter."
)
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Only in this state.")
@click.option(
    "--search", metavar="WORDS", help="Words of the family and the parameters, or of a hash."
)
@click.option(
    "--since",
    type=click.DateTime(_TIMES),
    metavar="TIME",
    help="Last run at this time or later: 2026-01-05, or 2026-01-05T08:00:00; UTC.",
)
@click.option("--limit", type=click.IntRange(min=1), default=50, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    family: str | None,
    params: tuple[str, ...],
    status: tuple[str, ...],
    search: str | None,
    since: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """List recorded tasks, the newest first."""
    from superluigi_catalog import Catalog

    wanted = dict(_parameter(text) for text in params)
    with Catalog(read_only=True) as catalog:
        tasks = catalog.tasks(
            family=family,
            params=wanted or None,
            status=status or None,
            search=search,
            since=since and since.replace(tzinfo=timezone.utc),
            limit=limit,
        )
    if as_json:
        emit_json([task.to_dict() for task in tasks])
        return
    emit_table(
        [
            (
                task.status,
                task.task_hash[:8],
                task.family,
                params_text(task.params),
                moment_text(task.last_started_at),
                duration_text(task.last_duration_s),
            )
            for task in tasks
        ],
        titles=("status", "task", "family", "parameters", "last run", "took"),
        styles=STATUS_STYLES,
    )
    if len(tasks) == limit:
        tell(f"These are the newest {limit}; there may be more (--limit).")


def _parameter(text: str) -> tuple[str, str]:
    name, sign, value = text.partition("=")
    if not sign:
        message = f"--param {text}: write NAME=VALUE."
        raise click.UsageError(message)
    return name.replace("-", "_"), value
