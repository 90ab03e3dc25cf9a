from __future__ import annotations

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from superluigi.cli import group
from superluigi.cli.errors import EXIT_CODES, ExitCode

_HEAVY = (
    "luigi",
    "boto3",
    "botocore",
    "rich",
    "textual",
    "superluigi_catalog.catalog",
    "sqlite_utils",
)
_IMPORTED = "import sys; print(*sorted(sys.modules))"


def _cpu_of(arguments: list[str]) -> float:
    before = os.times()
    subprocess.run(arguments, check=True, capture_output=True)
    after = os.times()
    return (after.children_user - before.children_user) + (
        after.children_system - before.children_system
    )


def test_the_short_helps_are_the_first_lines_of_the_commands():
    for name, text in group.COMMANDS.items():
        command = importlib.import_module(group.module_of(name)).command
        assert isinstance(command, click.Command)
        assert command.name == name
        assert (command.help or "").splitlines()[0] == text


def test_help_names_every_command_and_exit_code(project):
    result = project.call("--help")
    assert result.exit_code == 0
    for name in ("run", "plan", "show", "lineage", "tasks", "runs", "builds", "doctor", "demo"):
        assert re.search(rf"^  {name} ", result.stdout, re.MULTILINE)
    for code, meaning in EXIT_CODES.items():
        assert re.search(rf"^ *{int(code)}  {re.escape(meaning)}$", result.stdout, re.MULTILINE)
    assert "_SUPERLUIGI_COMPLETE=bash_source superluigi" in result.stdout
    assert project.call().stdout == result.stdout


def test_help_imports_nothing_heavy():
    code = (
        "from superluigi.cli import command\n"
        "command(['--help'], standalone_mode=False, prog_name='superluigi')\n" + _IMPORTED
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    imported = done.stdout.splitlines()[-1].split()
    assert "superluigi" in imported
    assert not set(_HEAVY) & set(imported)


def test_help_takes_less_than_a_third_of_a_second_of_cpu():
    arguments = [sys.executable, "-m", "superluigi", "--help"]
    assert min(_cpu_of(arguments) for _ in range(3)) < 0.3


def test_an_unknown_command_is_answered_with_the_nearest(project):
    result = project.call("plann")
    assert result.exit_code == ExitCode.USAGE
    assert result.stdout == ""
    assert "Did you mean plan?" in result.stderr


def test_an_unknown_option_says_where_help_is(project):
    result = project.call("show", "--jsn", "abcd")
    assert result.exit_code == ExitCode.USAGE
    assert "Try 'superluigi show --help' for help." in result.stderr


def test_the_version_is_that_of_the_package(project):
    assert re.fullmatch(r"superluigi, version \d+\.\d+.*\n", project.call("--version").stdout)


def test_the_terminal_ui_is_a_command_where_it_can_be_started(project, tmp_path, monkeypatch):
    package = tmp_path / "elsewhere" / "superluigi_tui"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    monkeypatch.delitem(sys.modules, "superluigi_tui", raising=False)
    monkeypatch.syspath_prepend(str(package.parent))
    context = click.Context(group.command)
    assert "tui" not in group.command.list_commands(context)
    assert project.call("tui").exit_code == ExitCode.USAGE
    (package / "__main__.py").touch()
    assert "tui" in group.command.list_commands(context)


def test_the_terminal_ui_gets_the_arguments_and_gives_its_exit_code(project, tmp_path):
    package = tmp_path / "elsewhere" / "superluigi_tui"
    package.mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:]); sys.exit(7)")
    done = project.start("tui", "tasks", "--read-only", PYTHONPATH=str(package.parent))
    assert (done.returncode, done.stdout) == (7, "['tasks', '--read-only']\n")


def test_shells_are_offered_commands_and_options(project):
    script = project.start(_SUPERLUIGI_COMPLETE="bash_source")
    assert "_superluigi_completion" in script.stdout
    offered = project.start(
        _SUPERLUIGI_COMPLETE="bash_complete", COMP_WORDS="superluigi run --force-u", COMP_CWORD="2"
    )
    assert "plain,--force-upstream-to" in offered.stdout.splitlines()


def test_a_project_may_have_modules_named_as_ours(project):
    for name in ("cli", "catalog", "tui", "tasks", "errors"):
        Path(f"{name}.py").write_text("raise SystemExit('imported by mistake')\n")
    done = project.start("plan", "flows.Numbers")
    assert (done.returncode, done.stderr) == (ExitCode.HAS_WORK, "1 to run\n")


@pytest.mark.parametrize("name", ["tasks", "runs", "builds", "show abcd", "lineage abcd"])
def test_without_a_catalog_reading_says_so(project, name):
    result = project.call(*name.split())
    assert result.exit_code == ExitCode.NOT_FOUND
    assert result.stdout == ""
    assert result.stderr.startswith("Error: There is no catalog at ")


def test_a_file_that_is_no_catalog_is_refused(project):
    home = project.root / ".superluigi"
    home.mkdir()
    (home / "catalog.db").write_text("nothing of the kind" * 100)
    result = project.call("tasks")
    assert result.exit_code == ExitCode.REFUSED
    assert "no Super Luigi catalog" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_demo_refuses_a_directory_that_is_not_its_own(project):
    result = project.call("demo", "--directory", str(project.root))
    assert result.exit_code == ExitCode.FAILED
    assert "was not made by the demo" in result.stderr
    assert (project.root / "flows.py").exists()
