"""Outputs that appear complete, or not at all."""

from __future__ import annotations

import contextlib
import os
import time
from typing import Any

import luigi

from superluigi.errors import OutputNotWritten, SuperLuigiError, TargetError
from superluigi.execution.order import RunOrder
from superluigi.execution.outputs import Document, RunOutputs
from superluigi.sidecar import running_document
from superluigi.structure import map_targets
from superluigi.targets.base import PendingOutput, TargetWithMetadata
from superluigi.targets.local import LocalTargetWithMetadata
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import OutputEntry

__all__ = ["PublishedOutputs"]


class PublishedOutputs(RunOutputs):
    """Outputs that the task writes to temporary paths: they appear complete, or not at all."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        super().__init__(task, order)
        self._pending: dict[str, PendingOutput] = {}
        self._before: dict[str, str | None] = {}
        """What stood at local places when the run began."""

    def begin(self) -> None:
        """Make the temporary paths."""
        for place, target in self._targets.items():
            if isinstance(target, LocalTargetWithMetadata):
                self._before[place] = target.observe().token
            self._pending[place] = pending = target.begin_output(self._order.run_id)
            pending.durable = self._order.durability == "fsync"
            pending.replaces = self._order.standing.get(place)

    def _check_builder(self) -> None:
        """Publish nothing for a build that is gone: the next one may be at the same target already."""
        builder = self._order.builder_pid
        if builder is not None and os.getppid() != builder:
            message = (
                f"The build that started this run (process {builder}) is gone: nothing is published. "
                "The next build runs the task again."
            )
            raise SuperLuigiError(message, task_hash=self._order.task_hash)

    def path_structure(self) -> Any:
        """Temporary paths; a target that has no bytes of its own is handed over itself."""

        def leaf(place: str, plain: Any) -> Any:
            return self._pending[place].path if place in self._pending else plain

        return map_targets(self._structure, leaf)

    def publish(self, document: Document) -> tuple[OutputEntry, ...]:
        """Seal all, prepare all, then commit all."""
        self._read_at_ns = time.time_ns()
        try:
            contents = {place: pending.seal() for place, pending in self._pending.items()}
            self._check_opaque()
            self._check_builder()
            rows = self._rows(contents)
            for place, pending in self._pending.items():
                pending.prepare(document(rows[place]))
            entries = tuple(
                self._entry(place, contents[place], pending.commit())
                for place, pending in self._pending.items()
            )
        except SuperLuigiError as error:
            self.keep(error)
            raise
        except Exception as error:
            failure = TargetError(f"Publishing failed with {type(error).__name__}: {error}.")
            self.keep(failure)
            raise failure from error
        for pending in self._pending.values():
            pending.discard()
        return entries + self._opaque_entries()

    def keep(self, error: SuperLuigiError) -> None:
        """Move what was written out of the way; what was not written at all is only cleaned up."""
        kept = [
            self._kept_path(place)
            for place, pending in list(self._pending.items())
            if not pending.is_published and self._was_written(place)
        ]
        strayed = self._written_past_output_path()
        self.abort()
        if strayed and isinstance(error, OutputNotWritten):
            paths = ", ".join(repr(target.path) for target in strayed)
            error.args = (
                f"{error} It wrote {paths} itself: write to output_path, which becomes the target when "
                "run() has ended. What it wrote is not taken for a result.",
            )
        if kept:
            error.args = (f"{error} What run() wrote is kept in {', '.join(map(repr, kept))}.",)

    def abort(self) -> None:
        """Remove the temporary paths; what `run()` wrote past them is marked, so that nobody takes it over."""
        strayed = self._written_past_output_path()
        for pending in self._pending.values():
            with contextlib.suppress(OSError, TargetError):
                pending.discard()
        for target in strayed:
            family = self._task.get_task_family()
            with contextlib.suppress(OSError):
                target.write_next(running_document(self._order, family, this_owner(), "failed"))

    def _written_past_output_path(self) -> list[TargetWithMetadata]:
        """Targets that changed under a run that should have written to temporary paths."""
        return [
            self._targets[place]
            for place, token in self._before.items()
            if place in self._pending
            and not self._pending[place].is_published
            and _token_of(self._targets[place]) not in (None, token)
        ]

    def _kept_path(self, place: str) -> str:
        pending = self._pending[place]
        try:
            return pending.keep()
        except OSError:
            del self._pending[place]  # left where it is, rather than lost
            return pending.path

    def _was_written(self, place: str) -> bool:
        try:
            self._pending[place].seal()
        except Exception:
            return False
        return True


def _token_of(target: TargetWithMetadata) -> str | None:
    with contextlib.suppress(OSError, TargetError):
        return target.observe().token
    return None
