from __future__ import annotations

import json
from pathlib import Path

import pytest

from superluigi.cli.errors import ExitCode


@pytest.fixture
def aged(project):
    project.call("run", "flows.Total", "--n", "4")
    project.call("run", "flows.Label", "--text", "new")
    return project


def test_gc_lists_and_removes_nothing_unless_asked(aged):
    result = aged.call("gc", "--days", "0")
    assert (result.exit_code, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["target", "target"]
    assert lines[2].startswith("2 targets; 9 B; not used since ")
    assert aged.call("gc").stdout.startswith("nothing; 0 B")
    assert len(list(Path("data").iterdir())) == 6


def test_gc_asks_or_is_told(aged):
    result = aged.call("gc", "--days", "0", "--apply")
    assert result.exit_code == ExitCode.USAGE
    assert "--yes" in result.stderr
    next(Path("data").glob("total-*.txt")).write_text("by hand")
    result = aged.call("gc", "--days", "0", "--apply", "--yes")
    assert result.exit_code == ExitCode.FAILED
    assert "removed 1, 8 B; kept 1" in result.stdout
    assert len(list(Path("data").iterdir())) == 4
    document = json.loads(aged.call("gc", "--days", "0", "--json").stdout)
    assert [each["kind"] for each in document["orphans"]] == ["target"]
    assert document["applied"] is False
