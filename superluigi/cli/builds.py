"""`superluigi builds`."""

from __future__ import annotations

import shlex

import click

from superluigi.cli.output import emit_json, emit_table
from superluigi.cli.texts import STATUS_STYLES, moment_text

__all__ = ["command"]


@click.command("builds")
@click.option("--limit", type=click.IntRange(min=1), default=20, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def command(limit: int, as_json: bool) -> None:
    """List builds, the newest first."""
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        builds = catalog.builds(limit=limit)
    if as_json:
        emit_json([build.to_dict() for build in builds])
        return
    emit_table(
        [
            (
                build.status,
                moment_text(build.started_at),
                build.build_id,
                ", ".join(f"{count} {what}" for what, count in build.counts.items() if count),
                shlex.join(build.argv),
            )
            for build in builds
        ],
        titles=("status", "started", "build", "tasks", "command"),
        styles=STATUS_STYLES,
    )
