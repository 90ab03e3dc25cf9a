"""`superluigi-tui` and `python -m superluigi_tui`: the arguments, then the app."""

from __future__ import annotations

import argparse
import gc
import sys
from collections.abc import Sequence
from pathlib import Path

from superluigi_tui.routes import BadRoute, Route

__all__ = ["main"]

_USAGE_ERROR = 2


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the terminal UI.

    Returns:
        The exit code.
    """
    asked = _parser().parse_args(arguments)
    try:
        route = Route.parse(asked.route)
    except BadRoute as error:
        print(f"Error: {error}", file=sys.stderr)
        return _USAGE_ERROR
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        print(
            "Error: the terminal UI needs a terminal. superluigi tasks, show and lineage print the same, "
            "with --json for programs.",
            file=sys.stderr,
        )
        return _USAGE_ERROR
    from superluigi_tui.config import BadConfig, load_config

    try:
        config = load_config()
    except BadConfig as error:
        print(f"Error: {error}", file=sys.stderr)
        return _USAGE_ERROR
    return _run(asked, route, config)


def _run(asked: argparse.Namespace, route: Route, config: object) -> int:
    # What is imported stays: looking through it for garbage again and again costs a tenth of the start.
    gc.disable()
    from superluigi_tui.app import SuperLuigiApp
    from superluigi_tui.config import Config
    from superluigi_tui.glyphs import glyphs_for

    assert isinstance(config, Config)
    app = SuperLuigiApp(
        route,
        catalog=asked.catalog,
        read_only=asked.read_only,
        glyphs=glyphs_for("ascii" if asked.ascii else config.glyphs),
        keymap=config.keymap,
    )
    if asked.demo:
        app.use_demo()
    code = app.run()
    return code or app.return_code or 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="superluigi tui", description="Browse tasks, builds and lineage in the terminal."
    )
    parser.add_argument(
        "route",
        nargs="?",
        default="home",
        help="where to begin: home, tasks?q=words, tasks/HASH, tasks/HASH/why, lineage/HASH, builds, builds/ID",
    )
    parser.add_argument("--read-only", action="store_true", help="no key starts or stops anything")
    parser.add_argument("--demo", action="store_true", help="show a made-up catalog")
    parser.add_argument("--catalog", type=Path, metavar="FILE", help="not the project's catalog")
    parser.add_argument("--ascii", action="store_true", help="draw with plain ASCII")
    return parser


if __name__ == "__main__":
    sys.exit(main())
