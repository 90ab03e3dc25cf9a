"""`superluigi who-made`."""

from __future__ import annotations

import click

from superluigi.cli.errors import ExitCode
from superluigi.cli.filters import json_option
from superluigi.cli.output import emit_json, tell
from superluigi.cli.runs import emit_runs

__all__ = ["command"]


@click.command("who-made")
@click.argument("what")
@json_option
def command(what: str, as_json: bool) -> int:
    """Name the runs that made a content, the newest first.

    WHAT: the path or URI of a target: what is there now; a digest, as sha256sum prints it; or any other
    file, which is read and looked for by its bytes, so that a renamed or copied one is known too.

    The exit code is 4 when no run is recorded that made it.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        runs = catalog.makers(what)
    if as_json:
        emit_json([run.to_dict() for run in runs])
    else:
        emit_runs(runs)
    if runs:
        return ExitCode.OK
    tell("No run is recorded that made it: it came from outside, or was changed since.")
    return ExitCode.NOT_FOUND
