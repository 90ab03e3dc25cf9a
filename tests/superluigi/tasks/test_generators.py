"""Tasks that find out while running what they need: `run()` yields it."""

from __future__ import annotations

import gc
import os
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.task import DynamicRequirements

from superluigi.errors import BuildFailed
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.task_runner import run_task
from superluigi.tasks import AtomicTaskWithMetadata, Task, TaskWithMetadata, WrapperTask

pytestmark = pytest.mark.usefixtures("project")


class Piece(AtomicTaskWithMetadata):
    n = IntParameter()

    def output(self):
        return LocalFileTarget(f"part{self.n}.txt")

    def run(self, output_path):
        Path(output_path).write_text(f"part {self.n}")


class PlainPart(luigi.Task):
    def output(self):
        return luigi.LocalTarget("plain.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write("plain")


class Atomic(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("result.txt")

    def run(self, output_path, metadata):
        metadata["begun"] = True
        first = yield Piece(n=1)
        rest = yield {"two": Piece(n=2), "plain": [PlainPart()]}
        texts = [Path(t.path).read_text() for t in (first, rest["two"], *rest["plain"])]
        Path(output_path).write_text(", ".join(texts))


class InPlace(TaskWithMetadata):
    def output(self):
        return LocalFileTarget("result.txt")

    def run(self, metadata):
        metadata["begun"] = True
        first = yield Piece(n=1)
        rest = yield {"two": Piece(n=2), "plain": [PlainPart()]}
        texts = [Path(t.path).read_text() for t in (first, rest["two"], *rest["plain"])]
        Path("result.txt").write_text(", ".join(texts))


class Plainest(Task):
    def output(self):
        return LocalFileTarget("result.txt")

    def run(self):
        first = yield Piece(n=1)
        rest = yield {"two": Piece(n=2), "plain": [PlainPart()]}
        texts = [Path(t.path).read_text() for t in (first, rest["two"], *rest["plain"])]
        Path("result.txt").write_text(", ".join(texts))


def build(task: luigi.Task, **options: Any) -> bool:
    return bool(luigi.build([task], local_scheduler=True, log_level="CRITICAL", **options))


def beside() -> set[str]:
    return {path.name for path in Path().iterdir()} - {"superluigi.toml", ".superluigi"}


@pytest.mark.parametrize("cls", [Atomic, InPlace, Plainest])
def test_what_a_run_yielded_is_in_its_sidecar(cls: Any) -> None:
    assert build(cls())
    assert Path("result.txt").read_text() == "part 1, part 2, plain"
    sidecar = cls().output().metadata()
    assert sidecar["dynamic_upstream"]["yielded.0"] == Piece(n=1).task_id
    assert sidecar["dynamic_upstream"]["yielded.1.two"] == Piece(n=2).task_id
    assert len(sidecar["dynamic_upstream"]["yielded.1.plain.0"]) == 32
    inputs = {row["place"]: row for row in sidecar["inputs"]}
    assert list(inputs) == ["yielded.0", "yielded.1.two", "yielded.1.plain.0"]
    part = Piece(n=1).output().metadata()
    assert inputs["yielded.0"]["path"] == "part1.txt"
    assert inputs["yielded.0"]["fingerprint"] == part["output"]["fingerprint"]
    assert inputs["yielded.0"]["run_id"] == part["run_id"]
    assert inputs["yielded.1.plain.0"]["path"] == "plain.txt"
    assert sidecar["upstream"] == {}


@pytest.mark.parametrize("cls", [Atomic, InPlace, Plainest])
def test_a_build_that_suspends_runs_leaves_nothing_beside_the_targets(cls: Any) -> None:
    build(cls())
    names = {"part1.txt", "part2.txt", "result.txt"}
    assert beside() == names | {f"{name}.metadata.json" for name in names} | {"plain.txt"}


@pytest.mark.parametrize("cls", [Atomic, InPlace, Plainest])
@pytest.mark.parametrize("how", ["not started", "at its first yield", "by an exception"])
def test_an_abandoned_run_leaves_nothing_behind_and_the_old_output_in_place(
    cls: Any, how: str
) -> None:
    for old in (None, "old"):
        if old:
            Path("result.txt").write_text(old)
        before = beside()
        run = cls().run()
        if how != "not started":
            assert next(run) == Piece(n=1)
        if how == "by an exception":
            with pytest.raises(InterruptedError):
                run.throw(InterruptedError())
        del run
        gc.collect()
        assert beside() == before
        assert not old or Path("result.txt").read_text() == old


def test_an_exception_after_a_yield_undoes_the_run() -> None:
    class Fails(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, output_path):
            Path(output_path).write_text("half")
            yield Piece(n=1)
            message = "after the yield"
            raise ValueError(message)

    Piece(n=1).run()
    Path("result.txt").write_text("old")
    run = Fails().run()
    next(run)
    with pytest.raises(ValueError, match="after the yield"):
        run.send(Piece(n=1).output())
    assert Path("result.txt").read_text() == "old"
    assert beside() == {"part1.txt", "part1.txt.metadata.json", "result.txt"}


def test_the_users_own_cleaning_up_is_done_when_a_run_is_abandoned() -> None:
    class Cleans(Task):
        def run(self):
            try:
                yield Piece(n=1)
            finally:
                Path("cleaned").touch()

    run = Cleans().run()
    next(run)
    run.close()
    assert Path("cleaned").exists()


def test_luigis_dynamic_requirements_are_recorded_as_what_they_wrap() -> None:
    class Wraps(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, output_path):
            targets = yield DynamicRequirements([Piece(n=1), Piece(n=2)])
            Path(output_path).write_text(str(len(targets)))

    assert build(Wraps())
    sidecar = Wraps().output().metadata()
    assert list(sidecar["dynamic_upstream"]) == ["yielded.0.0", "yielded.0.1"]


def test_a_yielded_generator_is_recorded_and_gives_targets_back() -> None:
    class Generates(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, output_path):
            bare = yield (Piece(n=n) for n in (1, 2))
            wrapped = yield DynamicRequirements(Piece(n=n) for n in (3, 4))
            Path(output_path).write_text(" ".join(t.path for t in [*bare, *wrapped]))

    assert build(Generates())
    assert Path("result.txt").read_text() == "part1.txt part2.txt part3.txt part4.txt"
    places = list(Generates().output().metadata()["dynamic_upstream"])
    assert places == ["yielded.0.0", "yielded.0.1", "yielded.1.0", "yielded.1.1"]


class YieldsANumber(Task):
    def run(self):
        yield {"a": [Piece(n=1), 3]}


class YieldsAClass(Task):
    def run(self):
        yield Piece


@pytest.mark.parametrize(
    ("cls", "message"),
    [
        (YieldsANumber, "run() yielded 3 (int) at 'a.1', which is no task. Yield tasks, lists or"),
        (YieldsAClass, "(Register), which is no task."),
    ],
)
def test_yielding_what_is_no_task_is_an_error_at_that_yield(cls: Any, message: str) -> None:
    with pytest.raises(BuildFailed) as caught:
        run_task(cls(), progress=False)
    failure = caught.value.failures[0]
    assert failure.error_type == "TypeError"
    assert message in failure.error
    last_frame = failure.traceback.strip().splitlines()[-2]
    assert last_frame.strip().startswith("yield ")
    assert not Path("part1.txt").exists()


class Headless(Task):
    def requires(self):
        message = "no head"
        raise KeyError(message)


class YieldsHeadless(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("result.txt")

    def run(self):
        yield Headless()


def test_a_yielded_task_that_cannot_be_asked_fails_the_run_with_its_own_error() -> None:
    with pytest.raises(BuildFailed) as caught:
        run_task(YieldsHeadless(), progress=False)
    failure = caught.value.failures[0]
    assert (failure.family, failure.error_type) == ("YieldsHeadless", "KeyError")
    assert "in requires" in failure.traceback


class YieldsNothingMuch(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget("result.txt")

    def run(self, output_path):
        got = yield {"a": Piece(n=1), "b": None}
        nothing = yield None
        Path(output_path).write_text(f"{got['a'].path} {got['b']} {nothing}")


def test_none_among_what_is_yielded_is_nothing_to_wait_for() -> None:
    run_task(YieldsNothingMuch(), progress=False)
    assert Path("result.txt").read_text() == "part1.txt None None"


def test_a_yielded_wrapper_is_seen_through() -> None:
    class All(WrapperTask):
        def requires(self):
            return {"a": Piece(n=1), "b": Piece(n=2)}

    class Wraps(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, output_path):
            yield All()
            Path(output_path).write_text("x")

    assert build(Wraps())
    places = [row["place"] for row in Wraps().output().metadata()["inputs"]]
    assert places == ["yielded.0.a", "yielded.0.b"]


def test_metadata_added_before_and_after_a_yield_is_kept() -> None:
    class Adds(AtomicTaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, output_path, metadata):
            metadata["before"] = len(metadata["inputs"])
            yield Piece(n=1)
            metadata["after"] = 1
            Path(output_path).write_text("x")

    assert build(Adds())
    sidecar = Adds().output().metadata()
    assert (sidecar["before"], sidecar["after"]) == (0, 1)


def test_a_generator_keeps_its_own_working_directory_between_its_yields(project: Path) -> None:
    class Moves(Task):
        def output(self):
            return LocalFileTarget("inside/here")

        def run(self):
            Path("inside").mkdir(exist_ok=True)
            os.chdir("inside")
            yield Piece(n=1)
            Path("here").touch()

    assert build(Moves())
    assert Path.cwd() == project
    assert Path("inside/here").exists()
    assert Path("part1.txt").exists()


def test_super_run_of_a_generator_is_part_of_the_run() -> None:
    class Child(Atomic):
        def run(self, metadata):
            metadata["child"] = True
            yield from super().run()

    assert build(Child())
    sidecar = Child().output().metadata()
    assert sidecar["child"] is True
    assert sidecar["begun"] is True
    assert len(sidecar["dynamic_upstream"]) == 3
