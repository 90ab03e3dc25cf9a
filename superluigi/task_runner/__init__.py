"""`run_task` and `plan_task`: what a user calls."""

from superluigi.task_runner.planning import plan_task
from superluigi.task_runner.result import BuildResult
from superluigi.task_runner.run import run_task

__all__ = ["BuildResult", "plan_task", "run_task"]
