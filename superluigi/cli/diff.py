"""`superluigi diff`."""

from __future__ import annotations

import click

from superluigi.cli.errors import ExitCode
from superluigi.cli.filters import json_option
from superluigi.cli.output import emit, emit_json

__all__ = ["command"]


@click.command("diff")
@click.argument("a")
@click.argument("b", required=False)
@json_option
def command(a: str, b: str | None, as_json: bool) -> int:
    """Compare two tasks, runs or builds, and name what of it came first.

    A, B: task hashes or their beginnings, paths or URIs of targets (their current runs count); ids of runs;
    or ids of two builds. Without B, A is compared with the run before it, or with the build of the same
    tasks before it.

    The graphs are followed upstream only where contents differ. * marks what explains the rest. As with
    diff, the exit code is 0 when there is no difference, and 1 when there is one.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        try:
            found = catalog.diff(a, b)
        except ValueError as error:  # two things of different kinds
            raise click.UsageError(str(error)) from error
    if as_json:
        emit_json(found.to_dict())
    else:
        emit(found.to_text().rstrip("\n"), multiline=True)
    return ExitCode.OK if found.is_same else ExitCode.FAILED
