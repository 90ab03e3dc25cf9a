"""Builds in fresh processes, without a fresh interpreter for each.

A server that has imported Super Luigi, and nothing of any project, forks for every build: the child
imports the project's modules as they stand on disk then, and ends with its build.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["FreshBuilds", "built"]

_REPOSITORY = str(Path(__file__).parent.parent)


class FreshBuilds:
    """The server, seen from a test."""

    def __init__(self) -> None:
        self._server = subprocess.Popen(
            [sys.executable, "-B", "-m", "tests.fresh_builds"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": _REPOSITORY},
            text=True,
        )

    def build(self, project: Path, task: str, **options: Any) -> dict[str, Any]:
        """Build `task` of the project's module `pipeline`; see `built` for the answer.

        Args:
            options: Of `run_task`; `params` of the task, `environment` of the process besides.
        """
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        environment = {**os.environ, **options.pop("environment", {})}
        request = {"project": str(project), "task": task, "environment": environment, **options}
        self._server.stdin.write(json.dumps(request) + "\n")
        self._server.stdin.flush()
        answer: dict[str, Any] = json.loads(self._server.stdout.readline())
        assert "error" not in answer, answer["error"]
        return answer

    def close(self) -> None:
        """End the server."""
        self._server.communicate(timeout=20)


def built(module: Any, task: str, params: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Run one build in this process.

    Returns:
        `entered`: the families whose `run()` was entered, in order; `ended`: family → category of the
        result; `reasons`: family → kinds; `code`: family → the fingerprint on record.
    """
    from superluigi import run_task
    from superluigi.task_runner.result import CATEGORIES

    ran = Path("ran.log")
    ran.unlink(missing_ok=True)
    root = getattr(module, task)(**params)
    result = run_task(root, progress=False, **options)
    ended = {d.family: name for name in CATEGORIES for d in getattr(result, name)}
    return {
        "entered": ran.read_text().split() if ran.exists() else [],
        "ended": ended,
        "reasons": {d.family: [reason.kind for reason in d.reasons] for d in result.decisions},
        "texts": {d.family: [reason.text for reason in d.reasons] for d in result.decisions},
        "code": _recorded_code(root),
    }


def _recorded_code(root: Any) -> dict[str, str]:
    from superluigi_catalog import Catalog

    found = {}
    pending = [root]
    with Catalog() as catalog:
        while pending:
            task = pending.pop()
            pending += task.deps()
            for run in catalog.runs(task)[:1]:
                found[task.get_task_family()] = run.code_fingerprint
    return found


def _in_child(request: dict[str, Any]) -> dict[str, Any]:
    os.environ.clear()
    os.environ.update(request.pop("environment"))
    project = request.pop("project")
    os.chdir(project)
    sys.path.insert(0, project)
    params = request.pop("params", {})
    task = request.pop("task")
    module = importlib.import_module("pipeline")
    if request.pop("plan", False):
        from superluigi import plan_task

        plan = plan_task(getattr(module, task)(**params), **request)
        return {decision.family: decision.action for decision in plan}
    return built(module, task, params, **request)


def _answered(request: dict[str, Any]) -> str:
    """The answer of a child, as JSON."""
    reading, writing = os.pipe()
    child = os.fork()
    if child:
        os.close(writing)
        with os.fdopen(reading) as pipe:
            text = pipe.read()
        os.waitpid(child, 0)
        return text
    try:
        answer = _in_child(request)
    except BaseException:
        answer = {"error": traceback.format_exc()}
    with os.fdopen(writing, "w") as pipe:
        json.dump(answer, pipe)
    os._exit(0)


def _serve() -> None:
    # Half a second that no child pays again; none of it is of a project.
    import boto3

    import superluigi.targets
    import superluigi.tasks  # noqa: F401
    from superluigi.environment import packages_of
    from superluigi.task_runner import session

    packages_of(session.__name__)
    boto3.Session().client("s3", region_name="us-east-1")
    warnings.simplefilter("error")
    with os.fdopen(os.dup(1), "w") as answers:
        os.dup2(2, 1)  # what tasks print is no answer
        for line in sys.stdin:
            answers.write(_answered(json.loads(line)) + "\n")
            answers.flush()


if __name__ == "__main__":
    _serve()
