"""`why` and `accept` with the code as it is now: recorded tasks made again, and planned."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import luigi

from superluigi.planning.compare import yielded_inputs
from superluigi.planning.decide import Verdict
from superluigi.planning.explain import explain
from superluigi.planning.planner import Planner, Planning
from superluigi.task_runner.session import DecisionArguments, open_session
from superluigi_catalog.acceptance import Acceptance
from superluigi_catalog.errors import AcceptanceRefused
from superluigi_catalog.explanation import Why

__all__ = ["ALL_CHANGES", "LivePlan", "live_plan"]

ALL_CHANGES = frozenset({"missing", "inputs", "code", "output"})
"""What makes a result questionable, whether or not it is a reason to run in this project."""


@dataclass(frozen=True)
class LivePlan:
    """A plan of some tasks, and what can be said and done on its ground."""

    planner: Planner
    planning: Planning

    def why(self, task_hash: str) -> Why:
        """Why one of its tasks would run again, or would not."""
        return explain(self.planner, self.planning, task_hash)

    def questionable(self, task_hashes: Iterable[str]) -> list[Verdict]:
        """Those of the tasks that would run, or may, upstream first."""
        wanted = set(task_hashes)
        return [
            verdict
            for task_hash, verdict in self.planning.verdicts.items()
            if task_hash in wanted and verdict.action in ("run", "maybe", "blocked")
        ]

    def accept(self, verdict: Verdict, *, reason: str) -> Acceptance:
        """Accept a standing result for the inputs and the code as they are now.

        Raises:
            AcceptanceRefused: it is not there.
        """
        task = verdict.task
        self._check_stands(verdict)
        code = self.planner.code.get(task.family)
        inputs = tuple(
            output.state.as_input(place, output.uri, output.kind, upstream.task_hash)
            for place, upstream, output in task.inputs()
        )
        return self.planner.catalog.accept(
            task.task_hash,
            reason=reason,
            inputs=(*inputs, *yielded_inputs(task)),
            code=code.to_dict(include_source=True) if code is not None else None,
            environment=self.planner.environment_of(task),
        )

    def _check_stands(self, verdict: Verdict) -> None:
        """What is accepted is what stands at the task's targets as they are now, and nothing else."""
        catalog, task = self.planner.catalog, verdict.task
        current = catalog.task(task.task_hash).current_run_id
        for output in task.outputs:
            run = output.state.run
            if not output.state.exists or run is None or run.run_id != current:
                what = "is not of its newest result" if output.state.exists else "is not there"
                message = f"{output.uri!r} of {task.family} {task.task_hash[:8]} {what}. Run the task instead."
                raise AcceptanceRefused(message, path=str(catalog.path))


@contextmanager
def live_plan(
    tasks: list[luigi.Task], *, catalog: Any = None, rerun_on: Any = None
) -> Iterator[LivePlan]:
    """Plan tasks; nothing runs.

    Raises:
        HashError, PlanError, SettingsError, TargetError, CatalogError: see there.
        Exception: whatever a task's `requires()`, `output()` or `complete()` raises.
    """
    arguments = DecisionArguments(tasks, rerun_on=rerun_on, catalog=catalog)
    with open_session(arguments) as session:
        session.planner.stops_early = False
        planning = session.planner.plan(session.roots, session.force)
        yield LivePlan(session.planner, planning)
