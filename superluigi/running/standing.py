"""Results that a build finds standing: adopted, under a new identity, or without the sidecar they had."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from superluigi.accepting import accepted_of
from superluigi.errors import TargetError
from superluigi.execution.adoption import adopt_outputs, standing_entry, write_new_identity
from superluigi.execution.restoring import restored_document
from superluigi.hashing import insignificant_params
from superluigi.planning.compare import yielded_inputs
from superluigi.planning.decide import Verdict
from superluigi.planning.decision import Reason
from superluigi.planning.expected import with_yields
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi.running.entries import output_entry, take_over, task_entry
from superluigi.running.orders import Orders
from superluigi.targets.base import TargetWithMetadata
from superluigi_catalog import Catalog

__all__ = ["StandingResults"]


@dataclass(frozen=True)
class StandingResults:
    """Records what stands without having been run."""

    orders: Orders

    @property
    def _catalog(self) -> Catalog:
        return self.orders.planner.catalog

    def record_graph(self, verdicts: Iterable[Verdict]) -> list[str]:
        """Record the tasks of a graph, what of it is adopted, and what has a new identity.

        Returns:
            The hashes of what was recorded anew under a new identity.
        """
        rows = list(verdicts)
        self._catalog.record_tasks(task_entry(verdict.task) for verdict in rows)
        anew = []
        for verdict in rows:
            if verdict.is_adopted:
                self._adopt(verdict)
            elif verdict.has_new_identity and verdict.action == "skip":
                reason = next(n for n in verdict.notes if n.kind == "identity_changed")
                self.record(verdict, "unchanged", reason)
                anew.append(verdict.task.task_hash)
        return anew

    def record(self, verdict: Verdict, status: str, reason: Reason) -> None:
        """Record a result that stands and is right, without a run."""
        order = self.orders.make(verdict, reason)
        inputs = tuple(expected.entry for expected in order.inputs or ())
        inputs += tuple(yielded_inputs(verdict.task))
        outputs = [output_entry(output) for output in verdict.task.outputs]
        entry = standing_entry(order, status, inputs, outputs, time.time())
        # The code that made the bytes, and what it said of them, stays theirs.
        run = next((o.state.run for o in verdict.task.outputs if o.state.run is not None), None)
        self._catalog.finish_run(
            replace(
                entry,
                reasons=(reason.to_dict(),),
                environment={},
                made_by=run.run_id if run is not None else None,
                dynamic_upstream=self._yielded(verdict.task),
            )
        )
        if verdict.has_new_identity:
            for output in verdict.task.outputs:
                output.state.count_for(verdict.task.task_hash)
            targets = [o.target for o in verdict.task.outputs if o.target is not None]
            write_new_identity(verdict.task.task, order, inputs, targets)

    def _yielded(self, task: PlannedTask) -> tuple[tuple[str, str], ...]:
        """What the recorded run yielded: it is to be watched under the new record, too."""
        asking = with_yields([task])
        found = self._catalog.dynamic_upstream(list(asking)) if asking else {}
        return tuple((row.place, row.task_hash) for rows in found.values() for row in rows)

    def restore_sidecars(self, verdicts: Iterable[Verdict]) -> None:
        """Write sidecars that are gone again, where the target is what its run left."""
        for verdict in verdicts:
            for output in verdict.task.outputs:
                target, state = output.target, output.state
                if verdict.action == "run" or verdict.task.is_external or target is None:
                    continue
                if state.exists and state.is_as_run_left_it and target.has_sidecar() is False:
                    self._restore_sidecar(verdict.task, output, target)

    def _restore_sidecar(
        self, task: PlannedTask, output: PlannedOutput, target: TargetWithMetadata
    ) -> None:
        ours = isinstance(output.plain, TargetWithMetadata)
        settings = self.orders.planner.settings
        if output.state.run is None or not (ours or settings.plain_targets):
            return
        run = self._catalog.run(output.state.run.run_id)
        acceptance = None
        if run.status == "accepted":
            acceptance = accepted_of(run, output.state.run.output_fingerprint)
            run = self._catalog.run(str(run.reason["details"]["accepted_run_id"]))
        declared = {
            "module": task.task.task_module,
            "insignificant_params": insignificant_params(task.task),
            "upstream": {place: upstream.task_hash for place, upstream in task.upstream},
        }
        document = restored_document(run, output.place, declared)
        if acceptance is not None:
            document["acceptance"] = acceptance
        # A place where nothing can be written stays as it is.
        with contextlib.suppress(OSError, TargetError):
            target.restore_sidecar(document)

    def _adopt(self, verdict: Verdict) -> None:
        reason = next(note for note in verdict.notes if note.kind == "adopted")
        order = self.orders.make(verdict, reason, with_code=False)
        standing = [o for o in verdict.task.outputs if o.state.exists and o.state.fingerprint]
        entry = adopt_outputs(
            verdict.task.task,
            order,
            [
                (output_entry(output), output.target, output.state.observation)
                for output in standing
                if output.state.observation is not None
            ],
        )
        self._catalog.finish_run(replace(entry, reasons=(reason.to_dict(),)))
        take_over(verdict.task, entry)
