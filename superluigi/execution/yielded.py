"""What `run()` yields: tasks that it found out it needs, in the shapes of a `requires()`."""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import luigi
from luigi.task import DynamicRequirements

from superluigi.graph import iter_places, place_text
from superluigi.structure import settled

__all__ = ["next_requirement", "yielded_tasks"]


def next_requirement(generator: Generator[Any, Any, Any], sent: Any) -> Any:
    """What a `run()` yields next, readable more than once.

    What is no task is an error in `run()` itself, at its `yield`.

    Raises:
        TypeError: it yielded something that is no task.
        StopIteration: it has ended.
    """
    requirement = _settled(generator.send(sent))
    while (problem := _problem_of(requirement)) is not None:
        requirement = _settled(generator.throw(TypeError(problem)))
    return requirement


def yielded_tasks(requirement: Any) -> Any:
    """The structure of tasks that was yielded, without Luigi's wrapper around it."""
    if isinstance(requirement, DynamicRequirements):
        return requirement.requirements
    return requirement


def _settled(requirement: Any) -> Any:
    if isinstance(requirement, DynamicRequirements):
        requirement.requirements = settled(requirement.requirements)
        return requirement
    return settled(requirement)


def _problem_of(requirement: Any) -> str | None:
    for place, item in iter_places(yielded_tasks(requirement), luigi.Task):
        if not isinstance(item, luigi.Task):
            where = f" at {place_text(place)!r}" if place else ""
            return (
                f"run() yielded {item!r:.80} ({type(item).__name__}){where}, which is no task. "
                "Yield tasks, lists or dicts of tasks."
            )
    return None
