from __future__ import annotations

import hashlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import luigi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from luigi.task import externalize

from superluigi import graph
from superluigi.errors import HashError
from superluigi.hashing import (
    hash_of,
    insignificant_params,
    lineage_upstream,
    new_generation,
    significant_params,
)
from superluigi.parameters import (
    IntParameter,
    Parameter,
    ParameterVisibility,
    StrParameter,
)
from superluigi.tasks import ExternalTask, Task, WrapperTask
from tests.superluigi import hash_shapes

pytestmark = pytest.mark.usefixtures("project")

ROOT = Path(__file__).parents[2]

PINNED = {
    "no parameters": "0a3c125961cebb6102a3596108072b7b",
    "date and int": "f11847a82355b8addb2d32ed917290eb",
    "every kind of parameter": "be44a1d3ce9a666e78086f60e4ae5de1",
    "external": "ebf3e1fd840a0539682d5133f57acdbc",
    "plain Luigi task": "12f2a63f084d53d858b1c7d69bba23a7",
    "plain Luigi task above others": "9d81a3bdba42d407af3460db02447396",
    "single upstream": "ff8ffae1e6e04288f06bfb5ce6611865",
    "dict": "914b703ff7282f0ec564cb572d9378f2",
    "nested": "977497116a1b3c020bd4c28d9f721660",
    "set": "364c22069d11a4cd61a4e0afd65a2964",
    "generator": "1c9fb4fd79783766fdb557c3cdddc79c",
    "hidden parameter": "7e946acf248732709a6067debb6eb9d3",
    "private and insignificant parameters": "50d417a1f4055b0cb30007ca711c939e",
    "namespace": "4f4d0b65d193f9ab74e2dc6973619366",
    "template task": "ffb09527df91abf08d30bcc9dfea3a93",
    "lineage_requires": "c5070a028a487140a6931a91b1bb768e",
    "wrapper": "edc6a5e416e81bb790511de1e461b7c8",
}
"""A change here renames every path that holds a task_id: it needs a new format version."""


class Node(Task):
    """A task whose upstream the test gives it."""

    name = Parameter()
    upstream: Any = None

    def requires(self):
        return self.upstream() if callable(self.upstream) else self.upstream


def node(name: str, upstream: Any = None, cls: type[Any] = Node) -> Any:
    """A new instance, beside Luigi's instance cache, with upstream of its own."""
    task = cls.__new__(cls)
    task.__init__(name=name)
    task.upstream = upstream
    return task


class PlainNode(luigi.Task):
    name = Parameter()
    upstream: Any = None

    def requires(self):
        return self.upstream


# -- the value ---------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", PINNED)
def test_the_hash_of_a_shape_is_pinned(shape: str) -> None:
    task = hash_shapes.shapes()[shape]
    assert hash_of(task) == PINNED[shape]


def test_every_shape_is_pinned() -> None:
    assert set(hash_shapes.shapes()) == set(PINNED)


def test_the_hash_is_what_the_documentation_says() -> None:
    upstream = '["superluigi-task/1","PlainNode",[["name","b"]],[]]'
    upstream_hash = hashlib.sha256(upstream.encode()).hexdigest()[:32]
    text = (
        '["superluigi-task/1","Node",[["name","a"]],'
        f'[[[["i","0"]],"{upstream_hash}"],[[["i","1"],["k","x"]],"{upstream_hash}"]]]'
    )
    plain = PlainNode(name="b")
    assert (
        node("a", [plain, {"x": plain}]).task_id == hashlib.sha256(text.encode()).hexdigest()[:32]
    )


def test_task_id_and_task_hash_are_one_and_luigis_own_id_is_kept() -> None:
    task = hash_shapes.Dated(date=hash_shapes.datetime.date(2022, 12, 15))
    assert task.task_id == task.task_hash == hash_of(task)
    assert task.luigi_task_id == luigi.task.task_id_str("Dated", {"date": "2022-12-15", "n": "3"})


def hashes_elsewhere(
    *options: str, interpreter: str = sys.executable, **environment: str
) -> dict[str, str]:
    paths = [str(ROOT), str(ROOT / "catalog"), *(p for p in sys.path if "site-packages" in p)]
    done = subprocess.run(
        [interpreter, *options, str(Path(hash_shapes.__file__))],
        env={**os.environ, **environment, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("options", "seed"), [((), "0"), ((), "4711"), (("-O",), "random")], ids=str
)
def test_another_process_finds_the_same_hashes(options: tuple[str, ...], seed: str) -> None:
    assert hashes_elsewhere(*options, PYTHONHASHSEED=seed) == PINNED


@pytest.mark.parametrize("minor", [10, 11, 12, 13])
def test_another_python_finds_the_same_hashes(minor: int) -> None:
    if sys.version_info[:2] == (3, minor):
        pytest.skip("this is that Python")
    try:
        found = hashes_elsewhere(interpreter=interpreter_of(minor))
    except subprocess.CalledProcessError as error:
        pytest.skip(f"it cannot import Luigi: {error.stderr.splitlines()[-1]}")
    assert found == PINNED


def interpreter_of(minor: int) -> str:
    installed = Path(os.environ.get("PYENV_ROOT", "/nonexistent"), "versions")
    for path in [*installed.glob(f"3.{minor}.*/bin/python"), shutil.which(f"python3.{minor}")]:
        if path and subprocess.run([path, "-V"], capture_output=True, check=False).returncode == 0:
            return str(path)
    pytest.skip(f"no Python 3.{minor} here")


# -- what counts ---------------------------------------------------------------------------------

names = st.text(max_size=8)
places = st.dictionaries(names, st.text(min_size=1, max_size=3), max_size=5)


@given(upstream=places, data=st.data())
def test_the_order_of_dict_keys_does_not_matter(upstream: dict[str, str], data: Any) -> None:
    shuffled = data.draw(st.permutations(list(upstream.items())))
    one = node("root", {place: node(name) for place, name in upstream.items()})
    other = node("root", {place: node(name) for place, name in shuffled})
    assert hash_of(one) == hash_of(other)


@given(keys=st.lists(names, min_size=2, max_size=2, unique=True))
def test_swapping_two_places_matters(keys: list[str]) -> None:
    left, right = keys
    one = node("a", {left: node("x"), right: node("y")})
    other = node("a", {left: node("y"), right: node("x")})
    assert hash_of(one) != hash_of(other)


@given(values=st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_a_parameters_value_matters(values: list[str]) -> None:
    assert hash_of(node(values[0])) != hash_of(node(values[1]))


@given(values=st.lists(st.text(), min_size=2, max_size=2, unique=True))
def test_an_upstream_tasks_parameter_matters(values: list[str]) -> None:
    below = [node("the root", node("between", node(value))) for value in values]
    assert hash_of(below[0]) != hash_of(below[1])


structures = st.recursive(
    st.sampled_from("xyz"),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3)
    ),
    max_leaves=6,
)


@given(structure=structures, other=structures)
def test_two_structures_have_one_hash_only_if_they_place_the_same_tasks(
    structure: Any, other: Any
) -> None:
    def rows(structure: Any, place: tuple[Any, ...] = ()) -> set[Any]:
        if isinstance(structure, str):
            return {(place, structure)}
        items = structure.items() if isinstance(structure, dict) else enumerate(structure)
        return set().union(*(rows(child, (*place, key)) for key, child in items))

    def tasks(structure: Any) -> Any:
        if isinstance(structure, dict):
            return {key: tasks(child) for key, child in structure.items()}
        return (
            node(structure) if isinstance(structure, str) else [tasks(child) for child in structure]
        )

    same = hash_of(node("a", tasks(structure))) == hash_of(node("a", tasks(other)))
    assert same == (rows(structure) == rows(other))


def test_a_number_and_its_text_are_two_dict_keys() -> None:
    one = node("a", {1: node("x"), "1": node("y")})
    other = node("a", {1: node("y"), "1": node("x")})
    assert hash_of(one) != hash_of(other)


def test_hidden_parameters_count_private_and_insignificant_ones_do_not() -> None:
    assert hash_of(hash_shapes.Hidden("a")) != hash_of(hash_shapes.Hidden("b"))
    one = hash_shapes.Private(password="old", verbose=True)
    assert hash_of(one) == hash_of(hash_shapes.Private(password="new", verbose=False))
    assert significant_params(one) == {}
    assert insignificant_params(one) == {"verbose": "True"}


def test_private_values_are_not_shown_in_a_tasks_text() -> None:
    class Secretive(Task):
        user = Parameter()
        password = Parameter(visibility=ParameterVisibility.PRIVATE)

    assert str(Secretive(user="me", password="s3cret")) == "Secretive(user=me)"


def test_an_external_task_counts_by_its_parameters_and_is_not_asked_what_it_requires() -> None:
    class Given(ExternalTask):
        n = IntParameter()

        def requires(self):
            raise AssertionError

    assert hash_of(Given(n=1)) != hash_of(Given(n=2))


def test_sets_of_tasks_that_differ_in_hidden_parameters_alone_have_an_order() -> None:
    orders = [
        {hash_shapes.Hidden(name) for name in names}
        for names in ("abcdefgh", "hgfedcba", "cgeahbfd")
    ]
    assert len({hash_of(node("a", upstream)) for upstream in orders}) == 1


# -- copies by externalize() ------------------------------------------------------------------------


@pytest.mark.parametrize("what", ["a task", "a class"])
def test_an_external_copy_has_the_identity_of_what_it_is_a_copy_of(what: str) -> None:
    task = hash_shapes.Single()
    copy = externalize(task) if what == "a task" else externalize(hash_shapes.Single)()
    assert copy.task_id == task.task_id
    assert node("a", copy).task_id == node("a", task).task_id


def test_what_an_external_copy_requires_is_no_part_of_a_graph() -> None:
    class Bounded(Task):
        def lineage_requires(self):
            return hash_shapes.Leaf()

    assert lineage_upstream(externalize(Bounded())) == []
    assert externalize(Bounded()).task_id == Bounded().task_id
    assert len(lineage_upstream(Bounded())) == 1


def test_a_class_that_was_made_external_counts_as_an_external_task() -> None:
    class Taken(hash_shapes.Single):
        run = None

    class Declared(ExternalTask):
        task_namespace = ""

    Declared.__name__ = "Taken"
    assert hash_of(Taken()) == hash_of(Declared())


def test_a_chain_of_external_copies_is_walked_without_recursion() -> None:
    task: Any = node("first")
    for n in range(2_000):
        task = node(str(n), externalize(task))
    assert len(hash_of(task)) == 32


# -- size and endlessness ---------------------------------------------------------------------------


def chain(length: int, cls: type[Any] = Node) -> Any:
    task = None
    for n in range(length):
        task = node(str(n), task, cls)
    return task


@pytest.mark.parametrize(("cls", "length"), [(Node, 10_000), (PlainNode, 2_000)])
def test_a_long_chain_is_hashed_quickly_and_without_recursion(cls: type[Any], length: int) -> None:
    task = chain(length, cls)
    started = time.process_time()
    hash_of(task)
    assert time.process_time() - started < 3


def test_a_fully_connected_diamond_is_hashed_in_linear_time() -> None:
    asked = 0

    def counted(tasks: list[Any]) -> Callable[[], list[Any]]:
        def upstream() -> list[Any]:
            nonlocal asked
            asked += 1
            return tasks

        return upstream

    layer: list[Any] = []
    for depth in range(20):
        layer = [node(f"{depth}.{n}", counted(layer)) for n in range(10)]
    hash_of(node("root", layer))
    assert asked == 200


def test_a_cycle_is_spelled_out() -> None:
    first = node("first")
    third = node("third", first)
    first.upstream = [node("second", {"to": third})]
    with pytest.raises(HashError) as caught:
        hash_of(node("outside", first))
    cycle = "Node(name=first) → Node(name=second) → Node(name=third) → Node(name=first)"
    assert f"cycle: {cycle}." in str(caught.value)
    assert caught.value.family == "Node"


class Yesterday(Task):
    day = IntParameter()

    def requires(self):
        return type(self)(day=self.day - 1)


def test_an_endless_graph_names_the_class_and_the_way_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph, "MAX_TASKS", 50)
    with pytest.raises(HashError, match=r"more than 50 tasks.*Yesterday\(day=-50\).*Yesterday"):
        hash_of(Yesterday(day=0))
    with pytest.raises(HashError, match=r"Yesterday\.lineage_requires\(\)"):
        hash_of(node("a", Yesterday(day=0)))


def test_lineage_requires_ends_an_endless_graph() -> None:
    class Bounded(Yesterday):
        def lineage_requires(self):
            return {"config": hash_shapes.Leaf()}

    class Other(Yesterday):
        task_namespace = ""

        def lineage_requires(self):
            return []

    Other.__name__ = "Bounded"
    assert hash_of(Bounded(day=0)) != hash_of(Bounded(day=1))
    assert hash_of(Bounded(day=0)) != hash_of(Other(day=0))


def test_lineage_requires_must_return_tasks() -> None:
    class Wrong(Task):
        def lineage_requires(self):
            return ["a text"]

    message = r"Wrong\.lineage_requires\(\) returned str at '0'"
    with pytest.raises(TypeError, match=message):
        hash_of(Wrong())


# -- refusals ------------------------------------------------------------------------------------


def test_a_value_with_a_memory_address_is_refused() -> None:
    class Takes(Node):
        name = luigi.OptionalParameter()

    Takes.name.expected_type = object
    Takes.name.serialize = str
    task = node(object(), None, Takes)
    with pytest.raises(
        HashError, match=r"Takes\.name has the value '<object object at 0x.*address"
    ):
        hash_of(task)


def test_two_classes_of_one_family_in_one_graph_are_refused() -> None:
    class First(Task):
        pass

    class Second(Task):
        pass

    Second.__name__ = "First"
    with pytest.raises(HashError) as caught:
        hash_of(node("a", [First(), Second()]))
    text = str(caught.value)
    assert "family name 'First'" in text
    assert f"{__name__}.{First.__qualname__}" in text
    assert f"{__name__}.{Second.__qualname__}" in text


def test_a_namespace_tells_two_classes_of_one_name_apart() -> None:
    class First(Task):
        task_namespace = "other"

    First.__name__ = "Leaf"
    assert len(hash_of(node("a", [First(), hash_shapes.Leaf()]))) == 32


def test_requires_that_reads_its_own_task_id_says_so() -> None:
    class Reads(Task):
        def requires(self):
            return node(self.task_id)

    with pytest.raises(HashError, match=r"Reads\.requires\(\) reads the task_id of its own task"):
        hash_of(Reads())


def test_requires_that_reads_its_own_task_id_through_output_says_so() -> None:
    class Reads(Task):
        def output(self):
            return luigi.LocalTarget(f"{self.task_id}.csv")

        def requires(self):
            yield hash_shapes.Leaf()
            yield node(self.output().path)

    with pytest.raises(HashError, match=r"Reads\.requires\(\) reads the task_id of its own task"):
        hash_of(Reads())


def test_two_tasks_that_read_each_others_task_id_in_requires_say_so() -> None:
    class Reads(Task):
        def requires(self):
            return node(Back().task_id)

    class Back(Task):
        def requires(self):
            return Reads()

    with pytest.raises(HashError, match="requires"):
        hash_of(Reads())


def test_an_error_in_requires_comes_out_as_it_is() -> None:
    class Broken(Task):
        def requires(self):
            return self.misspelt

    with pytest.raises(AttributeError, match="misspelt"):
        _ = Broken().task_id
    assert Broken().initialized()


def test_a_task_whose_init_forgot_luigis_says_so_to_the_worker() -> None:
    class Forgot(Task):
        def __init__(self):
            pass

    assert not Forgot().initialized()
    with pytest.raises(luigi.worker.TaskException, match="call super"):
        luigi.build([Forgot()], local_scheduler=True)


# -- generations ------------------------------------------------------------------------------------


def test_output_may_read_task_id_often_without_asking_upstream_again() -> None:
    asked = []
    task = node("a", lambda: asked.append(1) or hash_shapes.Leaf())
    assert len({task.task_id for _ in range(1000)}) == 1
    assert len(asked) == 1


def test_a_new_generation_asks_again() -> None:
    task = node("a", node("b"))
    before = task.task_id
    task.upstream = node("c")
    assert task.task_id == before
    new_generation()
    assert task.task_id != before


def test_redefining_an_upstream_class_gives_the_new_hash() -> None:
    def define(default: int) -> type[Task]:
        class Redefined(Task):
            n = IntParameter(default=default)

        return Redefined

    cell = {"Redefined": define(1)}
    task = node("a", lambda: cell["Redefined"]())
    before = task.task_id
    cell["Redefined"] = define(2)
    assert task.task_id != before
    cell["Redefined"] = define(1)
    assert task.task_id == before


def test_plain_luigi_tasks_are_remembered_without_setting_anything_on_them() -> None:
    asked = []

    class Asked(luigi.Task):
        def requires(self):
            asked.append(1)
            return PlainNode(name="b")

    task = Asked()
    before = dict(task.__dict__)
    assert hash_of(task) == hash_of(task)
    assert len(asked) == 1
    assert task.__dict__ == before
    assert task.task_id.startswith("Asked_")


def test_a_plain_task_that_died_leaves_nothing_behind_for_another_at_its_address() -> None:
    seen = {hash_of(node(str(n), None, PlainNode)) for n in range(500)}
    assert len(seen) == 500


# -- instances -----------------------------------------------------------------------------------


def test_task_id_in_init_is_luigis_until_luigis_init_has_ended() -> None:
    class Early(Task):
        n = IntParameter()

        def _warn_on_wrong_param_types(self):
            self.seen = getattr(self, "task_id", "none yet")

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.upstream = hash_shapes.Leaf()
            self.after = self.task_id

        def requires(self):
            return self.upstream

    task = Early(n=1)
    assert task.seen == "none yet"
    assert task.after == task.task_id == hash_of(task)


def test_instances_that_differ_in_insignificant_parameters_are_equal_and_one_task() -> None:
    one, other = hash_shapes.Private(verbose=True), hash_shapes.Private(verbose=False)
    assert one is not other
    assert one == other
    assert len({one, other}) == 1


def test_instances_that_differ_in_hidden_parameters_are_two_tasks() -> None:
    assert hash_shapes.Hidden("a") != hash_shapes.Hidden("b")
    assert hash_shapes.Hidden("a") != hash_shapes.Leaf()
    assert len({hash_shapes.Hidden("a"), hash_shapes.Hidden("b")}) == 2


def test_comparing_tasks_asks_nothing() -> None:
    def refuse() -> None:
        raise AssertionError

    assert node("a", refuse) == node("a", refuse)
    assert node("a", refuse) != node("b", refuse)


def test_a_task_above_a_deep_graph_is_pickled_without_the_graph() -> None:
    task = hash_shapes.Everything()
    hash_of(task)
    data = pickle.dumps(task)
    assert len(data) < 1000
    assert b"_superluigi_hash" not in data  # another process has other generations
    again = pickle.loads(data)
    assert again == task
    assert again.task_id == task.task_id


def test_tasks_are_found_in_sets_after_unpickling_in_another_process() -> None:
    program = """
import pickle, sys
from tests.superluigi import hash_shapes
tasks = pickle.loads(sys.stdin.buffer.read())
here = {name: task for name, task in hash_shapes.shapes().items() if name in tasks}
assert here and all(task in set(here.values()) for task in tasks.values())
assert all({task: 1}[here[name]] == 1 for name, task in tasks.items())
assert all(task.task_id == here[name].task_id for name, task in tasks.items())
"""
    ours = {k: v for k, v in hash_shapes.shapes().items() if isinstance(v, Task)}
    paths = os.pathsep.join([str(ROOT), str(ROOT / "catalog")])
    subprocess.run(
        [sys.executable, "-c", program],
        input=pickle.dumps(ours),
        env={**os.environ, "PYTHONPATH": paths, "PYTHONHASHSEED": "99"},
        check=True,
    )


def test_a_parameter_named_task_id_is_warned_of() -> None:
    with pytest.warns(UserWarning, match="Shadows has a parameter named task_id"):

        class Shadows(Task):
            task_id = StrParameter()


def test_luigi_builds_our_tasks_under_their_hashes() -> None:
    class Writes(Task):
        def requires(self):
            return Upstream()

        def output(self):
            return luigi.LocalTarget(f"{self.task_id}.txt")

        def run(self):
            Path(self.output().path).write_text(Path(self.input().path).read_text())

    class Upstream(luigi.Task):
        def output(self):
            return luigi.LocalTarget("upstream.txt")

        def run(self):
            Path(self.output().path).write_text("made")

    class All(WrapperTask):
        def requires(self):
            return [Writes()]

    assert luigi.build([All()], local_scheduler=True)
    assert Path(f"{Writes().task_hash}.txt").read_text() == "made"
