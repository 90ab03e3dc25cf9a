"""`superluigi tasks`."""

from __future__ import annotations

from typing import Any

import click

from superluigi.cli.filters import json_option, limit_option, moment_option, tell_of_more
from superluigi.cli.output import emit_json, emit_table
from superluigi.cli.texts import STATUS_STYLES, minute_text, params_text
from superluigi_catalog.results import STATUSES

__all__ = ["command"]


@click.command("tasks")
@click.option("--family", help="Only of this family.")
@click.option(
    "--param", "params", metavar="NAME=VALUE", multiple=True, help="Only with this parameter."
)
@click.option(
    "--range",
    "ranges",
    metavar="NAME=LOW..HIGH",
    multiple=True,
    help="Only with a number or date in this range, ends included; LOW.. and ..HIGH are open.",
)
@click.option("--status", type=click.Choice(STATUSES), multiple=True, help="Only in this state.")
@click.option(
    "--search", metavar="WORDS", help="Words of the family and the parameters, or of a hash."
)
@moment_option("--since", "Last run then or later")
@click.option("--after", metavar="REF", help="Go on after this task, the last one of a list.")
@limit_option(50)
@json_option
def command(
    family: str | None,
    params: tuple[str, ...],
    ranges: tuple[str, ...],
    status: tuple[str, ...],
    search: str | None,
    since: str | None,
    after: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """List recorded tasks, the newest first.

    The status is what the records alone can say; plan looks at the targets themselves.
    """
    from superluigi_catalog import Catalog

    wanted = _wanted(params, ranges)
    with Catalog(read_only=True) as catalog:
        try:
            tasks = catalog.tasks(
                family=family,
                params=wanted,
                status=status or None,
                search=search,
                since=since,
                limit=limit,
                after=after,
            )
        except ValueError as error:  # a range of what has no order
            raise click.UsageError(str(error)) from error
    if as_json:
        emit_json([task.to_dict() for task in tasks])
        return
    emit_table(
        [
            (
                task.status,
                task.task_hash[:8],
                minute_text(task.last_started_at),
                f"{task.family}  {params_text(task.params)}".rstrip(),
            )
            for task in tasks
        ],
        titles=("status", "task", "last run", "family and parameters"),
        styles=STATUS_STYLES,
        notes=[""] * len(tasks),
    )
    if tasks:
        tell_of_more(len(tasks), limit, tasks[-1].task_hash[:12])


def _wanted(params: tuple[str, ...], ranges: tuple[str, ...]) -> dict[str, Any]:
    wanted: dict[str, Any] = {}
    for option, text in [("--param", each) for each in params] + [("--range", e) for e in ranges]:
        name, sign, value = text.partition("=")
        name = name.replace("-", "_")
        low, dots, high = value.partition("..")
        if not sign or (option == "--range" and not (dots and (low or high))):
            form = (
                "NAME=VALUE" if option == "--param" else "NAME=LOW..HIGH, NAME=LOW.. or NAME=..HIGH"
            )
            message = f"{option} {text}: write {form}."
            raise click.UsageError(message)
        if name in wanted:
            message = f"{option} {text}: there is a condition on {name!r} already."
            raise click.UsageError(message)
        wanted[name] = value if option == "--param" else (low or None, high or None)
    return wanted
