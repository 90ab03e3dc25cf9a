"""`superluigi history`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from superluigi.cli.filters import json_option
from superluigi.cli.output import emit_json, emit_table
from superluigi.cli.texts import digest_text, minute_text, run_label, run_text, size_text

if TYPE_CHECKING:
    from superluigi_catalog.results import Revision

__all__ = ["command"]

_MAX_READERS = 3
_VERBS = {
    "adopted": "adopted for",
    "unchanged": "recorded anew for",
    "accepted": "accepted for",
    "withdrawn": "accepted, and withdrawn, for",
}
"""What a run did to a content, where it did not make it."""


@click.command("history")
@click.argument("path")
@json_option
def command(path: str, as_json: bool) -> None:
    """Show every content that a target has held, and who made and read it.

    PATH: the path or URI of a target. The newest content stands first; the content that was last seen there is marked with *.
    """
    from superluigi_catalog import Catalog

    with Catalog(read_only=True) as catalog:
        revisions = catalog.history(path)
    if as_json:
        emit_json([revision.to_dict() for revision in revisions])
        return
    emit_table(
        [
            (
                "*" if revision.is_seen else "",
                minute_text(revision.at),
                size_text(revision.size_bytes),
                digest_text(revision.fingerprint),
            )
            for revision in revisions
        ],
        titles=("", "when", "size", "content"),
        notes=[_told(revision) for revision in revisions],
    )


def _told(revision: Revision) -> str:
    run = revision.run
    verb = _VERBS.get(run.status, "made by") if run else ""
    made = f"{verb} {run_label(run)}: {run_text(run)}" if run else "made by no recorded run"
    names = [f"{each.family or '?'} {each.task_hash[:8]}" for each in revision.read_by]
    names = list(dict.fromkeys(names))
    more = f" and {len(names) - _MAX_READERS:,} more" if len(names) > _MAX_READERS else ""
    return f"{made}; read by {', '.join(names[:_MAX_READERS])}{more}" if names else made
