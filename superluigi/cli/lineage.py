"""`superluigi lineage`."""

from __future__ import annotations

import click

from superluigi.cli.filters import json_option, moment_option
from superluigi.cli.output import emit, emit_json

__all__ = ["command"]


@click.command("lineage")
@click.argument("ref")
@click.option(
    "--up", is_flag=True, help="Towards the inputs: what is shown unless asked otherwise."
)
@click.option("--down", is_flag=True, help="Towards the results; together with --up, both.")
@click.option("--depth", type=click.IntRange(min=1), help="How many steps; all unless given.")
@moment_option("--as-of", "As it stood then")
@click.option("--targets", is_flag=True, help="Say which content of which target was consumed.")
@click.option("--mermaid", is_flag=True, help="Draw a Mermaid flowchart.")
@click.option("--dot", is_flag=True, help="Draw a Graphviz digraph.")
@click.option("--svg", is_flag=True, help="Draw an SVG picture.")
@json_option
def command(
    ref: str,
    up: bool,
    down: bool,
    depth: int | None,
    as_of: str | None,
    targets: bool,
    mermaid: bool,
    dot: bool,
    svg: bool,
    as_json: bool,
) -> None:
    """Show what a target was made from, or what was made from it.

    What runs consumed counts, not only what tasks require.

    REF: a task hash or its beginning, a target's path or URI.
    """
    from superluigi_catalog import Catalog

    if mermaid + dot + svg + as_json + targets > 1:
        message = "Give one of --targets, --mermaid, --dot, --svg and --json."
        raise click.UsageError(message)
    with Catalog(read_only=True) as catalog:
        asked = catalog if as_of is None else catalog.as_of(as_of)
        follow = asked.upstream if not down else asked.lineage if up else asked.downstream
        lineage = follow(ref, depth)
    if as_json:
        document = {
            "root": lineage.root.to_dict(),
            "direction": lineage.direction,
            "tasks": lineage.to_dicts(),
        }
        emit_json(document)
        return
    drawings = {lineage.to_mermaid: mermaid, lineage.to_dot: dot, lineage.to_svg: svg}
    chosen = [draw for draw, is_chosen in drawings.items() if is_chosen]
    text = chosen[0]() if chosen else lineage.to_text(targets=targets)
    emit(text.rstrip("\n"), multiline=True)
