"""The paths that `run()` gets: in the shapes that the user wrote."""

from __future__ import annotations

import os
from collections import namedtuple
from pathlib import Path
from typing import Any

import luigi
import luigi.mock
import pytest
from luigi.task import externalize

from superluigi.errors import TargetMissing
from superluigi.parameters import IntParameter, Parameter
from superluigi.targets import LocalFileTarget, LocalFolderTarget
from superluigi.task_runner import run_task
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask, Task, WrapperTask
from tests.ids import stable_id

pytestmark = pytest.mark.usefixtures("project")

Pair = namedtuple("Pair", "left right")


class Given(ExternalTask):
    name = Parameter()

    def output(self):
        return LocalFileTarget(self.name)


class PlainGiven(luigi.ExternalTask):
    name = Parameter()

    def output(self):
        return luigi.LocalTarget(self.name)


class Several(luigi.ExternalTask):
    def output(self):
        return {"table": luigi.LocalTarget("d/table.csv"), "parts": [LocalFolderTarget("d/parts")]}


class Marked(luigi.ExternalTask):
    def output(self):
        return luigi.mock.MockTarget("marker")


class Gathers(WrapperTask):
    def requires(self):
        return {"one": Given("d/one.csv"), "several": Several()}


@pytest.fixture(autouse=True)
def _inputs(project: Path) -> None:
    Path("d/parts").mkdir(parents=True)
    for name in ("one.csv", "two.csv.gz", "table.csv", "parts/a"):
        Path("d", name).write_text(f"in {name}")
    with luigi.mock.MockTarget("marker").open("w") as file:
        file.write("x")


def handed_to(requires: Any, output: Any = None) -> tuple[Any, Any]:
    """What a task that requires and makes these gets: `input_path` and `output_path`."""
    handed = []

    class Asks(AtomicTaskWithMetadata):
        def requires(self):
            return requires

        def output(self):
            return output

        def run(self, input_path, output_path):
            handed.extend([input_path, output_path])
            raise InterruptedError

    with pytest.raises(InterruptedError):
        Asks().run()
    return handed[0], handed[1]


def inputs(requires: Any) -> Any:
    """`input_path`, each path replaced by its base name."""
    return shown(handed_to(requires)[0])


def outputs(output: Any) -> Any:
    return shown(handed_to(None, output)[1])


def shown(structure: Any) -> Any:
    if isinstance(structure, str):
        assert Path(structure).is_absolute()
        return Path(structure).name
    if isinstance(structure, dict):
        return {key: shown(value) for key, value in structure.items()}
    if isinstance(structure, tuple):
        items = [shown(item) for item in structure]
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return [shown(item) for item in structure] if isinstance(structure, list) else structure


ONE, TWO = Given("d/one.csv"), PlainGiven("d/two.csv.gz")
SEVERAL = {"table": "table.csv", "parts": ["parts"]}


@pytest.mark.parametrize(
    ("requires", "expected"),
    [
        (None, []),
        ([], []),
        (ONE, "one.csv"),
        (TWO, "two.csv.gz"),
        ([ONE, TWO], ["one.csv", "two.csv.gz"]),
        ((ONE, TWO), ("one.csv", "two.csv.gz")),
        (Pair(ONE, [TWO]), Pair("one.csv", ["two.csv.gz"])),
        ({"a": ONE, "b": {"c": [TWO]}}, {"a": "one.csv", "b": {"c": ["two.csv.gz"]}}),
        (Several(), SEVERAL),
        ([Several()], [SEVERAL]),
        (Gathers(), {"one": "one.csv", "several": SEVERAL}),
        ({"all": Gathers()}, {"all": {"one": "one.csv", "several": SEVERAL}}),
        ([externalize(ONE)], ["one.csv"]),
        ({"a": ONE, "b": None}, {"a": "one.csv", "b": None}),
        ([None, ONE], [None, "one.csv"]),
    ],
    ids=stable_id,
)
def test_input_paths_have_the_shape_of_requires_and_of_each_output(
    requires: Any, expected: Any
) -> None:
    found = inputs(requires)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, None),
        ([], []),
        (LocalFileTarget("out/x.csv.gz"), "x.csv.gz"),
        (luigi.LocalTarget("out/x.npy"), "x.npy"),
        ([LocalFileTarget("a"), LocalFolderTarget("b")], ["a", "b"]),
        ((LocalFileTarget("a"),), ("a",)),
        (Pair(LocalFileTarget("a"), LocalFileTarget("b")), Pair("a", "b")),
        (
            {"x": LocalFileTarget("a"), "y": {"z": [LocalFileTarget("b")]}},
            {"x": "a", "y": {"z": ["b"]}},
        ),
        ({"x": LocalFileTarget("a"), "y": None}, {"x": "a", "y": None}),
        (iter([LocalFileTarget("a"), LocalFileTarget("b")]), ["a", "b"]),
    ],
    ids=stable_id,
)
def test_output_paths_have_the_shape_of_output(output: Any, expected: Any) -> None:
    found = outputs(output)
    assert found == expected
    assert type(found) is type(expected)


class LeavesGaps(AtomicTaskWithMetadata):
    def requires(self):
        yield ONE
        yield None

    def output(self):
        yield LocalFileTarget("made.txt")
        yield None

    def run(self, input_path, output_path):
        given, nothing_given = input_path
        made, nothing_made = output_path
        assert nothing_given is nothing_made is None
        Path(made).write_text(Path(given).read_text())


def test_a_build_takes_generators_with_gaps_for_requires_and_output() -> None:
    result = run_task(LeavesGaps(), progress=False)
    assert result.outputs == ["made.txt", None]
    assert Path("made.txt").read_text() == "in one.csv"
    assert run_task(LeavesGaps(), progress=False).ran == ()


def test_targets_without_bytes_of_their_own_are_handed_over_themselves() -> None:
    marker = luigi.mock.MockTarget("made")
    found, made = handed_to({"m": Marked(), "one": ONE}, {"x": marker, "y": LocalFileTarget("y")})
    assert isinstance(found["m"], luigi.mock.MockTarget)
    assert Path(found["one"]).name == "one.csv"
    assert made["x"] is marker
    assert Path(made["y"]).name == "y"


def test_output_folders_exist_and_are_empty_and_files_do_not_exist() -> None:
    seen = []

    class Looks(AtomicTaskWithMetadata):
        def output(self):
            return [LocalFileTarget("d/one.csv"), LocalFolderTarget("d/parts")]

        def run(self, output_path):
            file, folder = output_path
            seen.extend([os.path.lexists(file), list(Path(folder).iterdir())])
            Path(file).write_text("new")
            Path(folder, "b").write_text("new")

    Looks().run()
    assert seen == [False, []]
    assert Path("d/one.csv").read_text() == "new"
    assert [path.name for path in Path("d/parts").iterdir()] == ["b"]


def test_two_inputs_of_one_base_name_do_not_collide() -> None:
    Path("e").mkdir()
    Path("e/one.csv").write_text("another")
    texts = []

    class Reads(AtomicTaskWithMetadata):
        def requires(self):
            return [Given("d/one.csv"), Given("e/one.csv")]

        def run(self, input_path):
            texts.extend(Path(path).read_text() for path in input_path)

    Reads().run()
    assert texts == ["in one.csv", "another"]


def test_an_input_at_two_places_is_copied_once() -> None:
    found = handed_to({"one": ONE, "all": Gathers()})[0]
    assert found["one"] == found["all"]["one"]


def test_a_missing_input_is_named() -> None:
    class Reads(AtomicTaskWithMetadata):
        def requires(self):
            return Given("d/none.csv")

        def run(self, input_path):
            raise AssertionError

    with pytest.raises(TargetMissing, match=r"'d/none.csv' does not exist"):
        Reads().run()


def test_inputs_that_are_not_asked_for_are_not_copied() -> None:
    class Reads(AtomicTaskWithMetadata):
        def requires(self):
            return Given("d/one.csv")

        def run(self):
            assert not Path(".superluigi/tmp").exists()

    Reads().run()


def test_what_was_handed_out_is_gone_after_the_run() -> None:
    class Makes(AtomicTaskWithMetadata):
        fails = IntParameter()

        def requires(self):
            return Gathers()

        def output(self):
            return LocalFileTarget("made")

        def run(self, input_path, output_path):
            assert Path(input_path["several"]["parts"][0], "a").exists()
            Path(output_path).write_text("x")
            if self.fails:
                raise InterruptedError

    Makes(fails=0).run()
    with pytest.raises(InterruptedError):
        Makes(fails=1).run()
    assert list(Path(".superluigi/tmp").iterdir()) == []


def test_relative_paths_hold_although_run_changes_the_directory(project: Path) -> None:
    class Moves(AtomicTaskWithMetadata):
        def requires(self):
            return Given("d/one.csv")

        def output(self):
            return [LocalFileTarget("out/x"), LocalFolderTarget("out/y")]

        def run(self, input_path, output_path):
            os.chdir("d")
            text = Path(input_path).read_text() + Path("one.csv").read_text()
            Path(output_path[0]).write_text(text)
            Path(output_path[1], "f").write_text(text)

    Moves().run()
    assert Path.cwd() == project
    assert Path("out/x").read_text() == "in one.csvin one.csv"
    found = sorted(path.name for path in Path("out").iterdir())
    assert found == ["x", "x.metadata.json", "y", "y.metadata.json"]
    assert sorted(path.name for path in Path("d").iterdir()) == [
        "one.csv",
        "parts",
        "table.csv",
        "two.csv.gz",
    ]


def test_a_directory_that_run_removed_while_it_was_in_it_harms_nothing(project: Path) -> None:
    class Leaves(Task):
        def run(self):
            Path("gone").mkdir()
            os.chdir("gone")
            Path("../gone").rmdir()

    Leaves().run()
    assert Path.cwd() == project
