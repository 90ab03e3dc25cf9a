"""Entering `run()`: one way for Luigi's own workers and for ours, generators included."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import luigi

from superluigi.execution.order import RunOrder
from superluigi.execution.task_run import TaskRun
from superluigi.execution.yielded import next_requirement

__all__ = ["active_run", "enclosing_runs", "enter_plain_run", "enter_run", "ordered"]

_orders: ContextVar[tuple[RunOrder, ...]] = ContextVar("superluigi_orders", default=())
_active: ContextVar[tuple[TaskRun, ...]] = ContextVar("superluigi_active_runs", default=())


@contextmanager
def ordered(order: RunOrder) -> Iterator[RunOrder]:
    """While inside, the run that is entered is the one that the plan ordered."""
    token = _orders.set((*_orders.get(), order))
    try:
        yield order
    finally:
        _orders.reset(token)


def active_run(task: luigi.Task) -> TaskRun | None:
    """The run of this task that is executing now in this context."""
    return next((run for run in reversed(_active.get()) if run.task is task), None)


def enclosing_runs() -> frozenset[str]:
    """The ids of the runs in the middle of which this code is."""
    return frozenset(order.run_id for order in _orders.get())


def enter_run(task: luigi.Task, call: Callable[..., Any], asked: tuple[str, ...]) -> Any:
    """Execute a task's own `run` with the arguments that it asks for, and publish what it made.

    Args:
        call: The user's function, bound to the task.
        asked: The names of the arguments.

    Returns:
        None, or for a `run` that yields dependencies a generator that does the same when it ends.
    """
    run = TaskRun(task, _order_for_this_run(), asked)
    with run.failing(), _activated(run):
        run.begin()
        result = call(**{name: run.argument(name) for name in asked})
    if isinstance(result, Generator):
        driven = _drive(run, result)
        next(driven)  # so that one that nobody starts is undone as well
        return driven
    with run.failing():
        run.finish()
    return None


def enter_plain_run(task: luigi.Task) -> Any:
    """Execute a plain Luigi task, or one of ours that has no `run` of its own."""
    return enter_run(task, task.run, ())


def _order_for_this_run() -> RunOrder | None:
    """The plan's; None under Luigi's own `build`, and for a run that another one started by hand."""
    orders = _orders.get()
    if not orders or any(run.order is orders[-1] for run in _active.get()):
        return None
    return orders[-1]


def _drive(run: TaskRun, generator: Generator[Any, Any, Any]) -> Generator[Any, Any, None]:
    """Hand requirements and their targets through; finish when the user's generator ends."""
    with run.failing():
        try:
            sent = yield
            while True:
                with _activated(run):
                    try:
                        requirement = next_requirement(generator, sent)
                    except StopIteration:
                        break
                sent = yield requirement
                # Reached only when what was yielded is complete: otherwise Luigi starts run() again.
                run.add_yielded(requirement)
        finally:
            generator.close()
        run.finish()


@contextmanager
def _activated(run: TaskRun) -> Iterator[None]:
    """While inside, the user's code runs; the working directory is its own, and ours again afterwards."""
    token = _active.set((*_active.get(), run))
    outside = _working_directory()
    if run.directory is not None:
        os.chdir(run.directory)
    try:
        yield
    finally:
        _active.reset(token)
        inside = _working_directory()
        if inside != outside and outside is not None:
            run.directory = inside
            os.chdir(outside)


def _working_directory() -> str | None:
    try:
        return os.getcwd()  # noqa: PTH109
    except FileNotFoundError:  # somebody removed it
        return None
