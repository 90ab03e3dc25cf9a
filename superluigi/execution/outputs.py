"""What a run makes: the targets of its `output()`, their rows and their records."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import luigi

from superluigi.errors import OutputNotWritten, SuperLuigiError
from superluigi.execution.order import RunOrder
from superluigi.project import current_project
from superluigi.sidecar import output_row
from superluigi.structure import placed_targets, settled
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.state import Content, Observation
from superluigi_catalog.records import OutputEntry

__all__ = ["Document", "RunOutputs", "opaque_uri"]

Document = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the sidecar of one output from its `output` row."""


class RunOutputs(ABC):
    """The outputs of one run."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        self._task = task
        self._order = order
        self._read_at_ns = 0
        self._structure = settled(task.output())
        self.placed: list[tuple[str, luigi.Target]] = placed_targets(self._structure)
        self._targets: dict[str, TargetWithMetadata] = {
            place: target for place, plain in self.placed if (target := adapt(plain)) is not None
        }

    @abstractmethod
    def begin(self) -> None:
        """Get ready for `run()`."""

    @abstractmethod
    def path_structure(self) -> Any:
        """`output_path`, in the shape of `output()`."""

    @abstractmethod
    def publish(self, document: Document) -> tuple[OutputEntry, ...]:
        """Make what `run()` wrote the targets, each with its sidecar.

        Raises:
            OutputNotWritten: something is missing; nothing was published.
            TargetError, MetadataError: it could not be published; it says where the result is kept.
        """

    @abstractmethod
    def keep(self, error: SuperLuigiError) -> None:
        """Keep what `run()` wrote although it cannot be published, and let the error say where."""

    @abstractmethod
    def abort(self) -> None:
        """`run()` failed or was suspended: nothing of it stays, what was there before does."""

    def _rows(self, contents: dict[str, Content]) -> dict[str, dict[str, Any]]:
        """The `output` rows by place, each naming its siblings."""
        rows = {
            place: output_row(
                self._targets[place].kind,
                place,
                current_project().stored_path(self._targets[place].uri),
                content,
            )
            for place, content in contents.items()
        }
        for place, row in rows.items():
            row["siblings"] = [
                {
                    "place": other,
                    "path": rows[other]["path"],
                    "fingerprint": rows[other]["fingerprint"],
                }
                for other in rows
                if other != place
            ]
        return rows

    def _opaque_entries(self) -> tuple[OutputEntry, ...]:
        """Targets without bytes of their own: their version is the run that made them."""
        version = f"run:{self._order.run_id}"
        return tuple(
            OutputEntry(
                place=place,
                uri=opaque_uri(plain, self._order.task_hash, place),
                kind=type(plain).__name__,
                fingerprint=version,
                token=version,
            )
            for place, plain in self.placed
            if place not in self._targets
        )

    def _check_opaque(self) -> None:
        """Markers and the like must exist after the run too."""
        for place, plain in self.placed:
            if place not in self._targets and not plain.exists():
                raise self._not_written(place, plain)

    def _not_written(self, place: str, target: Any) -> OutputNotWritten:
        which = f"the output {place!r}, " if place else ""
        message = (
            f"run() ended without writing {which}{target}. "
            "Write to self.output(), or take output_path (AtomicTaskWithMetadata)."
        )
        return OutputNotWritten(message, target=target, family=self._task.get_task_family())

    def _entry(self, place: str, content: Content, seen: Observation) -> OutputEntry:
        target = self._targets[place]
        return OutputEntry(
            place=place,
            uri=current_project().stored_path(target.uri),
            kind=target.kind,
            fingerprint=content.fingerprint,
            size_bytes=content.size_bytes,
            mtime_ns=seen.mtime_ns,
            file_count=content.file_count,
            etag=seen.etag,
            version_id=seen.version_id,
            token=seen.token,
            observed_ns=self._read_at_ns,
        )


def opaque_uri(target: luigi.Target, task_hash: str, place: str) -> str:
    """How a target that has no path of its own is recorded: `PostgresTarget:<task hash>:<place>`."""
    return f"{type(target).__name__}:{task_hash}:{place}"
