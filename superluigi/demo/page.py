"""What the demo writes, and the comparison of what it says with what really ran."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from superluigi.errors import SuperLuigiError
from superluigi_catalog.text import printable

__all__ = ["DemoWrong", "Page", "claim"]

_WIDTH = 100


class DemoWrong(SuperLuigiError):
    """Something that the demo says is not what really happened."""


def claim(what: str, *, holds: bool, found: object = None) -> None:
    """Say something only if it is so.

    Raises:
        DemoWrong: it is not.
    """
    if not holds:
        message = f"The demo claims: {what} That is not so. Found: {found!r}"
        raise DemoWrong(message)


class Page:
    """Sections on stdout, with colours on a terminal."""

    def __init__(self) -> None:
        self._number = 0

    def heading(self, text: str) -> None:
        """Begin a section."""
        self._number += 1
        click.echo()
        click.secho(f"{self._number}. {text}", bold=True)

    def say(self, text: str) -> None:
        """A sentence."""
        click.echo(printable(text))

    def code(self, text: str) -> None:
        """What was called."""
        click.secho(f"   >>> {printable(text)}", fg="cyan")

    def block(self, text: str) -> None:
        """What came of it, indented."""
        for line in printable(text, multiline=True).rstrip().splitlines():
            click.echo(f"   {line}".rstrip())

    def ran(self, families: Sequence[str]) -> None:
        """What the tasks themselves noted."""
        noted = ", ".join(families) or "nothing"
        click.secho(f"   run() was entered by: {noted}", fg="green")

    def wrong(self, error: Exception) -> None:
        """Say loudly that the demo does not hold what it promises."""
        sys.stdout.flush()
        click.secho(f"\nWRONG: {printable(str(error))}", fg="red", bold=True, err=True)
