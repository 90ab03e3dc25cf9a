from __future__ import annotations

from typing import Any

import luigi
import pytest
from luigi.task import externalize

from superluigi.errors import HashError
from superluigi.graph import (
    declared_upstream,
    is_external,
    iter_places,
    only_wraps,
    place_text,
    read_tasks,
    walk,
)
from superluigi.hashing import identity_key
from superluigi.parameters import Parameter
from superluigi.tasks import ExternalTask, Task, WrapperTask

pytestmark = pytest.mark.usefixtures("project")


class Named(Task):
    name = Parameter()
    upstream: Any = None

    def requires(self):
        return self.upstream


class Given(ExternalTask):
    name = Parameter()

    def requires(self):
        raise AssertionError


class Gathers(WrapperTask):
    name = Parameter()
    upstream: Any = None

    def requires(self):
        return self.upstream


def named(name: str, upstream: Any = None, cls: type[Any] = Named) -> Any:
    task = cls.__new__(cls)
    task.__init__(name=name)
    task.upstream = upstream
    return task


def places_of(task: luigi.Task) -> dict[str, str]:
    return {place_text(row.place): row.task.name for row in declared_upstream(task)}


def order_of(*roots: luigi.Task, **options: Any) -> list[str]:
    nodes = walk(roots, upstream_of=declared_upstream, identity=identity_key, **options)
    return [node.task.name for node in nodes]


@pytest.mark.parametrize(
    ("structure", "places"),
    [
        (None, []),
        ("a", [""]),
        (["a", "b"], ["0", "1"]),
        (("a", ["b", "c"]), ["0", "1.0", "1.1"]),
        ({"x": "a", "y": {"z": ["b"]}}, ["x", "y.z.0"]),
        (iter(["a", iter(["b"])]), ["0", "1.0"]),
        ({3: "a", None: "b"}, ["3", "None"]),
        ({"a.b": "a", "a": {"b": "b"}, "a\\": {"b": "c"}}, ["a\\.b", "a.b", "a\\\\.b"]),
        ({"": "a"}, ["''"]),
        ([], []),
    ],
)
def test_items_have_places(structure: Any, places: list[str]) -> None:
    assert [place_text(place) for place, _ in iter_places(structure, int)] == places


def test_upstream_tasks_come_in_order_with_their_places() -> None:
    task = named("a", {"x": [named("b"), named("c")], "y": Given("d")})
    assert places_of(task) == {"x.0": "b", "x.1": "c", "y": "d"}


def test_requires_is_asked_once() -> None:
    asked = []

    class Counts(Task):
        def requires(self):
            asked.append(1)
            yield named("b")

    assert len(declared_upstream(Counts())) == 1
    assert len(asked) == 1


def test_dependencies_that_a_template_task_adds_have_places_of_their_own() -> None:
    class Template(Named):
        def _requires(self):
            return [*super()._requires(), named("added"), named("b")]

    assert places_of(named("a", {"x": named("b")}, Template)) == {"x": "b", "+0": "added"}


def test_dependencies_that_deps_adds_have_places_of_their_own() -> None:
    class Template(Named):
        def deps(self):
            return [*super().deps(), named("added")]

    assert places_of(named("a", named("b"), Template)) == {"": "b", "+0": "added"}


def test_an_external_task_is_not_asked_what_it_requires() -> None:
    assert declared_upstream(Given("a")) == []
    assert declared_upstream(externalize(named("a", [1]))) == []


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("text", r"Named\.requires\(\) returned str\. Return tasks"),
        ([3], r"returned int at '0'\. Return tasks"),
        ({"x": luigi.LocalTarget("f")}, r"returned LocalTarget at 'x'\. Wrap the target in an Ext"),
        ([Given], r"at '0'\. That is the class; make a task of it: Given\(…\)"),
    ],
)
def test_what_is_no_task_is_refused_with_advice(wrong: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        declared_upstream(named("a", wrong))


def test_a_walk_meets_each_task_once_and_upstream_first() -> None:
    shared = named("shared")
    left, right = named("left", [shared]), named("right", [named("shared")])
    order = order_of(named("root", [left, right]))
    assert order == ["shared", "left", "right", "root"]


def test_several_roots_share_one_walk() -> None:
    shared = named("shared")
    assert order_of(named("a", shared), shared, named("b", shared)) == ["shared", "a", "b"]


def test_a_walk_keeps_every_place_of_a_task_that_is_required_twice() -> None:
    shared = named("shared")
    nodes = walk(
        [named("a", {"x": shared, "y": [shared]})],
        upstream_of=declared_upstream,
        identity=identity_key,
    )
    assert [place_text(place) for place, _ in nodes[-1].upstream] == ["x", "y.0"]


def test_a_task_that_requires_itself_is_a_cycle() -> None:
    task = named("a")
    task.upstream = named("a")
    with pytest.raises(HashError, match=r"cycle: Named\(name=a\) → Named\(name=a\)\."):
        order_of(task)


def test_a_graph_of_exactly_the_cap_is_not_endless() -> None:
    task = named("a", [named("b"), named("c")])
    assert len(order_of(task, max_tasks=3)) == 3
    with pytest.raises(HashError, match="more than 2 tasks"):
        order_of(task, max_tasks=2)


@pytest.mark.parametrize("copy_first", [True, False])
def test_a_task_stands_for_its_external_copies(copy_first: bool) -> None:
    task = named("shared", named("below"))
    pair = [externalize(task), task] if copy_first else [task, externalize(task)]
    nodes = walk([named("a", pair)], upstream_of=declared_upstream, identity=identity_key)
    assert [node.task.name for node in nodes] == ["below", "shared", "a"]
    assert not any(is_external(node.task) for node in nodes)


def test_an_external_copy_alone_ends_the_walk() -> None:
    assert order_of(named("a", externalize(named("b", named("c"))))) == ["b", "a"]


def test_what_is_read_is_seen_through_wrappers() -> None:
    inner = named("w2", {"k": named("c")}, Gathers)
    task = named("a", {"x": named("b"), "w": named("w1", [named("d"), inner], Gathers)})
    rows = {place: upstream.name for place, upstream in read_tasks(task)}
    assert rows["x"] == "b"
    assert rows["w.0"] == "d"
    assert rows["w.1.k"] == "c"


def test_a_wrapper_with_something_of_its_own_is_no_mere_wrapper() -> None:
    class WithOutput(Gathers):
        def output(self):
            return luigi.LocalTarget("x")

    class WithRun(Gathers):
        def run(self):
            pass

    class WithComplete(Gathers):
        def complete(self):
            return True

    class Plain(luigi.WrapperTask):
        pass

    assert only_wraps(named("w", None, Gathers))
    assert only_wraps(Plain())
    assert not any(only_wraps(named("w", None, c)) for c in (WithOutput, WithRun, WithComplete))
    assert not only_wraps(named("t"))
