"""The project that this process works in: where its `.superluigi/` is, and how its paths are stored."""

from __future__ import annotations

from superluigi_catalog.project import Project, find_project

__all__ = ["Project", "current_project", "find_project", "using_project"]

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[Project | None] = ContextVar("superluigi_project", default=None)


def current_project() -> Project:
    """The project of the running build; outside one, of the working directory."""
    return _current.get() or find_project()


@contextmanager
def using_project(project: Project) -> Iterator[Project]:
    """Work in `project` while inside."""
    token = _current.set(project)
    try:
        yield project
    finally:
        _current.reset(token)
