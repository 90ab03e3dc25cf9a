"""`superluigi export`."""

from __future__ import annotations

import click

from superluigi.cli.output import emit, emit_json, narrating
from superluigi.cli.progress_line import counting
from superluigi.cli.texts import size_text

__all__ = ["command"]


@click.command("export")
@click.argument("path", required=False)
@click.option("--replace", is_flag=True, help="Replace the file that is there.")
@click.option(
    "--openlineage", is_flag=True, help="Tell a lineage server instead, of what it was not told of."
)
@click.option("--namespace", help="Of the jobs, for --openlineage: the project's name by default.")
@click.option("--again", is_flag=True, help="With --openlineage: tell everything anew.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    path: str | None,
    replace: bool,
    openlineage: bool,
    namespace: str | None,
    again: bool,
    as_json: bool,
) -> None:
    """Write a copy of the catalog, with all of its history.

    PATH: the file to be made. It opens as a catalog, and `superluigi merge` takes it.
    """
    if (path is None) != openlineage:
        message = "Give either a PATH or --openlineage."
        raise click.UsageError(message)
    if not openlineage and (again or namespace):
        message = "--namespace and --again belong to --openlineage."
        raise click.UsageError(message)
    if path is None:
        _tell(namespace, again=again, as_json=as_json)
    else:
        _copy(path, replace=replace, as_json=as_json)


def _copy(path: str, *, replace: bool, as_json: bool) -> None:
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        made = catalog.export(path, replace=replace)
    size = made.stat().st_size
    if as_json:
        emit_json({"path": str(made), "size_bytes": size})
    else:
        emit(f"{made}  {size_text(size)}")


def _tell(namespace: str | None, *, again: bool, as_json: bool) -> None:
    from superluigi_catalog import Catalog

    with narrating(), Catalog() as catalog, counting("runs") as report:
        done = catalog.export_openlineage(namespace=namespace, again=again, progress=report)
    if as_json:
        emit_json(done.to_dict())
    else:
        emit(f"told of {done.runs:,} runs in {done.events:,} events")
