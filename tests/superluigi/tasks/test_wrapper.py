from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import luigi
import pytest
from luigi.task import externalize

from superluigi.errors import HashError
from superluigi.parameters import Parameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import Task, WrapperTask

pytestmark = pytest.mark.usefixtures("project")


class Counted(Task):
    """Says how often it was asked whether it is complete."""

    name = Parameter()
    asked = 0
    answer = True

    def complete(self):
        self.asked += 1
        return self.answer


class Gathers(WrapperTask):
    name = Parameter()
    upstream: Any = None

    def requires(self):
        return self.upstream


def named(name: str, upstream: Any = None, cls: type[Any] = Gathers) -> Any:
    task = cls.__new__(cls)
    task.__init__(name=name)
    task.upstream = upstream
    return task


def leaf(name: str, *, answer: bool = True) -> Any:
    task = named(name, cls=Counted)
    task.answer = answer
    return task


@pytest.mark.parametrize(
    ("answers", "complete"), [([], True), ([True, True], True), ([True, False], False)]
)
def test_a_wrapper_is_complete_when_all_that_it_wraps_is(
    answers: list[bool], complete: bool
) -> None:
    leaves = [leaf(str(n), answer=answer) for n, answer in enumerate(answers)]
    assert named("w", {"x": leaves}).complete() is complete


def test_wrappers_above_wrappers_ask_each_task_once() -> None:
    leaves = [leaf(str(n)) for n in range(10)]
    layer: list[Any] = leaves
    for depth in range(20):
        layer = [named(f"{depth}.{n}", layer) for n in range(10)]
    assert named("root", layer).complete()
    assert [task.asked for task in leaves] == [1] * 10


def test_a_deep_tower_of_wrappers_is_asked_without_recursion() -> None:
    task = leaf("last", answer=False)
    for depth in range(sys.getrecursionlimit() + 100):
        task = named(str(depth), task)
    assert not task.complete()


def test_luigis_own_wrappers_below_are_walked_as_well() -> None:
    class Plain(luigi.WrapperTask):
        name = Parameter()
        upstream: Any = None

        def requires(self):
            return self.upstream

    shared = leaf("shared")
    layer = [named(f"plain{n}", shared, Plain) for n in range(3)]
    assert named("w", layer).complete()
    assert shared.asked == 1


def test_a_wrapper_with_a_complete_of_its_own_is_asked_itself() -> None:
    class Own(Gathers):
        def complete(self):
            return Path("own").exists() and super().complete()

    inner = named("own", leaf("x"), Own)
    assert not named("w", inner).complete()
    Path("own").touch()
    assert named("w", inner).complete()
    assert not named("w2", named("own2", leaf("y", answer=False), Own)).complete()


def test_a_wrapper_with_an_output_is_complete_when_that_exists() -> None:
    class WithOutput(WrapperTask):
        def requires(self):
            return leaf("x")

        def output(self):
            return LocalFileTarget("made")

        def run(self):
            Path("made").touch()

    assert WithOutput().complete()
    assert not named("w", [leaf("y", answer=False), WithOutput()]).complete()


def test_an_external_copy_of_a_wrapper_is_complete_when_what_it_wraps_is() -> None:
    wrapper = named("w", leaf("x", answer=False))
    assert not externalize(wrapper).complete()


def test_a_cycle_of_wrappers_is_spelled_out() -> None:
    wrapper = named("w")
    wrapper.upstream = named("v", wrapper)
    message = r"Gathers\(name=w\) → Gathers\(name=v\) → Gathers\(name=w\)"
    with pytest.raises(HashError, match=message):
        wrapper.complete()


def test_a_wrapper_wraps_tasks_only() -> None:
    with pytest.raises(TypeError, match=r"Gathers\.requires\(\) returned str"):
        named("w", "text").complete()
