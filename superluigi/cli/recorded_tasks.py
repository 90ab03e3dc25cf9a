"""References of the command line as live tasks, where their code can be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from superluigi.cli.errors import task_code

if TYPE_CHECKING:
    import luigi

    from superluigi_catalog import Catalog

__all__ = ["made_again"]


def made_again(catalog: Catalog, task_hash: str, family: str) -> tuple[luigi.Task | None, str]:
    """Make a recorded task again.

    Returns:
        The task, or None and why it cannot be made.

    Raises:
        TaskCodeFailed: its module raised.
    """
    from superluigi.cli.task_reference import use_working_directory
    from superluigi.errors import TaskNotLoadable
    from superluigi.loading import load_task

    use_working_directory()
    try:
        with task_code(f"Importing the module of {family}"):
            return load_task(task_hash, catalog=catalog), ""
    except TaskNotLoadable as error:
        return None, str(error)
