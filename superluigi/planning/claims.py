"""Which task claims which place: what no graph may hold, found before anything runs."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from superluigi.errors import PlanError
from superluigi.graph import task_text
from superluigi.planning.nodes import PlannedOutput, PlannedTask

__all__ = ["refuse_nested_targets"]


def refuse_nested_targets(tasks: Iterable[PlannedTask]) -> None:
    """Refuse a graph that makes something inside a folder or prefix that it makes as a whole.

    Raises:
        PlanError: naming both targets and who makes them.
    """
    claims = [
        (output, task)
        for task in tasks
        if not task.is_external
        for output in task.outputs
        if output.target is not None
    ]
    wholes = {whole: claim for claim in claims if (whole := _whole(claim[0])) is not None}
    free: set[str] = set()
    """Folders that lie in none of them."""
    for output, task in claims:
        around = list(_around(output.uri, free))
        outer = next((wholes[folder] for folder in around if folder in wholes), None)
        if outer is not None:
            raise _nested(output, task, *outer)
        free.update(around)


def _whole(output: PlannedOutput) -> str | None:
    """The place below which all is this target's; None for an object, whose key may begin others'."""
    if "://" not in output.uri:
        return output.uri
    return output.uri[:-1] if output.uri.endswith("/") else None


def _around(uri: str, known: set[str]) -> Iterator[str]:
    """The folders around a place, inside out, up to one that is known."""
    folder = uri.rstrip("/").rpartition("/")[0]
    while folder and folder not in known:
        yield folder
        folder = folder.rpartition("/")[0]


def _nested(
    inner: PlannedOutput, task: PlannedTask, outer: PlannedOutput, other: PlannedTask
) -> PlanError:
    who = "" if task is other else f"{task_text(task.task)} makes "
    message = (
        f"{task_text(other.task)} makes {outer.uri!r} as a whole, and {who}{inner.uri!r} inside it: each "
        "would undo the other. Put them beside each other, for example with names of their own."
    )
    return PlanError(message, task_hash=task.task_hash, family=task.family)
