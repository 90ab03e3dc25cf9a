"""`superluigi fetch`."""

from __future__ import annotations

import click

from superluigi.cli.filters import json_option
from superluigi.cli.output import emit, emit_json
from superluigi.cli.transfers import synced_dict, watched

__all__ = ["command"]


@click.command("fetch")
@click.argument("ref")
@click.option("--as-of", "run_id", metavar="RUN", required=True, help="The id of the run.")
@click.option("--to", metavar="DIR", type=click.Path(file_okay=False), help="Copy it to below DIR.")
@json_option
def command(ref: str, run_id: str, to: str | None, as_json: bool) -> None:
    """Get the exact bytes that a run consumed or wrote.

    REF: a target's path or URI, or the hash of the task whose output it is.

    They are looked for among the local copies, as a version of the object (in a bucket with versions), and in
    place. The path is printed.
    """
    from superluigi.syncing import fetch_as_of
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog, watched(ref):
        found = fetch_as_of(ref, run_id, catalog, to=to)
    if as_json:
        emit_json([synced_dict(each) for each in found])
        return
    for each in found:
        emit(each.path)
