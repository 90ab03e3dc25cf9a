"""`Task`: a Luigi task with a re-creatable identity, whose runs are recorded beside its targets."""

from __future__ import annotations

import inspect
import warnings
from collections.abc import Callable
from typing import Any, ClassVar

import luigi

from superluigi.errors import HashError
from superluigi.graph import PlacedTask, placed_tasks, task_text
from superluigi.hashing import (
    current_generation,
    hash_of,
    is_being_asked,
)
from superluigi.tasks.run_method import entered_once

__all__ = ["Task"]

_found_params: dict[type, tuple[object, list[tuple[str, luigi.Parameter[Any]]]]] = {}


class Task(luigi.Task):
    """A task that writes its output itself, in `run(self)`.

    Everything that Luigi documents about tasks holds. Added are `task_id` as a hash of the task and all
    that it depends on, and a `<target>.metadata.json` beside every target that it makes. When a run that
    replaces an old output fails, the old output is put back.

    Attributes that a class may set: `code_version = "2"` stands in for the fingerprint of its code,
    `code_fingerprint = False` switches that off.
    """

    _is_superluigi_task: ClassVar[bool] = True
    offered_arguments: ClassVar[tuple[str, ...]] = ()
    """What `run()` may ask for, by name."""
    writes_in_place: ClassVar[bool] = True
    """Whether `run()` writes to the target itself rather than to a path that is published afterwards."""

    code_version: ClassVar[str | None] = None
    code_fingerprint: ClassVar[bool] = True

    def __init_subclass__(cls, **options: Any) -> None:
        """Let Luigi's `task.run()` enter the class's own `run` with what it asks for."""
        super().__init_subclass__(**options)
        # Also a run() that comes from a mixin which is no task.
        run = inspect.getattr_static(cls, "run")
        if callable(run) and run is not luigi.Task.run:
            cls.run = entered_once(run, cls)  # type: ignore[method-assign]
        if isinstance(cls.__dict__.get("task_id"), luigi.Parameter):
            warnings.warn(
                f"{cls.__name__} has a parameter named task_id, which hides its identity. Rename it.",
                stacklevel=2,
            )

    @classmethod
    def get_params(cls) -> list[tuple[str, luigi.Parameter[Any]]]:
        """The class's parameters in their order, as Luigi finds them: by looking at every attribute.

        Luigi asks four times for every task that is made, so the answer is kept for as long as neither
        the generation nor the number of the class's attributes changes.
        """
        stamp = (current_generation(), [len(base.__dict__) for base in cls.__mro__])
        known = _found_params.get(cls)
        if known is None or known[0] != stamp:
            known = _found_params[cls] = (stamp, super().get_params())
        return list(known[1])

    @property
    def task_id(self) -> str:
        """The task's identity, 32 hex digits: family, significant parameters and everything upstream.

        The same in every process and on every machine, so it may stand in paths.

        Raises:
            HashError: a cycle, a graph without end, two classes of one family name, a value without a
                stable text, or `requires()` reading the `task_id` of its own task.
        """
        if not self.initialized():  # Luigi's __init__ reads it before the task is complete
            return str(self.luigi_task_id)
        if is_being_asked(self):
            family = self.get_task_family()
            message = (
                f"{family}.requires() reads the task_id of its own task, but task_id is made from what "
                "requires() returns. Use parameters there, or luigi_task_id."
            )
            raise HashError(message, family=family)
        return hash_of(self)

    @task_id.setter
    def task_id(self, luigi_task_id: str) -> None:
        # Luigi's __init__ assigns its own readable id here.
        self.luigi_task_id = luigi_task_id

    @property
    def task_hash(self) -> str:
        """The same as `task_id`."""
        return self.task_id

    def lineage_requires(self) -> Any:
        """What the identity depends on; `requires()` unless overridden.

        Override it where `requires()` has no end (each day requires the day before).
        """
        return self.requires()

    @property
    def _own_lineage_requires(self) -> Callable[[], list[PlacedTask]] | None:
        """The overridden `lineage_requires()`, with places; None where it is `requires()`."""
        if type(self).lineage_requires is Task.lineage_requires:
            return None
        return lambda: placed_tasks(self, self.lineage_requires(), "lineage_requires()")

    def initialized(self) -> bool:
        """Whether Luigi's `__init__` has ended; asked by its worker, and answered without a walk."""
        return "_Task__hash" in self.__dict__

    def __repr__(self) -> str:
        """As Luigi shows it, `Family(name=value)`, but without PRIVATE parameters."""
        return task_text(self)

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        # Upstream follows from class and parameters, so equality needs no walk.
        return (
            isinstance(other, luigi.Task)
            and type(self) is type(other)
            and self.luigi_task_id == getattr(other, "luigi_task_id", None)
            and self.to_str_params(only_significant=True)
            == other.to_str_params(only_significant=True)
        )

    def __hash__(self) -> int:
        # Not Luigi's stored one: text hashes differ between processes, and tasks are pickled.
        return hash((type(self).__name__, self.luigi_task_id))

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_superluigi_hash", None)
        return state
