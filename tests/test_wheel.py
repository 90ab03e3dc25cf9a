"""The wheel, installed as a user installs it, beside the packages that it depends on."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

PROGRAM = """\
import importlib.resources
from pathlib import Path

import superluigi, superluigi_catalog, superluigi_tui
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

for package in (superluigi, superluigi_catalog, superluigi_tui):
    print(package.__file__)
    assert importlib.resources.files(package).joinpath("py.typed").is_file(), package
files = importlib.resources.files(superluigi_catalog)
for name in ("sidecar.schema.json", "storage/schema.sql"):
    assert files.joinpath(name).read_text(encoding="utf-8"), name


class Made(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("made.txt")

    def run(self, output_path):
        Path(output_path).write_text("made")


superluigi.run_task(Made(), progress=False)
"""


def done(*command: object, cwd: Path) -> str:
    environment = {name: text for name, text in os.environ.items() if name != "PYTHONPATH"}
    ended = subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel in it, which sees everything else in that of the tests."""
    directory = tmp_path_factory.mktemp("wheel")
    done(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", directory, cwd=ROOT
    )
    (wheel,) = directory.glob("superluigi-*.whl")
    environment = directory / "environment"
    venv.create(environment, symlinks=True)
    python = environment / "bin" / "python"
    options = ("--no-deps", "--no-index", "--disable-pip-version-check", "--quiet")
    done(sys.executable, "-m", "pip", "--python", python, "install", *options, wheel, cwd=directory)
    # Only now: pip would find this project's editable install there, and leave it at that.
    paths = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site_packages,) = environment.glob("lib/python*/site-packages")
    (site_packages / "others.pth").write_text("\n".join(sorted(paths)) + "\n")
    return environment


def test_the_installed_wheel_runs_a_task_and_holds_its_data_files(
    installed: Path, tmp_path: Path
) -> None:
    (tmp_path / "superluigi.toml").touch()
    (tmp_path / "program.py").write_text(PROGRAM)
    files = done(installed / "bin" / "python", "program.py", cwd=tmp_path).splitlines()
    assert [Path(file).parent.name for file in files] == [
        "superluigi",
        "superluigi_catalog",
        "superluigi_tui",
    ]
    assert all(Path(file).is_relative_to(installed) for file in files)
    assert (tmp_path / "made.txt.metadata.json").exists()


def test_the_installed_command_runs(installed: Path, tmp_path: Path) -> None:
    assert "Usage: superluigi" in done(installed / "bin" / "superluigi", "--help", cwd=tmp_path)
    shown = done(installed / "bin" / "superluigi", "--version", cwd=tmp_path)
    assert shown.split()[-1] in (ROOT / "pyproject.toml").read_text()
