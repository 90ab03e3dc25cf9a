"""What `run()` asks for, by name, and how it is entered."""

from __future__ import annotations

import functools
import pickle
from pathlib import Path
from typing import Any

import luigi
import pytest

from superluigi import run_task
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Task, TaskWithMetadata

pytestmark = pytest.mark.usefixtures("project")


class Source(ExternalTask):
    def output(self):
        return LocalFileTarget("source.txt")


class Reads(AtomicTaskWithMetadata):
    """The base of what follows: one input, one output."""

    def requires(self):
        return Source()

    def output(self):
        return LocalFileTarget("result.txt")


@pytest.fixture(autouse=True)
def _source(project: Path) -> None:
    (project / "source.txt").write_text("given")


def added_by(target: Any) -> dict[str, Any]:
    from superluigi_catalog.sidecar import user_metadata

    return user_metadata(target.metadata())


def test_all_three_arguments_come_in_any_order() -> None:
    class Copies(Reads):
        def run(self, metadata, output_path, input_path):
            text = Path(input_path).read_text()
            metadata["length"] = len(text)
            Path(output_path).write_text(text)

    Copies().run()
    assert Path("result.txt").read_text() == "given"
    assert added_by(Copies().output()) == {"length": 5}


def test_fewer_arguments_are_asked_for_by_name() -> None:
    class Writes(Reads):
        def run(self, output_path):
            Path(output_path).write_text("x")

    class WritesByKeyword(Reads):
        def run(self, *, output_path, factor=3):
            Path(output_path).write_text("x" * factor)

    Writes().run()
    assert Path("result.txt").read_text() == "x"
    WritesByKeyword().run()
    assert Path("result.txt").read_text() == "xxx"


def test_arbitrary_keywords_get_everything() -> None:
    class Takes(Reads):
        def run(self, *args, **kwargs):
            assert args == ()
            kwargs["metadata"]["asked"] = sorted(kwargs)
            Path(kwargs["output_path"]).write_text("x")

    Takes().run()
    assert added_by(Takes().output()) == {"asked": ["input_path", "metadata", "output_path"]}


def test_a_task_that_asks_for_metadata_alone_writes_in_place() -> None:
    class InPlace(TaskWithMetadata):
        def output(self):
            return LocalFileTarget("result.txt")

        def run(self, metadata):
            metadata["family_seen"] = metadata["family"]
            Path("result.txt").write_text("x")

    InPlace().run()
    assert added_by(InPlace().output()) == {"family_seen": "InPlace"}


def test_an_atomic_task_that_asks_for_no_output_path_writes_in_place() -> None:
    class InPlace(Reads):
        def run(self, input_path):
            Path("result.txt").write_text(Path(input_path).read_text())

    InPlace().run()
    assert InPlace().output().metadata()["inputs"][0]["path"] == "source.txt"


@pytest.mark.parametrize(
    ("base", "offered"),
    [
        (Task, "Task offers nothing"),
        (TaskWithMetadata, "TaskWithMetadata offers metadata"),
        (Reads, "AtomicTaskWithMetadata offers input_path, output_path, metadata"),
    ],
)
def test_an_unknown_argument_is_refused_when_the_class_is_made(base: Any, offered: str) -> None:
    message = rf"Wrong\.run\(\) asks for 'outputpath', but {offered}\."
    with pytest.raises(TypeError, match=message):

        class Wrong(base):
            def run(self, outputpath):
                pass


def test_a_class_of_ones_own_may_offer_more_of_its_bases_names() -> None:
    class Loaded(Task):
        offered_arguments = ("metadata",)

        def output(self):
            return LocalFileTarget("result.txt")

    class Uses(Loaded):
        def run(self, metadata):
            metadata["n"] = 1
            Path("result.txt").touch()

    Uses().run()
    assert added_by(Uses().output()) == {"n": 1}


# -- subclasses ---------------------------------------------------------------------------------


class Base(Reads):
    def run(self, input_path, output_path, metadata):
        metadata["base"] = metadata.get("base", 0) + 1
        Path(output_path).write_text(Path(input_path).read_text())


def test_super_run_gets_what_is_not_passed() -> None:
    class Between(Base):
        def run(self, metadata):
            metadata["between"] = 1
            super().run()

    class Last(Between):
        def run(self, output_path, metadata):
            super().run()
            Path(output_path).write_text(Path(output_path).read_text() + "!")

    Last().run()
    assert Path("result.txt").read_text() == "given!"
    assert added_by(Last().output()) == {"between": 1, "base": 1}


def test_super_run_gets_what_is_passed() -> None:
    class Upper(Base):
        def run(self, input_path, output_path, metadata):
            Path("upper.txt").write_text(Path(input_path).read_text().upper())
            super().run("upper.txt", output_path, metadata)

    class ByKeyword(Base):
        task_namespace = "other"

        def run(self, output_path):
            super().run(input_path="upper.txt")

    Upper().run()
    assert Path("result.txt").read_text() == "GIVEN"
    Path("result.txt").unlink()
    ByKeyword().run()
    assert Path("result.txt").read_text() == "GIVEN"


def test_arguments_between_do_not_shift_what_is_filled_in() -> None:
    class Scaled(Reads):
        def run(self, factor=1, output_path=None, metadata=None):
            metadata["factor"] = factor
            Path(output_path).write_text("x" * factor)

    class Triple(Scaled):
        def run(self, output_path):
            super().run(3)

    Triple().run()
    assert Path("result.txt").read_text() == "xxx"
    assert added_by(Triple().output()) == {"factor": 3}


def test_a_run_that_leaves_the_output_path_to_its_base_publishes_all_the_same() -> None:
    class Asks(Base):
        def run(self):
            super().run()

    Path("result.txt").write_text("old")
    Asks().run()
    assert Path("result.txt").read_text() == "given"
    assert Asks().output().read_next() is None
    assert sorted(path.name for path in Path().glob(".superluigi-*")) == []


def test_a_run_from_a_mixin_that_is_no_task_is_entered() -> None:
    class Mixin:
        def run(self, output_path, metadata):
            metadata["mixed"] = True
            Path(output_path).write_text("mixed in")

    class Mixed(Mixin, Reads):
        pass

    class Deeper(Mixed):
        def run(self):
            super().run()

    Mixed().run()
    assert added_by(Mixed().output()) == {"mixed": True}
    Deeper().run()
    assert Deeper().output().metadata()["family"] == "Deeper"


def test_an_inherited_run_is_one_run_under_the_subclasss_name() -> None:
    class Inherits(Base):
        pass

    Inherits().run()
    assert Inherits().output().metadata()["family"] == "Inherits"
    assert added_by(Inherits().output()) == {"base": 1}


def test_a_decorated_run_is_asked_what_it_asks_for() -> None:
    def decorated(function):
        @functools.wraps(function)
        def wrapper(self, *args, **kwargs):
            Path("decorated").touch()
            return function(self, *args, **kwargs)

        return wrapper

    class Decorated(Reads):
        @decorated
        def run(self, output_path):
            Path(output_path).write_text("x")

    class WrapsItsBase(Base):
        @functools.wraps(Base.run)
        def run(self, input_path, output_path, metadata):
            Base.run(self, input_path, output_path, metadata)

    Decorated().run()
    assert Path("decorated").exists()
    WrapsItsBase().run()
    assert WrapsItsBase().output().metadata()["family"] == "WrapsItsBase"


def test_run_none_makes_a_task_external() -> None:
    class NoRun(Base):
        run = None

    assert NoRun().run is None
    assert luigi.worker._is_external(NoRun())


def test_a_task_without_a_run_of_its_own_keeps_luigis() -> None:
    class Nothing(Task):
        pass

    assert Nothing.run is luigi.Task.run
    assert Nothing().run() is None


# -- by hand ------------------------------------------------------------------------------------------


def test_a_test_may_call_run_with_arguments_of_its_own() -> None:
    metadata: dict[str, Any] = {}
    Base().run("source.txt", "elsewhere.txt", metadata)
    assert metadata == {"base": 1}
    assert Path("elsewhere.txt").read_text() == "given"
    Base().run(input_path="source.txt", output_path="elsewhere.txt", metadata=metadata)
    assert metadata == {"base": 2}
    assert not Path("result.txt").exists()


def test_a_call_with_too_few_arguments_is_pythons_error() -> None:
    with pytest.raises(TypeError, match="missing 1 required positional argument: 'metadata'"):
        Base().run("source.txt", "elsewhere.txt")


@pytest.mark.parametrize("how", ["run", "run_task"])
def test_a_task_that_another_one_runs_by_hand_has_a_record_of_its_own(how: str) -> None:
    class Inner(Reads):
        def output(self):
            return LocalFileTarget("inner.txt")

        def run(self, output_path):
            Path(output_path).write_text("inner")

    class Outer(Reads):
        def run(self, output_path, metadata):
            Inner().run()
            metadata["inner"] = Path("inner.txt").read_text()
            Path(output_path).write_text("outer")

    Outer().run() if how == "run" else run_task(Outer(), progress=False)
    inner, outer = Inner().output().metadata(), Outer().output().metadata()
    assert (inner["family"], inner["task_hash"]) == ("Inner", Inner().task_id)
    assert (outer["family"], outer["task_hash"]) == ("Outer", Outer().task_id)
    assert inner["run_id"] != outer["run_id"]


def test_the_entered_run_keeps_its_name_and_documentation() -> None:
    class Documented(Reads):
        def run(self, output_path):
            """Writes."""

    assert Documented.run.__name__ == "run"
    assert Documented.run.__doc__ == "Writes."


def test_a_task_is_pickled_with_its_run() -> None:
    again = pickle.loads(pickle.dumps(Base()))
    again.run()
    assert Path("result.txt").read_text() == "given"
