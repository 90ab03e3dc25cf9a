"""The arguments of `run_task` and `plan_task`, checked before anything is looked at."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from superluigi.task_runner.session import DecisionArguments

__all__ = ["checked_flag", "checked_number", "checked_workers", "decision_arguments"]


def decision_arguments(task: Any, **given: Any) -> DecisionArguments:
    """The arguments that `run_task` and `plan_task` share.

    Raises:
        TypeError: one is of another type than it takes.
    """
    for name in ("force", "force_upstream", "offline"):
        checked_flag(name, given[name])
    _check_config(given["config"])
    rerun_on = given["rerun_on"]
    if rerun_on is not None and not isinstance(rerun_on, Collection):
        message = f"rerun_on is {rerun_on!r}; it takes a set of trigger names."
        raise TypeError(message)
    return DecisionArguments(task, **given)


def checked_flag(name: str, value: Any) -> bool:
    """A switch.

    Raises:
        TypeError: it is neither True nor False.
    """
    if not isinstance(value, bool):
        message = f"{name} is {value!r} ({type(value).__name__}); it takes True or False."
        raise TypeError(message)
    return value


def checked_workers(num_workers: int, *, raise_exception: bool) -> int:
    """How many tasks may run at once.

    Raises:
        ValueError, TypeError: no such number, or several where the caller's process has to do it.
    """
    checked_number("num_workers", num_workers, "a number of processes", least=1)
    if raise_exception and num_workers > 1:
        message = (
            "raise_exception=True runs every task in this process, where a debugger can stop; "
            f"num_workers={num_workers} would need others. Leave num_workers out."
        )
        raise ValueError(message)
    return num_workers


def checked_number(name: str, value: Any, meaning: str, *, least: int) -> int:
    """A whole number.

    Raises:
        TypeError: it is none.
        ValueError: it is less than `least`.
    """
    if isinstance(value, bool) or not isinstance(value, int):
        message = (
            f"{name} is {value!r} ({type(value).__name__}); it is {meaning}, at least {least}."
        )
        raise TypeError(message)
    if value < least:
        message = f"{name} is {value}; it is {meaning}, at least {least}."
        raise ValueError(message)
    return value


def _check_config(config: Any) -> None:
    example = "config takes {section: {key: value}}, such as {'Report': {'window': 7}}"
    if config is not None and not isinstance(config, Mapping):
        message = f"config is {config!r}; {example}."
        raise TypeError(message)
    for section, values in (config or {}).items():
        if not isinstance(values, Mapping):
            message = f"config[{section!r}] is {values!r}; {example}."
            raise TypeError(message)
