from __future__ import annotations

from pathlib import Path

from superluigi_tui.sources import source_lines

FILE = """
import os


class Train:
    @property
    def rows(self):
        return 7

    def run(self, output_path):
        # a comment
        return 1
"""
THEN = "def run(self, output_path):\n    return 2\n"


def shown(root: Path, name: str, source: str, file: str = "flows.py") -> str:
    code = {"parts": [{"name": name, "file": file, "line": 9, "fingerprint": "code1:a"}]}
    lines = source_lines(code, {"code1:a": source}, root)
    return "\n".join("".join(piece.text for piece in line) for line in lines)


def test_what_has_changed_since_the_run_is_shown_as_a_difference(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FILE)
    text = shown(tmp_path, "flows.Train.run", THEN)
    assert "changed since" in text
    assert "-    return 2" in text
    assert "+    return 1" in text


def test_what_is_as_it_was_is_shown_whole(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FILE)
    text = shown(tmp_path, "flows.Train.rows", "@property\ndef rows(self):\n    return 7\n")
    assert "as it ran" in text


def test_what_is_gone_or_outside_or_broken_is_not_found(tmp_path: Path) -> None:
    (tmp_path / "flows.py").write_text(FILE)
    (tmp_path / "broken.py").write_text("def run(:\n")
    assert "not found in the file now" in shown(tmp_path, "flows.Train.gone", THEN)
    assert "not found in the file now" in shown(tmp_path, "flows.Train.run", THEN, "../x.py")
    assert "not found in the file now" in shown(tmp_path, "broken.run", THEN, "broken.py")
    assert "No code is recorded." in "".join(
        p.text for line in source_lines({}, {}, tmp_path) for p in line
    )
