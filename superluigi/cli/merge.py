"""`superluigi merge`."""

from __future__ import annotations

import click

from superluigi.cli.output import emit, emit_json
from superluigi.cli.texts import duration_text

__all__ = ["command"]


@click.command("merge")
@click.argument("path")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(path: str, as_json: bool) -> None:
    """Take another catalog into this one: another machine's, a colleague's, an exported one.

    PATH: its file. What is known here stays; merging twice is merging once.
    """
    from superluigi_catalog import Catalog

    with Catalog() as catalog:
        done = catalog.merge(path)
    if as_json:
        emit_json(done.to_dict())
        return
    emit(
        f"new: {done.tasks:,} tasks, {done.runs:,} runs, {done.builds:,} builds, "
        f"{done.targets:,} targets; {duration_text(done.duration_s)}"
    )
