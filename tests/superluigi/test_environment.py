from __future__ import annotations

import importlib.metadata
import platform
import sys
from pathlib import Path

import pytest

from superluigi import environment
from tests import flows


def test_the_environment_names_what_a_run_is_executed_with() -> None:
    found = environment.environment_of(flows.Raw)
    assert found["python"] == platform.python_version()
    assert found["luigi"] == importlib.metadata.version("luigi")
    assert found["packages"]["luigi"] == importlib.metadata.version("luigi")


def test_modules_of_the_project_are_no_packages(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Called as an installed distribution is, and imported by the module of the task.
    (tmp_path / "boto3_like.py").write_text("VALUE = 1\n")
    (tmp_path / "uses_it.py").write_text("import luigi\nimport boto3_like\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    __import__("uses_it")
    assert set(environment.packages_of("uses_it")) == {"luigi"}
    for name in ("uses_it", "boto3_like"):
        del sys.modules[name]


def test_a_directory_outside_git_has_no_commit(tmp_path: Path) -> None:
    assert environment.git_state(str(tmp_path)) == {"git_commit": None, "git_dirty": None}
