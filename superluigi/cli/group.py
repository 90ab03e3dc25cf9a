"""`superluigi` itself: which commands there are, and how every one of them ends."""

from __future__ import annotations

import functools
import importlib
import sys
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click

from superluigi.cli.errors import EXIT_CODES, ended
from superluigi.cli.output import prepare_streams

__all__ = ["COMMANDS", "command", "module_of"]

COMMANDS = {
    "run": "Make a task's output, and whatever it needs.",
    "plan": "Show what a run would do, and why.",
    "why": "Explain why a task would run again, or why a run was made.",
    "accept": "Declare stale results right as they are, on record.",
    "show": "Show what is recorded of one task.",
    "lineage": "Show what a target was made from, or what was made from it.",
    "who-made": "Name the runs that made a content, the newest first.",
    "who-read": "List the runs that consumed a target, the newest first.",
    "history": "Show every content that a target has held, and who made and read it.",
    "tasks": "List recorded tasks, the newest first.",
    "runs": "List runs, the newest first, and why they ran.",
    "builds": "List builds, the newest first; or show one, with its runs and what failed.",
    "diff": "Compare two tasks, runs or builds, and name what of it came first.",
    "stats": "Show where the time goes, what runs most, what fails, what is big.",
    "catalog": "Help other tools to read the catalog.",
    "verify": "Compare targets with their records: all of them, or those named.",
    "rebuild": "Record what the sidecars below folders or s3:// URIs say.",
    "gc": "List what nobody needs any more, and remove it on request.",
    "export": "Write a copy of the catalog, with all of its history.",
    "merge": "Take another catalog into this one: another machine's, a colleague's, an exported one.",
    "sync": "Make local copies of a task's outputs, or of a target, what these are now.",
    "fetch": "Get the exact bytes that a run consumed or wrote.",
    "cache": "Show, clear or check the local copies of S3 targets.",
    "doctor": "Look for what is wrong here, and say what to do.",
    "demo": "Run an example pipeline and show its lineage.",
    "tui": "Browse tasks, runs and lineage in the terminal.",
}
"""Name → the first line of the command's help; its module is `module_of` the name."""

_CODES = "\n".join(f"{int(code):>4}  {meaning}" for code, meaning in EXIT_CODES.items())
_EPILOG = f"""\b
Results go to stdout, progress and messages to stderr. Exit codes:
{_CODES}

\b
Completion for bash (zsh and fish alike):
  eval "$(_SUPERLUIGI_COMPLETE=bash_source superluigi)"
"""


def module_of(name: str) -> str:
    """The module of a command, with `_` for each `-` in its name."""
    return f"superluigi.cli.{name.replace('-', '_')}"


class _Commands(click.Group):
    """A group whose help needs no command's module."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands, in the order of the table."""
        return [name for name in COMMANDS if name != "tui" or _has_tui()]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        if cmd_name not in self.list_commands(ctx):
            return None
        module = importlib.import_module(module_of(cmd_name))
        found: click.Command = module.command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the command; an unknown one is answered with the nearest."""
        name = args[0]
        if not name.startswith("-") and self.get_command(ctx, name) is None:
            near = get_close_matches(name, self.list_commands(ctx))
            advice = f"Did you mean {' or '.join(near)}?" if near else "See superluigi --help."
            message = f"There is no command {name!r}. {advice}"
            raise click.UsageError(message)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table, which has the help texts too."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        **extra: Any,
    ) -> Any:
        """Run, and end the process with one of the documented exit codes."""
        call = functools.partial(
            super().main, args, prog_name, complete_var, standalone_mode=False, **extra
        )
        if not standalone_mode:
            return call()
        prepare_streams()
        sys.exit(ended(call))


@click.command(
    cls=_Commands,
    epilog=_EPILOG,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="superluigi")
@click.pass_context
def command(ctx: click.Context) -> None:
    """Luigi tasks that know where their data came from."""
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _has_tui() -> bool:
    """Whether the terminal UI can be started; it is not imported to find out."""
    spec = find_spec("superluigi_tui")
    places: Iterable[str] = (spec and spec.submodule_search_locations) or ()
    return any(Path(place, "__main__.py").is_file() for place in places)
