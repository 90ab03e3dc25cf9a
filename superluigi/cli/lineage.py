"""`superluigi lineage`."""

from __future__ import annotations

import click

from superluigi.cli.output import emit, emit_json

__all__ = ["command"]


@click.command("lineage")
@click.argument("ref")
@click.option(
    "--up", is_flag=True, help="Towards the inputs: what is shown unless asked otherwise."
)
@click.option("--down", is_flag=True, help="Towards the results.")
@click.option("--depth", type=click.IntRange(min=1), help="How many steps; all unless given.")
@click.option("--mermaid", is_flag=True, help="Draw a Mermaid flowchart.")
@click.option("--dot", is_flag=True, help="Draw a Graphviz digraph.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(
    ref: str, up: bool, down: bool, depth: int | None, mermaid: bool, dot: bool, as_json: bool
) -> None:
    """Show what a target was made from, or what was made from it.

    REF: a task hash or its beginning, a target's path or URI.
    """
    from superluigi_catalog import Catalog

    if up and down:
        message = "--up and --down contradict each other. Give one of them."
        raise click.UsageError(message)
    if mermaid + dot + as_json > 1:
        message = "Give one of --mermaid, --dot and --json."
        raise click.UsageError(message)
    with Catalog(read_only=True) as catalog:
        follow = catalog.downstream if down else catalog.upstream
        lineage = follow(ref, depth)
    if as_json:
        document = {
            "root": lineage.root.to_dict(),
            "direction": lineage.direction,
            "tasks": lineage.to_dicts(),
        }
        emit_json(document)
        return
    text = lineage.to_mermaid() if mermaid else lineage.to_dot() if dot else lineage.to_text()
    emit(text.rstrip("\n"), multiline=True)
