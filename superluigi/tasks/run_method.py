"""Entering a user's `run`: Luigi calls it without arguments, the user wrote it with those it needs."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from superluigi.execution.enter import active_run, enter_run

if TYPE_CHECKING:
    from superluigi.tasks.task import Task

__all__ = ["asked_arguments", "entered_once"]

_MARK = "__superluigi_entered__"


def entered_once(run: Callable[..., Any], cls: type[Task]) -> Callable[..., Any]:
    """Wrap a class's own `run` so that Luigi can call it.

    Called by Luigi, it starts a recorded run and calls `run` with what it asks for. Called from inside
    that run (`super().run(…)`), it is `run` itself; what is not passed is filled in by name.

    Raises:
        TypeError: `run` asks for something that the class does not offer.
    """
    is_entry = getattr(run, _MARK, None) is run  # a wrapper of the user's may have copied the mark
    if is_entry:
        return run
    asked = asked_arguments(run, cls)
    signature = inspect.signature(run)

    @functools.wraps(run)
    def entry(self: Task, *args: Any, **kwargs: Any) -> Any:
        active = active_run(self)
        if active is None and not args and not kwargs:
            return enter_run(self, functools.partial(run, self), asked)
        if active is None:
            return run(self, *args, **kwargs)  # somebody's own call, in a test or a notebook
        passed = {*signature.bind_partial(self, *args, **kwargs).arguments, *kwargs}
        given = {name: active.argument(name) for name in asked if name not in passed}
        return run(self, *args, **kwargs, **given)

    setattr(entry, _MARK, entry)
    return entry


def asked_arguments(run: Callable[..., Any], cls: type[Task]) -> tuple[str, ...]:
    """The offered arguments that a `run` asks for, in its order.

    Raises:
        TypeError: it asks for another one.
    """
    offered = cls.offered_arguments
    parameters = list(inspect.signature(run).parameters.values())[1:]  # without self
    asked = []
    for parameter in parameters:
        if parameter.kind is parameter.VAR_KEYWORD:
            asked += [name for name in offered if name not in asked]
        elif parameter.name in offered:
            asked.append(parameter.name)
        elif (
            parameter.kind is not parameter.VAR_POSITIONAL and parameter.default is parameter.empty
        ):
            raise TypeError(_not_offered(cls, parameter.name))
    return tuple(asked)


def _not_offered(cls: type[Task], name: str) -> str:
    offered = ", ".join(cls.offered_arguments) or "nothing"
    base = next((c.__name__ for c in cls.__mro__[1:] if "offered_arguments" in c.__dict__), "Task")
    return (
        f"{cls.__name__}.run() asks for {name!r}, but {base} offers {offered}. "
        "Use these names, or a base class that offers it."
    )
