"""Other Python minors on this machine, found by what they are called."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from functools import lru_cache
from pathlib import Path

REPOSITORY = Path(__file__).parents[3]
_MINORS = ("3.10", "3.11", "3.12", "3.13", "3.14")


@lru_cache(maxsize=1)
def other_interpreters() -> dict[str, str]:
    """Minor → a program that runs it: in PATH, of pyenv, or named in `SUPERLUIGI_PYTHONS`."""
    named = os.environ.get("SUPERLUIGI_PYTHONS", "").split(os.pathsep)
    in_path = [shutil.which(f"python{minor}") or "" for minor in _MINORS]
    found = {}
    for program in [*named, *in_path, *_of_pyenv()]:
        minor = _minor_of(program) if program else None
        if minor in _MINORS and minor != f"{sys.version_info[0]}.{sys.version_info[1]}":
            found[minor] = program
    return found


def _of_pyenv() -> list[str]:
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return []
    done = subprocess.run([pyenv, "root"], capture_output=True, text=True)
    versions = Path(done.stdout.strip() or os.devnull) / "versions"
    return [str(path) for path in sorted(versions.glob("3.*/bin/python"))]


def _minor_of(program: str) -> str | None:
    """The minor of a program; None where it does not run, as a shim of no installed version."""
    code = "import sys; print('%d.%d' % sys.version_info[:2])"
    try:
        done = subprocess.run([program, "-c", code], capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None


def run_python(program: str, *arguments: str, **environment: str) -> str:
    """What a program in a fresh interpreter prints; only our own packages can be imported."""
    done = subprocess.run(
        [program, "-W", "error", *arguments],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
