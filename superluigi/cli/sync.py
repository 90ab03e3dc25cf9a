"""`superluigi sync`."""

from __future__ import annotations

import click

from superluigi.cli.errors import CommandError
from superluigi.cli.filters import json_option
from superluigi.cli.output import emit, emit_json, tell
from superluigi.cli.transfers import synced_dict, watched

__all__ = ["command"]


@click.command("sync")
@click.argument("ref")
@click.option("--to", metavar="DIR", type=click.Path(file_okay=False), help="Copy it to below DIR.")
@click.option("--upstream", is_flag=True, help="All that it was made from, as well.")
@json_option
def command(ref: str, to: str | None, upstream: bool, as_json: bool) -> None:
    """Make local copies of a task's outputs, or of a target, what these are now.

    REF: a task hash or its beginning, a target's path or URI.

    Without --to the copies are read-only and in the cache, and what is local already is only named. With it,
    bucket and key are folders below DIR. The paths are printed.
    """
    from superluigi.errors import TargetError
    from superluigi.syncing import sync_target, targets_to_sync
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        targets = targets_to_sync(ref, catalog, upstream=upstream)
    done, failed = [], 0
    for target in targets:
        try:
            with watched(target.path):
                done.append(sync_target(target, to))
        except TargetError as error:
            if len(targets) == 1:
                raise
            failed += 1
            tell(f"Error: {error}")
            continue
        if done[-1].others:
            tell(
                f"{done[-1].path}: {done[-1].others:,} files are no part of it, and were left alone"
            )
    if as_json:
        emit_json([synced_dict(each) for each in done])
    else:
        for each in done:
            emit(each.path)
    if failed:
        message = f"{failed} of {len(targets)} targets could not be synced."
        raise CommandError(message)
