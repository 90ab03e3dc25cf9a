"""`superluigi demo`."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["command"]


@click.command("demo")
@click.option(
    "--bucket", metavar="NAME", help="A bucket of yours, instead of a server of the demo's own."
)
@click.option(
    "--directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the project is made; demo-project unless given.",
)
def command(bucket: str | None, directory: Path | None) -> int:
    """Run an example pipeline and show its lineage.

    The project that it makes stays, to explore and to change.
    """
    from superluigi.demo import run_demo

    return run_demo(bucket=bucket, directory=directory)
