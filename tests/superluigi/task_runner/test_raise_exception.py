from __future__ import annotations

import json
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, ForceRefused, MetadataError, TaskFailed
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


@pytest.mark.parametrize(
    ("task", "options", "error"),
    [
        (flows.FailsInRequires, {}, "FailsInRequires: ValueError: in requires()"),
        (flows.FailsInRequires, {"raise_exception": True}, "ValueError: in requires()"),
        (flows.Raw, {"force_upstream_to_task_cls": flows.Report}, "ForceRefused: "),
    ],
    ids=["build", "debugged", "refused"],
)
def test_a_build_that_could_not_be_planned_is_recorded_with_its_error(
    task: type, options: dict[str, Any], error: str
) -> None:
    with pytest.raises((BuildFailed, ForceRefused, ValueError)) as caught:
        run_task(task(), progress=False, **options)
    with Catalog() as catalog:
        (build,) = catalog.builds()
    assert (build.status, build.roots) == ("failed", ())
    assert (build.error or "").startswith(error)
    if isinstance(caught.value, BuildFailed):
        assert caught.value.result is not None
        assert caught.value.result.build_id == build.build_id
    events = Path(".superluigi/builds", build.directory, "events.jsonl").read_text().splitlines()
    assert [json.loads(line)["event"] for line in events] == ["build_started", "build_finished"]


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


class TakesOurKey(flows.AtomicTaskWithMetadata):
    def output(self):
        return flows.LocalFileTarget("takes.txt")

    def run(self, output_path, metadata):
        metadata["params"] = {}


def test_a_refused_metadata_key_is_shown_at_the_users_own_line() -> None:
    with pytest.raises(MetadataError) as caught:
        run_task(TakesOurKey(), raise_exception=True, progress=False)
    assert caught.traceback[-1].name == "run"
    assert caught.traceback[-1].path == Path(__file__)
    with Catalog() as catalog:
        (run,) = catalog.runs(TakesOurKey())
    assert run.traceback is not None
    error = run.traceback.strip().splitlines()[-1]
    assert 'metadata["params"] = {}' in run.traceback
    assert "metadata.py" not in run.traceback
    assert error.startswith(
        "superluigi.errors.MetadataError: metadata['params'] is Super Luigi's own"
    )
