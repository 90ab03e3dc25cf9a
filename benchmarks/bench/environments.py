"""A virtual environment for each tool, made when it is first needed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from benchmarks.bench.peers import OWN, ROOT, Tool

__all__ = ["ENVIRONMENTS", "NotInstalled", "binaries_of", "version_of"]

ENVIRONMENTS = ROOT / "benchmarks" / ".peers"
"""One folder for each tool; never committed."""

INSTALL_LIMIT_S = 600


class NotInstalled(Exception):
    """pip could not install the tool; the text is the end of what it said."""


def binaries_of(tool: Tool) -> Path:
    """Where the tool's interpreter and commands are, after installing it when that was not done.

    Raises:
        NotInstalled: pip failed, or took more than ten minutes.
    """
    home = ENVIRONMENTS / tool.distribution
    mark = home / ".installed"
    wanted = ["--editable", str(ROOT)] if tool is OWN else [tool.requirement]
    if not mark.exists() or mark.read_text() != " ".join(wanted):
        print(f"installing {tool.requirement} ...", flush=True)
        mark.unlink(missing_ok=True)
        _call([sys.executable, "-m", "venv", "--clear", str(home)])
        pip = [str(home / "bin" / "python"), "-m", "pip", "--disable-pip-version-check"]
        _call([*pip, "install", "--quiet", *wanted])
        mark.write_text(" ".join(wanted))
    return home / "bin"


def version_of(tool: Tool, binaries: Path) -> str:
    """What is installed there."""
    asked = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"
    return _call([str(binaries / "python"), "-c", asked, tool.distribution]).strip()


def _call(command: list[str]) -> str:
    try:
        done = subprocess.run(
            command,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=True,
            timeout=INSTALL_LIMIT_S,
        )
    except subprocess.CalledProcessError as error:
        lines = error.stdout.strip().splitlines() or [str(error)]
        raise NotInstalled(lines[-1]) from error
    except subprocess.TimeoutExpired as error:
        message = f"not within {INSTALL_LIMIT_S} s"
        raise NotInstalled(message) from error
    return done.stdout
