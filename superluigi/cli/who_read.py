"""`superluigi who-read`."""

from __future__ import annotations

import click

from superluigi.cli.filters import json_option
from superluigi.cli.output import emit_json, tell
from superluigi.cli.runs import emit_runs

__all__ = ["command"]


@click.command("who-read")
@click.argument("what")
@json_option
def command(what: str, as_json: bool) -> None:
    """List the runs that consumed a target, the newest first.

    WHAT: the path or URI of a target, whatever it held then; a digest, as sha256sum prints it; or any other file, which is looked
    for by its bytes.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        runs = catalog.who_read(what)
    if as_json:
        emit_json([run.to_dict() for run in runs])
        return
    emit_runs(runs)
    if not runs:
        tell("No run is recorded that consumed it.")
