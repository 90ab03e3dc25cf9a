"""The task classes: Luigi's, with an identity, a sidecar beside every target, and paths handed to `run()`."""

from superluigi.accepting import serve_acceptances
from superluigi.execution.metadata import Metadata
from superluigi.project_params import use_params_of_project
from superluigi.tasks.atomic import AtomicTaskWithMetadata
from superluigi.tasks.external import ExternalTask
from superluigi.tasks.task import Task
from superluigi.tasks.with_metadata import TaskWithMetadata
from superluigi.tasks.wrapper import WrapperTask

__all__ = [
    "AtomicTaskWithMetadata",
    "ExternalTask",
    "Metadata",
    "Task",
    "TaskWithMetadata",
    "WrapperTask",
]

use_params_of_project()
serve_acceptances()
