"""Outputs that the task writes to the targets themselves, over a stash."""

from __future__ import annotations

import contextlib
import time
from typing import Any

import luigi

from superluigi.errors import SidecarError, SuperLuigiError, TargetError
from superluigi.execution.order import RunOrder
from superluigi.execution.outputs import Document, RunOutputs
from superluigi.hashing import is_superluigi_task
from superluigi.sidecar import decode_sidecar, running_document
from superluigi.targets.base import Stash, TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.state import Observation
from superluigi_catalog.owner import is_alive, this_owner
from superluigi_catalog.records import OutputEntry

__all__ = ["InPlaceOutputs"]


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
