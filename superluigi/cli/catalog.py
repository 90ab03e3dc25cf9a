"""`superluigi catalog …`: for whoever reads the catalog with other tools."""

from __future__ import annotations

import click

from superluigi.cli.output import emit_json

__all__ = ["command"]


@click.group("catalog")
def command() -> None:
    """Help other tools to read the catalog."""


@command.command("datasette-metadata")
def datasette_metadata() -> None:
    """Print what Datasette should know of the catalog, as JSON.

    \b
    superluigi catalog datasette-metadata > metadata.json
    datasette .superluigi/catalog.db --metadata metadata.json
    """
    from superluigi_catalog import Catalog
    from superluigi_catalog.datasette import datasette_metadata as metadata_of

    with Catalog(read_only=True) as catalog:
        emit_json(metadata_of(catalog.path.stem))
