"""`ExternalTask`: something that others make, and that Super Luigi watches."""

from __future__ import annotations

from typing import Any

import luigi

from superluigi.tasks.task import Task

__all__ = ["ExternalTask"]


class ExternalTask(Task, luigi.ExternalTask):
    """A task that is never run: its output comes from elsewhere.

    Its target is fingerprinted, so that what read an older content of it is known to be stale. Its
    identity is its own parameters.
    """

    run: Any = None
