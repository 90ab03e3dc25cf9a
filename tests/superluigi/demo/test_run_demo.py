"""`superluigi demo`: what it shows is what ran, it can be repeated, and its project can be explored."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from superluigi.demo import page, run_demo
from superluigi.demo.project import DemoProject, pipeline_text
from superluigi.errors import SuperLuigiError
from superluigi_catalog import Catalog
from tests.documents import ROOT, blocks_of, clean_environment, same_shape

FAMILIES = "FeaturesTask ModelTask PredictionsTask"


def entered(output: str) -> list[str]:
    """What each section says was entered, in order."""
    return re.findall(r"run\(\) was entered by: (.*)", output)


def in_a_process(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The demo as a shell starts it, without S3 in its environment."""
    return subprocess.run(
        [sys.executable, "-m", "superluigi", "demo", *arguments],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


@pytest.fixture(scope="module")
def told_twice(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A directory in which the demo ran twice, and what it printed each time."""
    directory = tmp_path_factory.mktemp("demo")
    outputs = []
    for _ in range(2):
        done = in_a_process(directory)
        assert (done.returncode, done.stderr) == (0, "")
        outputs.append(done.stdout)
    return directory, outputs


def test_it_shows_what_each_way_of_forcing_ran(told_twice: tuple[Path, list[str]]) -> None:
    for output in told_twice[1]:
        assert [sorted(row.split(", ")) for row in entered(output)] == [
            FAMILIES.split(),
            ["nothing"],
            ["PredictionsTask"],
            FAMILIES.split(),
            ["FeaturesTask", "PredictionsTask"],
            ["ReportTask"],
        ]


def test_it_shows_sidecar_lineage_and_the_failing_line(
    told_twice: tuple[Path, list[str]],
) -> None:
    output = told_twice[1][0]
    assert '"row_count": 100' in output
    assert re.search(r"├─ features: FeaturesTask [0-9a-f]{8}  fresh", output)
    assert re.search(r"└─ model: ModelTask [0-9a-f]{8}  fresh", output)
    assert "ZeroDivisionError: division by zero" in output
    assert "mean = sum(high) / len(high)" in output


def test_the_sidecar_is_shown_as_json(told_twice: tuple[Path, list[str]]) -> None:
    lines = told_twice[1][0].splitlines()
    start, end = lines.index("   {"), lines.index("   }")
    document = json.loads("\n".join(lines[start : end + 1]))
    assert document["family"] == "PredictionsTask"


def test_the_readme_shows_what_it_prints(told_twice: tuple[Path, list[str]]) -> None:
    directory, outputs = told_twice
    blocks = blocks_of(ROOT / "README.md")
    shown = next(block for block in blocks if block.language == "text")
    printed = same_shape(outputs[0])
    assert [line for line in same_shape(shown.text) if line not in printed] == []

    drawn = next(block for block in blocks if block.language == "mermaid")
    with Catalog(directory / "demo-project" / ".superluigi" / "catalog.db") as catalog:
        (task,) = catalog.tasks(family="PredictionsTask")
        assert catalog.upstream(task.task_hash).to_mermaid() == drawn.text


def test_every_command_that_it_names_works_in_its_project(
    told_twice: tuple[Path, list[str]],
) -> None:
    directory, outputs = told_twice
    lines = [line[2:] for line in outputs[-1].splitlines() if line.startswith("  ")]
    start = lines.index("cd demo-project")
    commands = [line for line in lines[start + 1 :] if line]
    assert len(commands) >= 5
    with ThreadPoolExecutor(2) as pool:
        ended = pool.map(lambda command: carried_out(command, directory / "demo-project"), commands)
    for command, done in zip(commands, ended, strict=True):
        has_work = " plan " in command and done.returncode == 3
        assert has_work or done.returncode == 0, (command, done.stdout, done.stderr)
        assert done.stdout


def carried_out(command: str, directory: Path) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    name = words.index(next(word for word in words if word.endswith("superluigi")))
    return subprocess.run(
        [sys.executable, "-m", "superluigi", *words[name + 1 :]],
        cwd=directory,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_a_claim_that_does_not_hold_is_loud(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    noted = DemoProject.entered_runs
    monkeypatch.setattr(DemoProject, "entered_runs", lambda self: [*noted(self), "Phantom"])
    assert run_demo(directory=tmp_path / "project") == 1
    assert "WRONG" in capsys.readouterr().err


def test_a_claim_says_what_was_found() -> None:
    with pytest.raises(page.DemoWrong, match=r"two and two are five.*Found: 4"):
        page.claim("two and two are five.", holds=False, found=4)


def test_a_directory_that_is_not_the_demos_is_refused(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(SuperLuigiError, match="not made by the demo"):
        run_demo(directory=tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_an_edited_pipeline_is_kept(tmp_path: Path) -> None:
    project = DemoProject(tmp_path / "project")
    assert project.make(bucket=None, folder=None) is None
    assert project.make(bucket=None, folder=None) is None
    project.pipeline.write_text("# mine\n")
    assert project.make(bucket=None, folder=None) == "pipeline.edited-1.py"
    assert (project.directory / "pipeline.edited-1.py").read_text() == "# mine\n"
    project.pipeline.write_text("# mine too\n")
    assert project.make(bucket=None, folder=None) == "pipeline.edited-2.py"


def test_a_bucket_of_ones_own_is_used_as_it_is(
    s3: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo(bucket="lake", directory=tmp_path / "project") == 0
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert keys
    assert all(key.startswith("superluigi-demo/") for key in keys)
    assert not (tmp_path / "project" / "s3").exists()
    assert "your bucket 'lake'" in capsys.readouterr().out


def test_the_pipeline_of_a_bucket_of_ones_own_starts_no_server() -> None:
    assert "serve_folder" in pipeline_text(bucket=None, folder=None)
    own = pipeline_text(bucket="lake", folder="demo/1")
    assert "serve_folder" not in own
    assert "BUCKET = 'lake'" in own
    assert "FOLDER = 'demo/1'" in own


@pytest.fixture
def without_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    from superluigi.demo import run

    found = run.find_spec
    monkeypatch.setattr(run, "find_spec", lambda name: None if name == "pandas" else found(name))
    return


@pytest.mark.usefixtures("without_pandas")
def test_a_missing_package_is_named_with_how_to_install_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run_demo(directory=tmp_path / "project") == 1
    told = capsys.readouterr().err
    assert "pandas" in told
    assert 'pip install "superluigi[tutorial]"' in told
    assert not (tmp_path / "project").exists()
