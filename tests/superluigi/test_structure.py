from __future__ import annotations

from collections import OrderedDict, defaultdict, namedtuple
from typing import Any

import luigi
import pytest

from superluigi.structure import input_structure, map_targets, placed_targets, settled
from superluigi.targets import LocalFileTarget
from superluigi.tasks import ExternalTask, Task, WrapperTask
from tests.ids import stable_id

pytestmark = pytest.mark.usefixtures("project")

Pair = namedtuple("Pair", "left right")


def target(name: str) -> LocalFileTarget:
    return LocalFileTarget(name)


def paths(structure: Any) -> Any:
    return map_targets(structure, lambda place, leaf: f"{place}:{leaf.path}")


@pytest.mark.parametrize(
    ("structure", "mapped"),
    [
        (None, None),
        (target("a"), ":a"),
        ([target("a"), target("b")], ["0:a", "1:b"]),
        ((target("a"), [target("b")]), ("0:a", ["1.0:b"])),
        (Pair(target("a"), {"k": target("b")}), Pair("0:a", {"k": "1.k:b"})),
        ({"x": target("a"), 2: [target("b")]}, {"x": "x:a", 2: ["2.0:b"]}),
        (OrderedDict(z=target("a"), a=target("b")), OrderedDict(z="z:a", a="a:b")),
        (iter([target("a")]), ["0:a"]),
        ({"x": target("a"), "y": None}, {"x": "x:a", "y": None}),
        ([None, (target("a"), None)], [None, ("1.0:a", None)]),
        ([], []),
        ({}, {}),
    ],
    ids=stable_id,
)
def test_a_structure_keeps_its_shape(structure: Any, mapped: Any) -> None:
    found = paths(structure)
    assert found == mapped
    assert type(found) is type(mapped)


def test_a_defaultdict_keeps_its_factory() -> None:
    structure = defaultdict(list, x=target("a"))
    mapped = paths(structure)
    assert mapped == {"x": "x:a"}
    assert mapped["new"] == []
    assert isinstance(structure["x"], LocalFileTarget)


def test_targets_are_placed_as_they_are_mapped() -> None:
    structure = {"x": [target("a"), {"y": target("b")}], "z": target("c")}
    places = []
    map_targets(structure, lambda place, _: places.append(place))
    assert [place for place, _ in placed_targets(structure)] == places == ["x.0", "x.1.y", "z"]


def test_none_is_no_target_and_keeps_its_place() -> None:
    placed = placed_targets({"x": None, "y": [None, target("a")]})
    assert [(place, found.path) for place, found in placed] == [("y.1", "a")]
    assert placed_targets([None]) == placed_targets(None) == []


def test_a_settled_structure_can_be_read_twice() -> None:
    structure = settled({"x": (target(name) for name in "ab"), "y": None})
    assert len(placed_targets(structure)) == len(placed_targets(structure)) == 2
    assert structure["y"] is None


def test_what_is_no_target_is_refused_with_advice() -> None:
    message = (
        r"str 'data.csv' stands where a target was expected \(at 'x'\)\. Wrap .* LocalFileTarget"
    )
    with pytest.raises(TypeError, match=message):
        placed_targets({"x": "data.csv"})


class Single(ExternalTask):
    def output(self):
        return target("single")


class Several(luigi.ExternalTask):
    def output(self):
        return {"one": target("one"), "many": [luigi.LocalTarget("two")]}


class Gathers(WrapperTask):
    def requires(self):
        return {"several": Several(), "deeper": Deeper()}


class Deeper(WrapperTask):
    def requires(self):
        yield Single()


def inputs_of(requires: Any) -> Any:
    class Reads(Task):
        def requires(self):
            return requires

    return paths(input_structure(Reads()))


def several(place: str) -> Any:
    return {"one": f"{place}.one:one", "many": [f"{place}.many.0:two"]}


def test_inputs_have_the_shape_of_requires_and_of_each_output() -> None:
    assert inputs_of(None) == []
    assert inputs_of(Single()) == ":single"
    assert inputs_of([Single(), Several()]) == ["0:single", several("1")]
    assert inputs_of((Single(),)) == ("0:single",)
    assert inputs_of(Pair(Single(), Several())) == Pair("0:single", several("1"))
    assert inputs_of({"x": {"y": Single()}}) == {"x": {"y": "x.y:single"}}
    assert inputs_of({Single()}) == ["0:single"]
    assert inputs_of({"x": Single(), "y": None}) == {"x": "x:single", "y": None}
    assert inputs_of([None, Single()]) == [None, "1:single"]


def test_inputs_behind_wrappers_have_the_shape_of_what_they_wrap() -> None:
    expected = {"several": several("all.several"), "deeper": ["all.deeper.0:single"]}
    assert inputs_of({"all": Gathers()}) == {"all": expected}


def test_requiring_what_is_no_task_is_refused() -> None:
    with pytest.raises(TypeError, match="returned 3, which is no task"):
        inputs_of([3])
