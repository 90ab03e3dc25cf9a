from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

from superluigi.cli.errors import ExitCode


def _on_a_terminal(project, *arguments, **environment):
    """What a terminal is sent."""
    project.make_catalog()
    controller, terminal = pty.openpty()
    child = subprocess.Popen(
        [sys.executable, "-m", "superluigi", *arguments],
        cwd=project.root,
        stdout=terminal,
        stderr=subprocess.DEVNULL,
        stdin=subprocess.DEVNULL,
        env=os.environ | {"TERM": "xterm-256color", "COLUMNS": "160"} | environment,
    )
    os.close(terminal)
    received = b""
    while True:
        try:
            part = os.read(controller, 65536)
        except OSError:
            break
        if not part:
            break
        received += part
    os.close(controller)
    child.wait(timeout=30)
    return received.decode()


def test_a_plan_with_work_exits_with_3_and_runs_nothing(project):
    result = project.call("plan", "flows.Total")
    assert result.exit_code == ExitCode.HAS_WORK
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [["run", "Numbers"], ["run", "Total"]]
    assert all("is missing" in line for line in lines)
    assert result.stderr == "2 to run\n"
    assert not (project.root / "data").exists()


def test_a_plan_without_work_exits_with_0_and_prints_nothing(project):
    project.call("run", "flows.Total")
    result = project.call("plan", "flows.Total")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "2 up to date\n")


def test_all_shows_also_what_is_up_to_date(project):
    project.call("run", "flows.Total")
    result = project.call("plan", "--all", "flows.Total")
    assert result.exit_code == 0
    assert [line.split()[:2] for line in result.stdout.splitlines()] == [
        ["skip", "Numbers"],
        ["skip", "Total"],
    ]


def test_json_has_every_decision(project):
    project.call("run", "flows.Total")
    result = project.call("plan", "--json", "--force", "flows.Total")
    document = json.loads(result.stdout)
    assert result.exit_code == ExitCode.HAS_WORK
    assert document["has_work"] is True
    actions = {row["family"]: row["action"] for row in document["decisions"]}
    assert actions == {"Numbers": "skip", "Total": "run"}


def test_a_task_that_cannot_be_asked_is_shown_from_its_own_frame(project):
    result = project.call("plan", "flows.Unaskable")
    assert result.exit_code == ExitCode.FAILED
    assert "in requires" in result.stderr
    assert result.stderr.endswith("Error: Planning Unaskable raised KeyError: 'what'\n")
    assert "superluigi/" not in result.stderr


def test_triggers_are_given_as_a_list(project):
    project.call("run", "flows.Total")
    source = (project.root / "flows.py").read_text()
    (project.root / "flows.py").write_text(source.replace("str(sum(", "str(2 * sum("))
    assert project.call("plan", "flows.Total").exit_code == 0
    result = project.call("plan", "--rerun-on", "missing, code", "flows.Total")
    assert result.exit_code == ExitCode.HAS_WORK
    assert "flows.py" in result.stdout
    wrong = project.call("plan", "--rerun-on", "colour", "flows.Total")
    assert wrong.exit_code == ExitCode.USAGE
    assert "'colour' is no trigger" in wrong.stderr


def test_a_terminal_gets_a_table_and_colours_only_where_wanted(project):
    coloured = _on_a_terminal(project, "plan", "flows.Total")
    assert "action" in coloured
    assert "\x1b[32mrun" in coloured
    plain = _on_a_terminal(project, "plan", "flows.Total", NO_COLOR="1")
    assert "action" in plain
    assert "\x1b[32m" not in plain


def test_a_terminal_never_gets_what_a_parameter_would_do_to_it(project):
    hostile = "[bold]x[/bold]\x1b]0;title\x07\u202e"
    shown = _on_a_terminal(project, "plan", "flows.Label", "--text", hostile, NO_COLOR="1")
    assert "[bold]x[/bold]\\x1b]0;title\\x07\\u202e" in shown
    assert "\x07" not in shown
