"""Carries out the blocks that stdin names, in the working directory; their outputs go to stdout as JSON."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def main() -> None:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    sys.path.insert(0, "")
    sys.dont_write_bytecode = True
    outputs = []
    for step in json.load(sys.stdin):
        if step["language"] == "toml":
            Path("superluigi.toml").write_text(step["text"], encoding="utf-8")
            outputs.append(_settings())
        elif step["file"]:
            Path(step["file"]).write_text(step["text"], encoding="utf-8")
            outputs.append("")
        else:
            outputs.append((_shell if step["language"] == "sh" else _python)(step, namespace))
    json.dump(outputs, sys.stdout)


def _python(step: dict[str, str], namespace: dict[str, Any]) -> str:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        exec(compile(step["text"], step["where"], "exec"), namespace)
    return err.getvalue() + out.getvalue()


def _shell(step: dict[str, str], _: dict[str, Any]) -> str:
    script = f"set -euo pipefail\n{step['text']}"
    done = subprocess.run(
        ["bash", "-c", script], capture_output=True, text=True, check=False, timeout=60
    )
    if done.returncode:
        sys.exit(f"{step['where']} ended with {done.returncode}:\n{done.stderr}{done.stdout}")
    return done.stderr + done.stdout


def _settings() -> str:
    from superluigi.settings import load_settings

    return str(load_settings(Path.cwd()))


if __name__ == "__main__":
    main()
