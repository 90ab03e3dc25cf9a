"""An empty project for each test."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def _project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    Path("superluigi.toml").touch()
    Path("source.txt").write_text("hello")
