from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from luigi.configuration import get_config

from superluigi import run_task
from superluigi.parameters import IntParameter
from superluigi.project_params import use_params, use_params_of_project
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

MODULE = """
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

class Windowed(AtomicTaskWithMetadata):
    window = IntParameter(default=1)

    def output(self):
        return LocalFileTarget(f"{self.task_id}.txt")

    def run(self, output_path):
        open(output_path, "w").close()
"""
PROGRAM = """
import windowed
from superluigi import run_task
before = windowed.Windowed()
outputs = run_task(windowed.Windowed, progress=False).outputs
assert outputs == f"{before.task_id}.txt" == f"{windowed.Windowed().task_id}.txt", outputs
print(before.window)
"""


@pytest.fixture(autouse=True)
def _as_before(project: Path):
    yield
    use_params({})


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("superluigi.toml", "[params.Windowed]\nwindow = 7\n"),
        ("pyproject.toml", "[tool.superluigi.params.Windowed]\nwindow = 7\n"),
    ],
)
def test_a_task_is_the_same_inside_and_outside_a_build(project: Path, file: str, text: str) -> None:
    (project / "superluigi.toml").unlink()
    (project / file).write_text(text)
    (project / "windowed.py").write_text(MODULE)
    told = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (told.stdout, told.returncode) == ("7\n", 0), told.stderr


def test_the_next_project_takes_the_place_of_the_last_one() -> None:
    class Sized(AtomicTaskWithMetadata):
        size = IntParameter(default=1)

        def output(self):
            return LocalFileTarget(f"sized{self.size}.txt")

        def run(self, output_path):
            Path(output_path).touch()

    Path("superluigi.toml").write_text("[params.Sized]\nsize = 7\n")
    use_params_of_project()
    seven = Sized()
    assert seven.size == 7
    assert run_task(Sized, progress=False).outputs == "sized7.txt"
    Path("superluigi.toml").write_text("")
    assert run_task(Sized, progress=False).outputs == "sized1.txt"
    assert Sized().size == 1
    assert Sized().task_id != seven.task_id


def test_what_luigis_own_configuration_says_goes_first() -> None:
    get_config().set("Sized2", "size", "3")
    use_params({"Sized2": {"size": 7, "color": "red"}})
    assert dict(get_config().items("Sized2")) == {"size": "3", "color": "red"}
    use_params({})
    assert dict(get_config().items("Sized2")) == {"size": "3"}
    get_config().remove_section("Sized2")


def test_settings_that_cannot_be_read_are_a_warning_at_import() -> None:
    Path("superluigi.toml").write_text("[params")
    with pytest.warns(UserWarning, match="not valid TOML"):
        use_params_of_project()
