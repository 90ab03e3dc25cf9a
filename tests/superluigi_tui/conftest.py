from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from superluigi_tui.demo import make_demo


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo's catalog, with a few days only; nobody writes into it."""
    return make_demo(tmp_path_factory.mktemp("demo"), days=6)


@pytest.fixture
def own_demo(demo: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    shutil.copytree(demo.parent, tmp_path / ".superluigi")
    return tmp_path / ".superluigi" / demo.name
