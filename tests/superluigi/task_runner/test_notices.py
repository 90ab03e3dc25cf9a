"""What is said on stderr before a build."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from superluigi import plan_task, run_task
from tests import flows


@pytest.fixture(autouse=True)
def _as_in_a_new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("superluigi.task_runner.notices._told", set())


def notes(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line for line in capsys.readouterr().err.splitlines() if line.startswith("Note: ")]


def test_a_place_that_nothing_marks_as_a_project_is_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    Path("superluigi.toml").unlink()
    run_task(flows.Part(n=1), progress=False)
    assert notes(capsys) == []
    run_task(flows.Part(n=2))
    (note,) = notes(capsys)
    assert "neither superluigi.toml, luigi.cfg, pyproject.toml nor .git" in note
    assert repr(str(tmp_path / "home" / ".superluigi")) in note
    run_task(flows.Part(n=3))
    plan_task(flows.Part(n=4))
    assert notes(capsys) == []


def test_a_project_elsewhere_is_nothing_to_mention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run_task(flows.Part(n=1))
    monkeypatch.setenv("SUPERLUIGI_HOME", str(tmp_path / "elsewhere"))
    Path("superluigi.toml").unlink()
    run_task(flows.Part(n=2))
    assert notes(capsys) == []


@pytest.mark.filterwarnings("ignore::luigi.parameter.UnconsumedParameterWarning")
@pytest.mark.parametrize(
    ("written", "note"),
    [
        ("[params.Prat]\nn = 1", "[params.Prat] names no task. Was 'Part' meant?"),
        ("[params.Part]\nm = 1", "[params.Part] sets 'm', which Part does not have. It has n."),
        (
            "[params.Part]\nnn = 1",
            "[params.Part] sets 'nn', which Part does not have. Was 'n' meant?",
        ),
        (
            "[params.PlainCount]\nn = 1",
            "[params.PlainCount] sets 'n', which PlainCount does not have. It has no parameters",
        ),
    ],
    ids=["family", "parameter", "misspelled parameter", "no parameters"],
)
def test_a_misspelled_task_parameter_is_named_with_what_is_near(
    written: str, note: str, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("superluigi.toml").write_text(f"{written}\n")
    run_task(flows.Part(n=1))
    (told,) = notes(capsys)
    assert f"{os.sep}superluigi.toml: {note}" in told


def test_parameters_of_tasks_that_are_not_imported_here_are_left_alone(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Path("superluigi.toml").write_text(
        "[params.Part]\nn = 7\n[params.OfAnotherPipeline]\nday = 2024-01-01\n[params.core]\nx = 1\n"
    )
    run_task(flows.Part)
    assert notes(capsys) == []
    assert Path("part7.txt").exists()
