from __future__ import annotations

import shutil
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


@pytest.fixture(scope="session")
def new_catalog(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A catalog that nothing was recorded in; copying it is quicker than making one."""
    path = tmp_path_factory.mktemp("new") / "catalog.db"
    Catalog(path).close()
    return path


@pytest.fixture
def catalog(project_directory: Path, new_catalog: Path) -> Iterator[Catalog]:
    home = project_directory / ".superluigi"
    home.mkdir()
    shutil.copy(new_catalog, home / "catalog.db")
    with Catalog() as opened:
        yield opened
