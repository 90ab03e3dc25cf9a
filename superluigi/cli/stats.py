"""`superluigi stats`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from superluigi.cli.filters import json_option, moment_option
from superluigi.cli.output import emit, emit_json, emit_table, tell
from superluigi.cli.texts import duration_text, minute_text, params_text, size_text

if TYPE_CHECKING:
    from superluigi_catalog.stats import Stats, TaskStats

__all__ = ["command"]


@click.command("stats")
@moment_option("--since", "Only runs begun then or later")
@click.option(
    "--runs",
    type=click.IntRange(min=1),
    default=100_000,
    show_default=True,
    help="Look at this many of the newest runs at most.",
)
@click.option(
    "--limit", type=click.IntRange(min=1), default=5, show_default=True, help="Rows of each list."
)
@json_option
def command(since: str | None, runs: int, limit: int, as_json: bool) -> None:
    """Show where the time goes, what runs most, what fails, what is big."""
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        found = catalog.stats(since=since, runs=runs, limit=limit)
    if as_json:
        emit_json(found.to_dict())
        return
    if not found.runs:
        tell("No run is recorded in that time.")
        return
    _print(found)


def _print(found: Stats) -> None:
    ended = ", ".join(f"{count:,} {status}" for status, count in found.statuses.items())
    since = minute_text(found.since)
    emit(f"{found.runs:,} runs since {since}: {ended}; {duration_text(found.total_s)} in all")
    _section("families by time")
    emit_table(
        [
            (
                duration_text(each.total_s),
                f"{each.runs:,} runs",
                f"{each.failed:,} failed" if each.failed else "",
                f"{duration_text(each.mean_s)} each",
                each.family,
            )
            for each in found.families
        ],
        titles=("time", "runs", "failed", "mean", "family"),
        notes=[""] * len(found.families),
    )
    _tasks("slowest", found.slowest)
    _tasks("most often run", found.most_run)
    _tasks("failing", found.failing)
    if found.biggest:
        _section("biggest")
        emit_table(
            [
                (size_text(each.size_bytes), f"{each.family} {each.task_hash[:8]}", each.uri)
                for each in found.biggest
            ],
            titles=("size", "made by", "target"),
            notes=[""] * len(found.biggest),
        )


def _tasks(title: str, tasks: Sequence[TaskStats]) -> None:
    if not tasks:
        return
    _section(title)
    emit_table(
        [
            (
                duration_text(each.longest_s),
                f"{each.runs:,} run{'s' if each.runs > 1 else ''}",
                f"{each.failed:,} failed" if each.failed else "",
                f"{each.family} {each.task_hash[:8]}  {params_text(each.params)}".rstrip(),
            )
            for each in tasks
        ],
        titles=("longest", "runs", "failed", "task"),
        notes=[each.last_error or "" for each in tasks],
    )


def _section(title: str) -> None:
    emit(f"\n{title}", multiline=True)
