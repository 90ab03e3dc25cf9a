"""What is recorded and raised when a run fails."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

from superluigi import run_task
from superluigi.errors import BuildFailed, MetadataError
from superluigi.execution.enter import ordered
from superluigi.execution.order import RunOrder, new_uuid7, utc_now, utc_text
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, Task

pytestmark = pytest.mark.usefixtures("project")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise RuntimeError


def breaks(error: BaseException) -> None:
    raise error


class Fails(AtomicTaskWithMetadata):
    error: Any = staticmethod(lambda: ValueError("bad luck"))

    def output(self):
        return LocalFileTarget("x")

    def run(self, output_path, metadata):
        breaks(self.error())


class FailsInPlace(Fails):
    def run(self):
        breaks(self.error())


class FailsAsGenerator(Fails):
    def run(self, output_path):
        if self.error:
            breaks(self.error())
        yield


def outcome_of(task: Any) -> Any:
    order = RunOrder(
        run_id=new_uuid7(), task_hash=task.task_id, build_id=None, reason={}, inputs=None
    )

    def run() -> None:
        next(task.run())

    with ordered(order), pytest.raises(BaseException) as caught:  # noqa: PT011
        run()
    return order.outcome, caught


@pytest.mark.parametrize("cls", [Fails, FailsInPlace, FailsAsGenerator])
def test_the_users_exception_comes_out_as_it_is_with_the_users_frame_innermost(cls: Any) -> None:
    _, caught = outcome_of(cls())
    assert type(caught.value) is ValueError
    assert caught.value.args == ("bad luck",)
    frames = traceback.extract_tb(caught.tb)
    assert frames[-1].name == "breaks"
    assert [frame.name for frame in frames if frame.filename == __file__][-2:] == ["run", "breaks"]


@pytest.mark.parametrize("cls", [Fails, FailsInPlace, FailsAsGenerator])
def test_the_recorded_traceback_begins_at_the_users_frame(cls: Any) -> None:
    outcome, _ = outcome_of(cls())
    assert outcome.status == "failed"
    assert (outcome.error_type, outcome.error) == ("ValueError", "bad luck")
    lines = outcome.traceback.splitlines()
    assert lines[0] == "Traceback (most recent call last):"
    first = next(line for line in lines if line.startswith("  File"))
    assert __file__ in first
    assert lines[-1] == "ValueError: bad luck"
    assert "enter.py" not in outcome.traceback


@pytest.mark.parametrize(
    ("error", "status", "kind", "text"),
    [
        (KeyError("k"), "failed", "KeyError", "'k'"),
        (MetadataError("m"), "failed", "superluigi.errors.MetadataError", "m"),
        (KeyboardInterrupt(), "interrupted", "KeyboardInterrupt", ""),
        (SystemExit(3), "failed", "SystemExit", "3"),
        (Unspeakable(), "failed", f"{__name__}.Unspeakable", "<Unspeakable whose text"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_every_kind_of_exception_is_recorded(
    monkeypatch: pytest.MonkeyPatch, error: Any, status: str, kind: str, text: str
) -> None:
    monkeypatch.setattr(Fails, "error", staticmethod(lambda: error))
    outcome, caught = outcome_of(Fails())
    assert caught.value is error
    assert (outcome.status, outcome.error_type) == (status, kind)
    assert outcome.error.startswith(text)


def test_a_chained_exception_is_recorded_with_its_cause() -> None:
    class Chains(Fails):
        def run(self):
            try:
                breaks(KeyError("first"))
            except KeyError as error:
                message = "second"
                raise ValueError(message) from error

    outcome, _ = outcome_of(Chains())
    assert "KeyError: 'first'" in outcome.traceback
    assert outcome.traceback.endswith("ValueError: second\n")


def test_an_endless_traceback_is_cut_at_its_beginning() -> None:
    class Recurses(Fails):
        def run(self):
            message = "x" * 200_000
            raise ValueError(message)

    outcome, _ = outcome_of(Recurses())
    assert len(outcome.traceback) < 70_000
    assert outcome.traceback.startswith("…\n")
    assert len(outcome.error) < 70_000


def test_a_wrong_metadata_value_is_raised_on_the_users_line() -> None:
    class Assigns(Fails):
        def run(self, output_path, metadata):
            Path(output_path).touch()
            metadata["rows"] = {1, 2}  # this line

    outcome, caught = outcome_of(Assigns())
    users = [frame for frame in traceback.extract_tb(caught.tb) if frame.filename == __file__]
    assert users[-1].line == 'metadata["rows"] = {1, 2}  # this line'
    assert "# this line" in outcome.traceback
    assert outcome.error_type == "superluigi.errors.MetadataError"


def test_the_inputs_of_a_failed_run_are_recorded() -> None:
    class Makes(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("made")

        def run(self, output_path):
            Path(output_path).touch()

    class Reads(Fails):
        def requires(self):
            return {"made": Makes()}

        def run(self):
            breaks(self.error())

    Makes().run()
    outcome, _ = outcome_of(Reads())
    (entry,) = outcome.inputs
    assert (entry.place, entry.uri, entry.run_id) == (
        "made",
        "made",
        Makes().output().metadata()["run_id"],
    )
    assert outcome.outputs == ()


def test_a_task_that_the_plan_ordered_is_recorded_with_the_order() -> None:
    class Works(Task):
        def output(self):
            return LocalFileTarget("x")

        def run(self):
            Path("x").touch()

    order = RunOrder(
        run_id=new_uuid7(),
        task_hash=Works().task_id,
        build_id="the build",
        reason={"kind": "forced", "text": "because", "details": {}},
        inputs=(),
    )
    with ordered(order):
        Works().run()
    assert order.outcome is not None
    assert order.outcome.status == "succeeded"
    assert order.outcome.outputs[0].uri == "x"
    sidecar = Works().output().metadata()
    assert sidecar["run_id"] == order.run_id
    assert sidecar["build_id"] == "the build"
    assert sidecar["reason"]["text"] == "because"


@pytest.mark.parametrize("cls", [Fails, FailsInPlace, FailsAsGenerator])
def test_with_raise_exception_a_build_raises_the_users_own(cls: Any) -> None:
    with pytest.raises(ValueError, match="bad luck") as caught:
        run_task(cls(), raise_exception=True, progress=False)
    assert traceback.extract_tb(caught.tb)[-1].name == "breaks"


@pytest.mark.parametrize("num_workers", [1, 2])
def test_a_build_tells_of_the_users_traceback(num_workers: int) -> None:
    with pytest.raises(BuildFailed) as caught:
        run_task(Fails(), num_workers=num_workers, progress=False)
    (failure,) = caught.value.failures
    assert (failure.error_type, failure.error) == ("ValueError", "bad luck")
    assert "enter.py" not in failure.traceback


# -- run ids and times ----------------------------------------------------------------------------


def test_run_ids_sort_by_the_time_of_their_making() -> None:
    made = [new_uuid7() for _ in range(2_000)]
    assert made == sorted(made)
    assert len(set(made)) == len(made)


def test_times_are_utc_with_microseconds() -> None:
    assert utc_text(0.5) == "1970-01-01T00:00:00.500000Z"
    assert "2026" < utc_now() < "3000"
