"""Options by which the reading commands choose and page what they list."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from superluigi.cli.output import tell
from superluigi_catalog.moments import utc_moment

__all__ = ["json_option", "limit_option", "moment_option", "tell_of_more"]

_Command = TypeVar("_Command", bound=Callable[..., Any])


def _moment(_: click.Context, parameter: click.Parameter, text: str | None) -> str | None:
    """A moment as the records have it."""
    try:
        return None if text is None else utc_moment(text)
    except ValueError as error:
        raise click.BadParameter(str(error), param=parameter) from error


json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")


def limit_option(default: int) -> Callable[[_Command], _Command]:
    """How many rows are listed."""
    return click.option("--limit", type=click.IntRange(min=1), default=default, show_default=True)


def moment_option(name: str, what: str) -> Callable[[_Command], _Command]:
    """A date, a time or how long ago; the command gets it as the records have it.

    Args:
        what: Begins the help: "Begun then or later".
    """
    return click.option(
        name,
        callback=_moment,
        metavar="WHEN",
        help=f"{what}: 2026-01-05, 2026-01-05T08:30 (UTC), or 90m, 36h, 7d ago.",
    )


def tell_of_more(count: int, limit: int, after: str) -> None:
    """Say on stderr how the list goes on, where it is as long as it may be.

    Args:
        after: The last one that was listed.
    """
    if count == limit:
        tell(f"These are {limit}; there may be more: --limit N, or go on with --after {after}")
