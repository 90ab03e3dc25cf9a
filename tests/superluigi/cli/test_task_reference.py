from __future__ import annotations

import pytest

from superluigi.cli.errors import ExitCode


def test_an_unknown_task_is_answered_with_the_nearest(project):
    result = project.call("run", "flows.totals")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stdout == ""
    assert result.stderr == (
        "Error: The module 'flows' has no task 'totals'. Did you mean Total?\n"
    )


def test_where_nothing_is_near_the_tasks_of_the_module_are_named(project):
    result = project.call("run", "flows.Xyzzyx")
    assert "There are Boom, Label, Missing, Numbers, Total, Unaskable." in result.stderr


def test_what_is_no_task_is_said_to_be_none(project):
    result = project.call("run", "flows.IntParameter")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "flows.IntParameter is no task" in result.stderr


def test_an_unknown_module_is_named_with_where_was_looked(project):
    result = project.call("run", "flaws.Total")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "There is no module 'flaws' to import." in result.stderr
    assert str(project.root) in result.stderr


def test_a_module_in_src_is_pointed_at(project):
    (project.root / "src" / "pipeline").mkdir(parents=True)
    result = project.call("run", "pipeline.steps.Total")
    assert "set PYTHONPATH=src" in result.stderr


@pytest.mark.parametrize("ref", ["", ".", ".Total", "flows.", "flows/x.Total", "..x.Total"])
def test_what_names_nothing_is_not_found(project, ref):
    assert project.call("run", ref).exit_code == ExitCode.NOT_FOUND


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import nowhere_at_all\n", "ModuleNotFoundError: No module named 'nowhere_at_all'"),
        ("1 / 0\n", "ZeroDivisionError: division by zero"),
        ("x = (\n", "SyntaxError: '(' was never closed"),
        ("import sys; sys.exit(0)\n", "SystemExit: 0"),
    ],
)
def test_an_error_inside_the_module_is_shown_from_its_own_frame(project, source, said):
    project.write("broken", source)
    result = project.call("run", "broken.Total")
    assert result.exit_code == ExitCode.FAILED
    assert 'broken.py", line 1' in result.stderr
    assert "importlib" not in result.stderr
    assert result.stderr.endswith(f"Error: Importing broken raised {said}\n")


def test_a_bare_family_is_found_by_what_is_recorded(project):
    unknown = project.call("run", "Total")
    assert unknown.exit_code == ExitCode.NOT_FOUND
    assert "Name its module as well: MODULE.Total" in unknown.stderr
    first = project.call("run", "flows.Total")
    assert project.call("run", "Total").stdout == first.stdout


def test_a_bare_family_of_several_modules_is_not_guessed(project):
    project.write("others", "from flows import *\nclass Label(Numbers): pass\n")
    project.call("run", "flows.Label", "--text", "x")
    project.call("run", "others.Label")
    result = project.call("run", "Label")
    assert result.exit_code == ExitCode.NOT_FOUND
    assert "recorded from several modules: flows, others" in result.stderr


def test_a_family_with_a_namespace_is_found(project):
    source = "from flows import *\nclass Spaced(Numbers):\n    task_namespace = 'deep.space'\n"
    project.write("spaced", source)
    first = project.call("run", "spaced.Spaced")
    assert first.exit_code == 0
    assert project.call("run", "deep.space.Spaced").stdout == first.stdout
