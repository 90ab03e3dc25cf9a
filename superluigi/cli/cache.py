"""`superluigi cache`: the local copies of what stands on S3."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from superluigi.cli.filters import json_option
from superluigi.cli.output import emit, emit_json, tell
from superluigi.cli.texts import size_text

if TYPE_CHECKING:
    from superluigi.s3 import Cache

__all__ = ["command"]


@click.group("cache", invoke_without_command=True)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Show, clear or check the local copies of S3 targets."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


@command.command("info")
@json_option
def info(as_json: bool) -> None:
    """Show what the copies take."""
    cache = _cache()
    usage = cache.space.usage()
    if as_json:
        emit_json(
            {
                "path": str(cache.root),
                "copies": usage.copies,
                "size_bytes": usage.size_bytes,
                "in_use": usage.in_use,
                "max_bytes": usage.max_bytes,
                "free_bytes": usage.free_bytes,
            }
        )
        return
    limit = "no limit" if usage.max_bytes is None else f"at most {size_text(usage.max_bytes)}"
    emit(f"{cache.root}")
    emit(
        f"{usage.copies:,} copies, {size_text(usage.size_bytes)} ({limit}); {usage.in_use:,} in use; "
        f"{size_text(usage.free_bytes)} free on the disk"
    )


@command.command("clear")
@click.option("--yes", is_flag=True, help="Do not ask.")
def clear(yes: bool) -> None:
    """Remove the copies that no running task uses; they are downloaded again when needed."""
    cache = _cache()
    if not yes:
        usage = cache.space.usage()
        question = (
            f"Remove {usage.copies:,} copies ({size_text(usage.size_bytes)}) in {cache.root}?"
        )
        click.confirm(question, abort=True, err=True)
    tell(f"{size_text(cache.space.clear())} freed")


@command.command("verify")
@json_option
@click.pass_context
def verify(ctx: click.Context, as_json: bool) -> None:
    """Read all copies, and remove those that are damaged; exit code 1 when there was one."""
    found = _cache().space.verify()
    if as_json:
        emit_json(
            {
                "copies": found.copies,
                "damaged": list(found.damaged),
                "forgotten": found.forgotten,
            }
        )
    else:
        for digest in found.damaged:
            emit(f"sha256:{digest} was damaged, and is removed")
        tell(f"{found.copies:,} copies read, {len(found.damaged):,} damaged")
    ctx.exit(1 if found.damaged else 0)


def _cache() -> Cache:
    from superluigi.project import current_project
    from superluigi.targets.s3 import cache_of

    return cache_of(current_project())
