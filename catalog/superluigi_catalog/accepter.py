"""Saying of stale results that they are right as they are, and taking it back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from superluigi_catalog import recording
from superluigi_catalog.acceptance import Acceptance, acceptance_document, code_of, person
from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import AcceptanceRefused, PlaceUnknown
from superluigi_catalog.ids import new_uuid7
from superluigi_catalog.places import places_of
from superluigi_catalog.records import InputEntry, JsonObject, OutputEntry, RunEntry

__all__ = ["Accepter"]


class Accepter(Connected):
    """Records acceptances; every call is one transaction."""

    def accept(
        self,
        ref: Any,
        *,
        reason: str,
        inputs: Sequence[InputEntry] = (),
        code: JsonObject | None = None,
        environment: JsonObject | None = None,
    ) -> Acceptance:
        """Say that what stands is right as it is, though its inputs or its code changed since it was made.

        Nothing runs and no target is touched. It is on record as a run with the status `accepted`, in the
        sidecars too, and `withdraw` takes it back.

        Args:
            ref: The task: a hash or its beginning, a target's path or URI, a live task.
            reason: Why it is right; people will read it.
            inputs: What it counts for; what was last seen at its inputs unless given.
            code: fingerprint and parts of the code that it counts for; of the code as it is in this
                process unless given, and where that is not known, of the code that made it.
            environment: What it counts as made with; as its run was unless given.

        Raises:
            TaskNotFound, AmbiguousHash: for the ref.
            AcceptanceRefused: no result is recorded, or a target is not there; or no reason is given.
        """
        if not reason.strip():
            message = "An acceptance needs a reason: say why the result is right as it is."
            raise AcceptanceRefused(message, path=str(self.path))
        with self._writing() as session:
            run = recording.standing_run(session, self._refs(session).task(ref))
            module = session.rows(
                "SELECT coalesce(m.name, '') FROM tasks t LEFT JOIN modules m ON m.id = t.module_id "
                "WHERE t.hash = ?",
                (run.task_hash,),
            )[0][0]
            entry = RunEntry(
                run_id=new_uuid7(),
                task_hash=run.task_hash,
                status="accepted",
                started_at="",
                ended_at="",
                duration_s=0.0,
                inputs=tuple(inputs),
                code=code or code_of(module, run.family),
                environment=environment or {},
            )
            acceptance, entry = recording.accept(session, run, entry, by=person(), reason=reason)
        unwritten = [
            output.uri
            for output in entry.outputs
            if not self._is_written(
                output,
                acceptance_document(acceptance, output.fingerprint, entry.inputs, entry.code),
            )
        ]
        return replace(acceptance, unwritten=tuple(unwritten))

    def withdraw(self, ref: Any) -> Acceptance:
        """Take an acceptance back: the run before it counts again.

        Returns:
            What was taken back.

        Raises:
            TaskNotFound, AmbiguousHash: for the ref.
            AcceptanceRefused: what stands was not accepted.
        """
        with self._writing() as session:
            run = recording.standing_run(session, self._refs(session).task(ref))
            acceptance = recording.withdraw(session, run)
        unwritten = [output.uri for output in run.outputs if not self._is_written(output, None)]
        return replace(acceptance, unwritten=tuple(unwritten))

    def _is_written(self, output: OutputEntry, document: JsonObject | None) -> bool:
        """Whether the sidecar of a target says so now."""
        try:
            places = places_of(output.uri, self.project)
        except PlaceUnknown:
            return False
        return not places.write_acceptance(output.uri, output.kind, document)
