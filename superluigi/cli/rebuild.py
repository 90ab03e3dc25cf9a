"""`superluigi rebuild`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from superluigi.cli.errors import ExitCode
from superluigi.cli.output import emit, emit_json, emit_table, tell
from superluigi.cli.progress_line import counting
from superluigi.cli.texts import duration_text

if TYPE_CHECKING:
    from superluigi_catalog.upkeep import Rebuilt

__all__ = ["command"]


@click.command("rebuild")
@click.argument("roots", metavar="ROOT...", nargs=-1, required=True)
@click.option(
    "--content", is_flag=True, help="Read every local target, whatever its size and time."
)
@click.option(
    "--replace", is_flag=True, help="Set the catalog that is there aside, and begin with a new one."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(roots: tuple[str, ...], content: bool, replace: bool, as_json: bool) -> int:
    """Record what the sidecars below folders or s3:// URIs say.

    What is known already stays. It can be interrupted and called again: sidecars that have not changed
    are not read again. The exit code is 1 when some cannot be used.
    """
    from superluigi.places import register
    from superluigi_catalog import Catalog, set_aside

    register()
    if replace:
        kept = set_aside()
        if kept is not None:
            tell(f"The old catalog is kept at {str(kept)!r}.")
    with Catalog() as catalog, counting("sidecars") as report:
        done = catalog.rebuild(*roots, content=content, progress=report)
    if as_json:
        emit_json(done.to_dict())
    else:
        _print(done)
    return ExitCode.FAILED if done.problems else ExitCode.OK


def _print(done: Rebuilt) -> None:
    emit_table(
        [(each.problem, each.path, each.text) for each in done.problems],
        titles=("problem", "sidecar", "what"),
        styles={"broken": "red", "oversize": "red", "unreadable": "red"},
    )
    facts = [
        (done.recorded, "recorded"),
        (done.unchanged, "known"),
        (done.missing, "of targets that are missing"),
        (done.changed, "of targets that were changed since"),
        (len(done.problems), "that cannot be used"),
    ]
    listed = ", ".join(f"{count:,} {what}" for count, what in facts if count)
    sidecars = "1 sidecar" if done.found == 1 else f"{done.found:,} sidecars"
    told = f"{sidecars}: {listed}" if listed else sidecars
    emit(f"{told}; {duration_text(done.duration_s)}")
