"""What a run publishes: written beside and swapped in, or written in place over a stash."""

from __future__ import annotations

import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import luigi

from superluigi.errors import OutputNotWritten, SidecarError, SuperLuigiError, TargetError
from superluigi.execution.order import RunOrder
from superluigi.hashing import is_superluigi_task
from superluigi.project import current_project
from superluigi.sidecar import decode_sidecar, output_row, running_document
from superluigi.structure import map_targets, placed_targets
from superluigi.targets.base import PendingOutput, Stash, TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.state import Content, Observation
from superluigi_catalog.owner import is_alive, this_owner
from superluigi_catalog.records import OutputEntry

__all__ = ["InPlaceOutputs", "PublishedOutputs", "RunOutputs"]

Document = Callable[[dict[str, Any]], dict[str, Any]]
"""Makes the sidecar of one output from its `output` row."""


class RunOutputs(ABC):
    """The outputs of one run."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        self._task = task
        self._order = order
        self._read_at_ns = 0
        self._structure = task.output()
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


class PublishedOutputs(RunOutputs):
    """Outputs that the task writes to temporary paths: they appear complete, or not at all."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        super().__init__(task, order)
        self._pending: dict[str, PendingOutput] = {}

    def begin(self) -> None:
        """Make the temporary paths."""
        for place, target in self._targets.items():
            self._pending[place] = pending = target.begin_output(self._order.run_id)
            pending.durable = self._order.durability == "fsync"

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
        self.abort()
        if kept:
            error.args = (f"{error} What run() wrote is kept in {', '.join(map(repr, kept))}.",)

    def abort(self) -> None:
        """Remove the temporary paths."""
        for pending in self._pending.values():
            with contextlib.suppress(OSError, TargetError):
                pending.discard()

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


class InPlaceOutputs(RunOutputs):
    """Outputs that the task writes to the targets themselves: the old ones wait in a stash."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        super().__init__(task, order)
        self._stashes: dict[str, Stash | None] = {}
        self._leftovers: set[str] = set()
        """Places where something stands that a dead or failed run left."""
        self._old_sidecars: dict[str, dict[str, Any]] = {}
        """Those that were replaced."""

    def begin(self) -> None:
        """Announce the run beside each target, then put the old version aside."""
        for place, target in self._targets.items():
            if not _is_trusted(target):
                self._leftovers.add(place)
            stash = target.stash(self._order.run_id)
            note = self._note("running")
            if stash is not None:
                note["stash"] = stash.location
            self._stashes[place] = stash
            target.write_next(note)
            if stash is not None:
                stash.take()

    def path_structure(self) -> Any:
        """Not offered to tasks that write in place."""
        raise NotImplementedError

    def publish(self, document: Document) -> tuple[OutputEntry, ...]:
        """Fingerprint what was written, write the sidecars, let the old versions go."""
        self._look_again_at_plain_targets()
        seen = {place: self._written(place, target) for place, target in self._targets.items()}
        self._check_opaque()
        self._read_at_ns = time.time_ns()
        contents = {
            place: target.read_content(seen[place]) for place, target in self._targets.items()
        }
        rows = self._rows(contents)
        for place, target in self._targets.items():
            row = rows[place]
            row["mtime_ns"], row["etag"] = seen[place].mtime_ns, seen[place].etag
            row["version_id"] = seen[place].version_id
            if self._gets_sidecar(place):
                self._replace_sidecar(place, target, document(row))
            if self._order.durability == "fsync":
                target.sync()
        for place, target in self._targets.items():
            stash = self._stashes[place]
            if stash is not None:
                stash.drop()
            target.remove_next()  # last: a stash that nobody announces would stay for ever
        return (
            tuple(
                self._entry(place, contents[place], target.observe())
                for place, target in self._targets.items()
            )
            + self._opaque_entries()
        )

    def abort(self) -> None:
        """Put the old versions back; where there was none, mark what was left as not to be trusted."""
        with contextlib.ExitStack() as every_one:  # also when one of them fails
            for place in self._stashes:
                every_one.callback(self._undo, place, self._targets[place])

    def keep(self, error: SuperLuigiError) -> None:
        """Nothing: it stands in place already, until `abort()` puts an older version there."""

    def _undo(self, place: str, target: TargetWithMetadata) -> None:
        stash = self._stashes[place]
        if stash is not None:
            stash.restore()
            if place in self._old_sidecars:
                target.write_sidecar(self._old_sidecars[place])
        if (stash is None or place in self._leftovers) and _stands(target):
            target.write_next(self._note("failed"))
        else:
            target.remove_next()

    def _look_again_at_plain_targets(self) -> None:
        """Luigi's own may have been a file, and be a folder now."""
        for place, plain in self.placed:
            if place in self._targets:
                self._targets[place] = adapt(plain) or self._targets[place]

    def _gets_sidecar(self, place: str) -> bool:
        plain = next(target for where, target in self.placed if where == place)
        is_ours = isinstance(plain, TargetWithMetadata) or is_superluigi_task(self._task)
        return is_ours or self._order.record_plain_targets

    def _replace_sidecar(
        self, place: str, target: TargetWithMetadata, document: dict[str, Any]
    ) -> None:
        if self._stashes[place] is not None:
            old = _quiet_metadata(target)
            if old is not None:
                self._old_sidecars[place] = old
        target.write_sidecar(document)

    def _note(self, state: str) -> dict[str, Any]:
        family = self._task.get_task_family()
        return running_document(self._order, family, this_owner(), state)

    def _written(self, place: str, target: TargetWithMetadata) -> Observation:
        seen = target.observe()
        if not seen.exists:
            raise self._not_written(place, target)
        return seen


def _is_trusted(target: TargetWithMetadata) -> bool:
    """Whether what stands there is a result, and not what a dead or failed run left.

    What a dead run had put aside is put back.
    """
    data = target.read_next()
    if data is None:
        return True
    announced: dict[str, Any] = {}
    with contextlib.suppress(SidecarError):
        announced = decode_sidecar(data, path=f"{target.metadata_path}.next")
    state = announced.get("state")
    if state not in ("running", "failed"):
        return True
    if state == "running" and is_alive(str(announced.get("owner") or "")):
        return True
    standing = _quiet_metadata(target) or {}
    if standing.get("run_id") == announced["run_id"]:
        return True  # it had ended
    stash = str(announced.get("stash") or "")
    return bool(stash) and target.put_back(stash)


def _quiet_metadata(target: TargetWithMetadata) -> dict[str, Any] | None:
    with contextlib.suppress(SidecarError):
        return target.metadata()
    return None


def _stands(target: TargetWithMetadata) -> bool:
    try:
        return target.observe().exists
    except TargetError:
        return True
