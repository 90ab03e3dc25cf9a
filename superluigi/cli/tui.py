"""`superluigi tui`."""

from __future__ import annotations

import signal
import subprocess
import sys

import click

__all__ = ["command"]

_BY_SIGNAL = 128


@click.command(
    "tui",
    add_help_option=False,
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
)
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def command(arguments: tuple[str, ...]) -> int:
    """Browse tasks, runs and lineage in the terminal."""
    child = subprocess.Popen([sys.executable, "-m", "superluigi_tui", *arguments])
    # Ctrl-C reaches the child as well; what it means is the child's to say.
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        code = child.wait()
    finally:
        signal.signal(signal.SIGINT, before)
    return code if code >= 0 else _BY_SIGNAL - code
