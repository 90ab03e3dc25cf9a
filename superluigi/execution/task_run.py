"""`TaskRun`: one execution of one task, from handing out its inputs to its record."""

from __future__ import annotations

import copy
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from types import TracebackType
from typing import Any

import luigi

from superluigi.errors import MetadataError, OutputNotWritten
from superluigi.execution.document import known_at_start, sidecar_document
from superluigi.execution.in_place_outputs import InPlaceOutputs
from superluigi.execution.inputs import RunInputs
from superluigi.execution.metadata import Metadata
from superluigi.execution.order import RunOrder, new_uuid7, utc_text
from superluigi.execution.outputs import RunOutputs
from superluigi.execution.published_outputs import PublishedOutputs
from superluigi.execution.tracebacks import (
    MAX_TRACEBACK_CHARS,
    end_in_users_code,
    user_traceback,
)
from superluigi.graph import declared_upstream, place_text
from superluigi.hashing import hash_of, private_texts
from superluigi_catalog.owner import this_owner
from superluigi_catalog.records import OutputEntry, RunEntry

__all__ = ["TaskRun"]

_MIN_SECRET_CHARS = 4


class TaskRun:
    """One execution of one task.

    Args:
        task: Ours or a plain Luigi task.
        order: What the build wants; None under Luigi's own `build`, where the run finds out itself.
        asked: The names of what its `run` asks for.
    """

    def __init__(self, task: luigi.Task, order: RunOrder | None, asked: tuple[str, ...]) -> None:
        self.task = task
        self.order = order or standalone_order(task)
        self.directory: str | None = None
        """The working directory that `run()` chose for itself."""
        self._asked = asked
        self._started = time.time()
        self._started_counter = time.perf_counter()
        self._inputs: RunInputs | None = None
        self._outputs: RunOutputs | None = None
        self._metadata: Metadata | None = None
        self._yielded: dict[str, str] = {}
        self._yield_count = 0
        self._arguments: dict[str, Any] = {}

    def begin(self) -> None:
        """Look at the inputs and make the outputs ready."""
        self._inputs = RunInputs(self.task, self.order)
        self._inputs.fingerprint_unread()
        publishes = "output_path" in self._asked
        self._outputs = (PublishedOutputs if publishes else InPlaceOutputs)(self.task, self.order)
        self._outputs.begin()

    def argument(self, name: str) -> Any:
        """What `run()` gets under one of the offered names."""
        if name not in self._arguments:
            self._arguments[name] = self._made_argument(name)
        return self._arguments[name]

    def add_yielded(self, requirement: Any) -> None:
        """Record a dynamic dependency that `run()` yielded and that is complete now."""
        self._yielded |= self._inputs_begun.add_yielded(f"yielded.{self._yield_count}", requirement)
        self._yield_count += 1

    def finish(self) -> None:
        """Check, publish, and leave the record with the order.

        Raises:
            InputChanged, OutputNotWritten, TargetError, MetadataError: see there; nothing is published,
                or it says where the result is kept.
        """
        inputs, outputs = self._inputs_begun, self._outputs
        if outputs is None:
            return
        try:
            added = self._metadata.added() if self._metadata is not None else {}
        except MetadataError as error:
            outputs.keep(error)
            raise
        inputs.check_unchanged()
        ended = self._started + (time.perf_counter() - self._started_counter)
        published = outputs.publish(lambda row: self._document(row, added, ended))
        self._outputs = None
        self._check_own_complete()
        inputs.close()
        self.order.outcome = self._entry("succeeded", ended, outputs=published, metadata=added)

    @contextmanager
    def failing(self) -> Iterator[None]:
        """While inside, an exception undoes the run and is recorded; it goes on unchanged."""
        ended_well = False
        try:
            yield
            ended_well = True
        finally:
            # No `except`: a debugger that stops on uncaught exceptions shall stop in the user's frame.
            if not ended_well:
                self._abort()

    def _abort(self) -> None:
        error_type, error, trace = sys.exc_info()
        if self._outputs is not None:
            self._outputs.abort()
        if self._inputs is not None:
            self._inputs.close()
        if error is None or error_type is GeneratorExit:
            return  # suspended: what it yielded runs first, then run() starts again
        if isinstance(error, MetadataError):
            end_in_users_code(error)
        status = "interrupted" if error_type is KeyboardInterrupt else "failed"
        self.order.outcome = self._failed_entry(status, error, trace)

    @property
    def _inputs_begun(self) -> RunInputs:
        if self._inputs is None:
            self._inputs = RunInputs(self.task, self.order)
        return self._inputs

    def _made_argument(self, name: str) -> Any:
        if name == "input_path":
            return self._inputs_begun.stage()
        if name == "output_path" and self._outputs is not None:
            return self._published_outputs(self._outputs).path_structure()
        if name == "metadata":
            self._metadata = Metadata(copy.deepcopy(self._known()))
            return self._metadata
        message = f"run() cannot be handed {name!r}"
        raise TypeError(message)

    def _published_outputs(self, outputs: RunOutputs) -> RunOutputs:
        """Outputs with paths; also where only a `super().run()` asks for one, in the middle of the run."""
        if isinstance(outputs, InPlaceOutputs):
            outputs.abort()
            self._outputs = outputs = PublishedOutputs(self.task, self.order)
            outputs.begin()
        return outputs

    def _known(self) -> dict[str, Any]:
        entries = self._inputs_begun.entries()
        return known_at_start(self.task, self.order, entries, self._started)

    def _document(self, row: dict[str, Any], added: dict[str, Any], ended: float) -> dict[str, Any]:
        return sidecar_document(
            self._known(),
            row,
            ended=ended,
            duration_s=ended - self._started,
            yielded=self._yielded,
            added=added,
        )

    def _entry(
        self,
        status: str,
        ended: float,
        *,
        outputs: tuple[OutputEntry, ...] = (),
        metadata: dict[str, Any] | None = None,
    ) -> RunEntry:
        order = self.order
        return RunEntry(
            run_id=order.run_id,
            task_hash=order.task_hash,
            status=status,
            started_at=utc_text(self._started),
            ended_at=utc_text(ended),
            duration_s=round(ended - self._started, 6),
            build_id=order.build_id,
            reason=order.reason,
            inputs=self._inputs.entries() if self._inputs is not None else (),
            outputs=outputs,
            dynamic_upstream=tuple(self._yielded.items()),
            metadata=metadata or {},
            owner=this_owner(),
        )

    def _failed_entry(
        self, status: str, error: BaseException, trace: TracebackType | None
    ) -> RunEntry:
        ended = self._started + (time.perf_counter() - self._started_counter)
        return replace(
            self._entry(status, ended),
            error_type=f"{type(error).__module__}.{type(error).__qualname__}".removeprefix(
                "builtins."
            ),
            error=_text_of(error)[:MAX_TRACEBACK_CHARS],
            traceback=user_traceback(error, trace),
        )

    def _hidden(self, text: str) -> str:
        """A text of an error without the values of PRIVATE parameters, where they are long enough to tell."""
        for secret in private_texts([self.task]):
            if len(secret) >= _MIN_SECRET_CHARS:
                text = text.replace(secret, "***")
        return text

    def _check_own_complete(self) -> None:
        """An overridden `complete()` has the last word, also after the run."""
        own = type(self.task).complete
        if own is luigi.Task.complete or self.task.complete():
            return
        family = self.task.get_task_family()
        message = (
            f"{family}.run() ended, but {family}.complete() still returns False. "
            "Let run() do what complete() checks."
        )
        raise OutputNotWritten(message, target=None, family=family)


def standalone_order(task: luigi.Task) -> RunOrder:
    """The order of a run that Luigi's own `build` started."""
    from superluigi.code import fingerprint_code
    from superluigi.environment import environment_of

    reason = {"kind": "missing", "text": "run by Luigi's own scheduling", "details": {}}
    return RunOrder(
        run_id=new_uuid7(),
        task_hash=hash_of(task),
        build_id=None,
        reason=reason,
        inputs=None,
        upstream={
            place_text(upstream.place): hash_of(upstream.task)
            for upstream in declared_upstream(task)
        },
        code=fingerprint_code(task).to_dict(),
        environment=environment_of(type(task)),
    )


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:
        return f"<{type(error).__name__} whose text cannot be made>"
