from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.usefixtures("project")

RIGHT = """\
from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

from superluigi import run_task
from superluigi.parameters import DateParameter, IntParameter
from superluigi.targets import LocalFileTarget, S3ObjectTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Metadata, Task, TaskWithMetadata, WrapperTask


class Given(ExternalTask):
    def output(self) -> LocalFileTarget:
        return LocalFileTarget("given")


class Made(AtomicTaskWithMetadata):
    n: int = IntParameter()
    day: date = DateParameter()

    def requires(self) -> dict[str, Task]:
        return {"given": Given()}

    def output(self) -> LocalFileTarget:
        return LocalFileTarget(f"{self.n}-{self.day:%Y}-{self.task_id}")

    def run(self, input_path: dict[str, str], output_path: str, metadata: Metadata) -> None:
        metadata["n"] = self.n
        Path(output_path).write_text(Path(input_path["given"]).read_text())


class MadeOtherwise(Made):
    def run(self, output_path: str) -> None:
        super().run(output_path=output_path)


class InPlace(TaskWithMetadata):
    def run(self, metadata: dict[str, Any]) -> Iterator[Task]:
        yield Made(n=1, day=date(2024, 1, 1))


class Unannotated(Task):
    n = IntParameter()

    def run(self) -> None:
        print(self.n)


class More(Unannotated):
    m: int = IntParameter()


class All(WrapperTask):
    def requires(self) -> list[Task]:
        return [MadeOtherwise(n=1, day=date(2024, 1, 1)), InPlace(), Unannotated(n=1), More(n=1, m=2)]


run_task(All())
"""

WRONG = """\
from superluigi.parameters import IntParameter
from superluigi.tasks import AtomicTaskWithMetadata


class Sum(AtomicTaskWithMetadata):
    n: int = IntParameter()

    def run(self, output_path: str) -> None:
        output_path + self.n


class Nothing(AtomicTaskWithMetadata):
    pass


Sum(n="1")
Nothing(n=1)
"""


def test_typed_tasks_pass_strict_mypy_with_one_line_of_configuration(project: Path) -> None:
    Path("right.py").write_text(RIGHT)
    Path("wrong.py").write_text(WRONG)
    Path("mypy.ini").write_text("[mypy]\nplugins = superluigi.mypy\n")
    command = [sys.executable, "-m", "mypy", "--strict", "right.py", "wrong.py"]
    checked = subprocess.run(command, capture_output=True, text=True, check=False)
    said = [line.rpartition("  [") for line in checked.stdout.splitlines() if ": error:" in line]
    found = [(line.split(": error:")[0], code) for line, _, code in said]
    expected = [("wrong.py:9", "operator]"), ("wrong.py:16", "arg-type]")]
    assert found == [*expected, ("wrong.py:17", "call-arg]")], checked.stdout + checked.stderr
