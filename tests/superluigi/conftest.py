"""What the tests of the core share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from luigi.task_register import Register

from superluigi.hashing import new_generation


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty project as the working directory; task classes that the test defines are forgotten."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    (tmp_path / "superluigi.toml").touch()
    registered = list(Register._reg)
    yield tmp_path
    Register._reg[:] = registered
    Register.clear_instance_cache()
    new_generation()
