from __future__ import annotations

import json
from pathlib import Path

from superluigi.cli.errors import ExitCode


def test_verify_says_what_is_not_as_recorded(project):
    project.call("run", "flows.Total", "--n", "4")
    result = project.call("verify")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("2 targets: all as recorded; ")
    path = next(Path("data").glob("total-*.txt"))
    path.unlink()
    result = project.call("verify", str(path))
    assert result.exit_code == ExitCode.FAILED
    assert result.stdout.startswith(f"missing  {path}  Total ")
    assert "1 target: 1 not as recorded" in result.stdout
    document = json.loads(project.call("verify", "--json", "--content").stdout)
    assert (document["checked"], [each["problem"] for each in document["problems"]]) == (
        2,
        ["missing"],
    )
    assert project.call("verify", "nothing").exit_code == ExitCode.NOT_FOUND
