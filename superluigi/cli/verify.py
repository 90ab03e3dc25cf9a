"""`superluigi verify`."""

from __future__ import annotations

import click

from superluigi.cli.errors import ExitCode
from superluigi.cli.output import emit, emit_json, emit_table
from superluigi.cli.progress_line import counting
from superluigi.cli.texts import duration_text

__all__ = ["command"]

_STYLES = {"missing": "yellow", "changed": "yellow", "error": "red", "sidecar": "red"}


@click.command("verify")
@click.argument("refs", metavar="[REF]...", nargs=-1)
@click.option(
    "--content", is_flag=True, help="Read all local targets, and ask S3 what each object holds."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(refs: tuple[str, ...], content: bool, as_json: bool) -> int:
    """Compare targets with their records: all of them, or those named.

    REF: a task hash or its beginning, a target's path or URI. Nothing is changed but what the catalog
    knows to be there. The exit code is 1 when something is not as recorded.
    """
    from superluigi.places import register
    from superluigi_catalog import Catalog

    register()
    with Catalog() as catalog, counting("targets") as report:
        done = catalog.verify(*refs, content=content, progress=report)
    if as_json:
        emit_json(done.to_dict())
    else:
        emit_table(
            [
                (each.problem, each.uri, f"{each.family} {(each.task_hash or '')[:8]}", each.text)
                for each in done.problems
            ],
            titles=("problem", "target", "task", "what"),
            styles=_STYLES,
        )
        targets = "1 target" if done.checked == 1 else f"{done.checked:,} targets"
        found = f"{len(done.problems):,} not as recorded" if done.problems else "all as recorded"
        emit(f"{targets}: {found}; {duration_text(done.duration_s)}")
    return ExitCode.FAILED if done.problems else ExitCode.OK
