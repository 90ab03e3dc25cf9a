"""The tutorial: it runs from top to bottom, without a network, and Jupyter can open it."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.documents import ROOT, clean_environment

TUTORIAL = ROOT / "tutorial" / "superluigi_tutorial.py"

TAUGHT = (
    "A first task",
    "Targets",
    "What a task requires",
    "Planning and running",
    "Running again, and forcing",
    "Debugging",
    "Hashes in paths",
    "Sidecars and metadata",
    "S3, and keeping local copies in sync",
    "Asking the catalog",
    "From here on: put tasks into modules",
)


def cells() -> list[tuple[bool, list[str]]]:
    """Whether each cell is text, and its lines; without the header."""
    text = TUTORIAL.read_text(encoding="utf-8")
    parts = re.split(r"^# %%(.*)$", text, flags=re.MULTILINE)[1:]
    return [
        (kind.strip() == "[markdown]", body.strip().splitlines())
        for kind, body in zip(parts[::2], parts[1::2], strict=True)
    ]


def test_it_runs_from_top_to_bottom(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, str(TUTORIAL)],
        cwd=tmp_path,
        env=clean_environment()
        | {"TMPDIR": str(tmp_path), "http_proxy": "http://127.0.0.1:9", "no_proxy": "127.0.0.1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    assert "Done. The project is" in done.stdout
    (project,) = tmp_path.iterdir()
    assert (project / ".superluigi" / "catalog.db").is_file()


def test_it_teaches_in_its_order() -> None:
    lines = [line for is_text, body in cells() if is_text for line in body]
    titles = [line.partition(". ")[2] for line in lines if line.startswith("# ## ")]
    assert tuple(titles) == TAUGHT


def test_every_text_cell_is_comment_and_every_code_cell_is_python() -> None:
    found = cells()
    assert len(found) > 20
    for is_text, body in found:
        assert body
        if is_text:
            assert all(line.startswith("#") for line in body)
        else:
            compile("\n".join(body), str(TUTORIAL), "exec")
