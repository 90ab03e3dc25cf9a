"""`load_task`: a recorded task again, or the reason why not."""

from __future__ import annotations

import importlib
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from luigi.task_register import Register

from superluigi import Catalog, load_task, run_task
from superluigi.errors import TaskNotLoadable
from superluigi_catalog.errors import TaskNotFound

MODULE = """\
from pathlib import Path

from superluigi.parameters import IntParameter, Parameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata


class LoadedSource(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"source-{self.n}.txt")

    def run(self, output_path):
        Path(output_path).write_text("x")


class Loaded(AtomicTaskWithMetadata):
    n = IntParameter()
    note = Parameter(default="", significant=False)

    def requires(self):
        return LoadedSource(n=self.n)

    def output(self):
        return LocalFileTarget(f"loaded-{self.n}.txt")

    def run(self, output_path):
        Path(output_path).write_text("x")
"""


class Flows:
    """A module of tasks in the project, as it is on disk now."""

    name = "loaded_flows"

    def __init__(self) -> None:
        self.write(MODULE)

    def write(self, text: str) -> None:
        Path(f"{self.name}.py").write_text(text)
        self.forget()

    def forget(self) -> None:
        """As a new process would find it."""
        sys.modules.pop(self.name, None)
        Register._reg[:] = [cls for cls in Register._reg if cls.__module__ != self.name]
        importlib.invalidate_caches()

    def task(self, n: int = 1, **params: Any) -> Any:
        return importlib.import_module(self.name).Loaded(n=n, **params)


@pytest.fixture
def flows(project: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(project))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)  # two versions within one second
    flows = Flows()
    yield flows
    flows.forget()


@pytest.fixture
def built(flows: Flows) -> str:
    """The hash of a task that ran."""
    task = flows.task(note="of no account")
    run_task(task, progress=False)
    task_hash = str(task.task_id)
    flows.forget()
    return task_hash


def test_a_task_is_loaded_by_its_hash_a_prefix_or_a_targets_path(built: str) -> None:
    for ref in (built, built[:8], "loaded-1.txt", str(Path("loaded-1.txt").absolute())):
        task: Any = load_task(ref)
        assert task.task_id == built
        assert (task.n, task.note) == (1, "of no account")
    with Catalog() as catalog:
        assert load_task(built, catalog=catalog).task_id == built
    assert load_task(built, catalog=".superluigi/catalog.db").task_id == built


@pytest.mark.usefixtures("built")
def test_what_is_not_recorded_cannot_be_loaded() -> None:
    with pytest.raises(TaskNotFound, match="nowhere"):
        load_task("nowhere.txt")


def test_a_task_whose_requires_has_changed_since_is_another_one(built: str, flows: Flows) -> None:
    flows.write(MODULE.replace("LoadedSource(n=self.n)", "LoadedSource(n=self.n + 1)"))
    with pytest.raises(TaskNotLoadable, match=f"not {built[:8]}: its requires") as caught:
        load_task(built)
    assert (caught.value.task_hash, caught.value.family) == (built, "Loaded")


@pytest.mark.parametrize(
    ("before", "after", "message"),
    [
        ("class Loaded(", "class Renamed(", "has no task Loaded any more. Was it renamed?"),
        ("    note =", "    more = IntParameter()\n    note =", "cannot be made from its recorded"),
        ("from pathlib", "import no_such_module\nfrom pathlib", "cannot be imported here"),
    ],
    ids=["renamed", "another parameter", "not importable"],
)
def test_a_task_that_the_code_does_not_have_any_more_says_so(
    built: str, flows: Flows, before: str, after: str, message: str
) -> None:
    flows.write(MODULE.replace(before, after))
    with pytest.raises(TaskNotLoadable, match=message):
        load_task(built)


@pytest.mark.usefixtures("project")
def test_a_task_of_a_script_cannot_be_loaded() -> None:
    call = "from superluigi import run_task\nrun_task(Loaded(n=9), progress=False)\n"
    Path("script.py").write_text(f"{MODULE}\n{call}")
    subprocess.run([sys.executable, "script.py"], check=True)
    with pytest.raises(TaskNotLoadable, match="Put its class into a module"):
        load_task("loaded-9.txt")
