from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from superluigi_catalog import Catalog


@pytest.fixture
def project_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of its own, which is the working directory."""
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    root = tmp_path / "project"
    root.mkdir()
    (root / "superluigi.toml").touch()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def catalog(project_directory: Path) -> Iterator[Catalog]:
    with Catalog() as opened:
        yield opened
