"""`superluigi gc`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from superluigi.cli.errors import ExitCode
from superluigi.cli.output import emit, emit_json, emit_table, tell
from superluigi.cli.progress_line import counting
from superluigi.cli.texts import moment_text, size_text

if TYPE_CHECKING:
    from superluigi_catalog.upkeep import Orphans

__all__ = ["command"]

_KINDS = {
    "target": "targets",
    "sidecar": "sidecars",
    "copy": "copies",
    "upload": "uploads",
    "run": "runs",
}


@click.command("gc")
@click.option("--keep", metavar="REF", multiple=True, help="A task that is of use in any case.")
@click.option(
    "--days",
    type=click.FloatRange(min=0),
    default=90,
    show_default=True,
    help="Keep what was made or read, and what builds were asked for, within so many days.",
)
@click.option(
    "--keep-runs",
    type=click.IntRange(min=1),
    default=10,
    show_default=True,
    help="Keep the records of so many runs of each task.",
)
@click.option("--apply", is_flag=True, help="Remove what is listed, after asking.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    keep: tuple[str, ...], days: float, keep_runs: int, apply: bool, yes: bool, as_json: bool
) -> int:
    """List what nobody needs any more, and remove it on request.

    Listed are targets, sidecars, local copies, unfinished uploads of dead processes and records of runs.
    Of use is what the builds of the last days, and the newest one that succeeded, were asked for, with all
    upstream of it. Nothing is removed without --apply, and never a target whose bytes are not those that its
    run wrote. The exit code is 1 when something could not be removed.
    """
    from superluigi.places import register
    from superluigi_catalog import Catalog

    register()
    if apply and not yes and (as_json or not sys.stdin.isatty()):
        message = "--apply asks before it removes anything. Give --yes where nobody can answer."
        raise click.UsageError(message)
    with Catalog(read_only=not apply) as catalog:
        found = catalog.orphans(keep=keep, unused_days=days, keep_runs=keep_runs)
        if not as_json:
            _print(found)
        if apply and found.orphans and (yes or click.confirm("Remove all this?", err=True)):
            with counting("targets") as report:
                found = catalog.remove_orphans(found, progress=report)
            if not as_json:
                _print_kept(found)
    if as_json:
        emit_json({**found.to_dict(), "size_bytes": found.size_bytes, "applied": apply})
    return ExitCode.FAILED if any(each.kept_because for each in found.orphans) else ExitCode.OK


def _print(found: Orphans) -> None:
    shown = [each for each in found.orphans if each.kind != "run"]
    emit_table(
        [
            (
                each.kind,
                each.name,
                size_text(each.size_bytes),
                moment_text(each.last_used),
                each.family,
            )
            for each in shown
        ],
        titles=("what", "name", "size", "last used", "family"),
    )
    if found.current_tasks is None:
        tell("No build is recorded here, so nobody can tell which tasks are of use: give --keep.")
    counts = [
        (sum(each.kind == kind for each in found.orphans), kind, many)
        for kind, many in _KINDS.items()
    ]
    listed = [f"{count:,} {kind if count == 1 else many}" for count, kind, many in counts if count]
    what = ", ".join(listed) or "nothing"
    emit(f"{what}; {size_text(found.size_bytes)}; not used since {moment_text(found.since)}")


def _print_kept(found: Orphans) -> None:
    kept = [each for each in found.orphans if each.kept_because]
    emit_table(
        [("kept", each.name, each.kept_because) for each in kept], titles=("", "name", "why")
    )
    removed = replace(found, orphans=tuple(each for each in found.orphans if not each.kept_because))
    emit(f"removed {len(removed.orphans):,}, {size_text(removed.size_bytes)}; kept {len(kept):,}")
