"""Nested structures of targets: `output()` and `input()` keep the shape that the user wrote."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import luigi

from superluigi.graph import PlacePath, _steps, iter_places, only_wraps, place_text

__all__ = ["input_structure", "map_targets", "output_structure", "placed_targets", "settled"]


def placed_targets(structure: Any) -> list[tuple[str, luigi.Target]]:
    """Every target of an `output()` or `input()` with its place, in order.

    Raises:
        TypeError: something in it is no target.
    """
    rows = []
    for place, item in iter_places(structure, luigi.Target):
        if not isinstance(item, luigi.Target):
            message = (
                f"{type(item).__name__} {item!r} stands where a target was expected"
                f"{f' (at {place_text(place)!r})' if place else ''}. Wrap a path in LocalFileTarget(…)."
            )
            raise TypeError(message)
        rows.append((place_text(place), item))
    return rows


def map_targets(structure: Any, leaf: Callable[[str, Any], Any], place: PlacePath = ()) -> Any:
    """The same structure with every target replaced by `leaf(place, target)`.

    Dicts stay dicts of their type, lists and tuples stay what they are, other iterables become lists, and
    None stays None.
    """
    if structure is None:
        return None
    if isinstance(structure, (luigi.Target, luigi.Task, str)):
        return leaf(place_text(place), structure)
    steps = _steps(structure)
    if steps is None:
        return leaf(place_text(place), structure)
    mapped = [map_targets(child, leaf, (*place, step)) for step, child in steps]
    return _of_shape(structure, mapped)


def settled(structure: Any) -> Any:
    """The same structure with lists for generators and sets, so that it can be read more than once."""
    return map_targets(structure, lambda _, leaf: leaf)


def input_structure(task: luigi.Task) -> Any:
    """The outputs of what a task requires, in the shape of `requires()`; like Luigi's `task.input()`.

    A wrapper has no output: the shape of what it requires stands in its place.
    """
    return _required_outputs(task.requires())


def output_structure(tasks: Any) -> Any:
    """The outputs of tasks, in the shape in which these stand; a wrapper has none."""
    return _map_tasks(tasks, lambda task: task.output())


def _required_outputs(structure: Any) -> Any:
    def leaf(task: luigi.Task) -> Any:
        return _required_outputs(task.requires()) if only_wraps(task) else task.output()

    return [] if structure is None else _map_tasks(structure, leaf)


def _map_tasks(structure: Any, leaf: Callable[[luigi.Task], Any]) -> Any:
    if structure is None:
        return None
    if isinstance(structure, luigi.Task):
        return leaf(structure)
    steps = _steps(structure)
    if steps is None:
        message = f"requires() returned {structure!r}, which is no task."
        raise TypeError(message)
    return _of_shape(structure, [_map_tasks(child, leaf) for _, child in steps])


def _of_shape(structure: Any, items: list[Any]) -> Any:
    """The items in a structure of the same type and keys."""
    if isinstance(structure, dict):
        same = copy.copy(structure)  # so that a defaultdict keeps its factory
        same.update(zip(structure, items, strict=True))
        return same
    if isinstance(structure, tuple):
        return type(structure)(*items) if hasattr(structure, "_fields") else tuple(items)
    return items
