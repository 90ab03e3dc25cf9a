from __future__ import annotations

import subprocess
import sys
import traceback
from pathlib import Path

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, TaskFailed
from superluigi_catalog import Catalog
from tests import flows


@pytest.mark.parametrize(
    ("task", "function"),
    [
        (flows.Failing, "run"),
        (flows.FailsInGenerator, "run"),
        (flows.FailsInComplete, "complete"),
        (flows.FailsInRequires, "requires"),
        (flows.FailsWithTimeout, "run"),
    ],
)
def test_the_users_own_exception_comes_out_with_the_users_frame_innermost(
    task: type, function: str
) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the message differs
        run_task(task(), raise_exception=True, progress=False)
    assert type(caught.value) is ValueError
    innermost = traceback.extract_tb(caught.value.__traceback__)[-1]
    assert innermost.filename == flows.__file__
    assert innermost.name == function


@pytest.mark.parametrize("task", [flows.FailsInComplete, flows.FailsInRequires])
def test_without_it_an_error_in_asking_a_task_is_a_failed_build(task: type) -> None:
    with pytest.raises(BuildFailed) as caught:
        run_task(task(), progress=False)
    assert type(caught.value.__cause__) is TaskFailed
    assert type(caught.value.__cause__.__cause__) is ValueError
    (failure,) = caught.value.failures
    assert failure.family == task.__name__
    assert "flows.py" in failure.traceback


def test_the_failure_is_recorded_all_the_same() -> None:
    with pytest.raises(ValueError, match="bad luck"):
        run_task(flows.Failing(), raise_exception=True, progress=False)
    with Catalog() as catalog:
        (run,) = catalog.runs(flows.Failing())
        assert run.status == "failed"
        assert [build.status for build in catalog.builds()] == ["failed"]


def test_the_next_build_is_not_affected() -> None:
    Path("failures_left.txt").write_text("1")
    with pytest.raises(ValueError, match="bad luck"):
        run_task(flows.Failing(), raise_exception=True, progress=False)
    assert run_task(flows.Failing(), progress=False).ok


def test_post_mortem_stands_in_the_users_frame() -> None:
    program = (
        "import pdb, sys\n"
        "from superluigi import run_task\n"
        "from tests.flows import Failing\n"
        "try:\n"
        "    run_task(Failing(), raise_exception=True, progress=False)\n"
        "except ValueError:\n"
        "    pdb.post_mortem(sys.exc_info()[2])\n"
    )
    root = str(Path(flows.__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-c", program],
        input="p message\nq\n",
        capture_output=True,
        text=True,
        env={"PYTHONPATH": root, "PATH": "", "HOME": str(Path.cwd())},
        check=True,
    )
    assert "'bad luck'" in done.stdout
    assert "flows.py" in done.stdout
