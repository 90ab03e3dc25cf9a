"""The command line: `superluigi COMMAND`. A command's module is imported when the command is used."""

from __future__ import annotations

from superluigi.cli.group import command

__all__ = ["command"]
