"""What a run consumes: handed out as paths, recorded by content, checked to have stayed the same."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from typing import Any

import luigi

from superluigi.errors import InputChanged, SidecarError, TargetError
from superluigi.execution.order import ExpectedInput, RunOrder
from superluigi.execution.outputs import opaque_uri
from superluigi.execution.yielded import yielded_tasks
from superluigi.files import new_temporary_directory, remove_tree
from superluigi.graph import iter_places, join_places, place_text, read_tasks, see_through
from superluigi.hashing import hash_of
from superluigi.project import current_project
from superluigi.s3.hand_out import linked_files, written_to
from superluigi.structure import input_structure, map_targets, placed_targets
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.local_file import LocalFileTarget, stat_token
from superluigi.targets.state import Observation
from superluigi_catalog.records import InputEntry

__all__ = ["UNKNOWN_RUN", "RunInputs"]

UNKNOWN_RUN = "run:unknown"
"""The version of what no recorded run made and nobody can read: without bytes of its own, or gone."""


class RunInputs:
    """The inputs of one run."""

    def __init__(self, task: luigi.Task, order: RunOrder) -> None:
        self._task = task
        self._force_download = order.force_local_download
        self._directory: str | None = None
        self._names: set[str] = set()
        self._handed: dict[TargetWithMetadata, tuple[str, Observation]] = {}
        """One copy each, at however many places it stands."""
        self._linked: dict[TargetWithMetadata, dict[str, os.stat_result]] = {}
        """The files of each that are links to local copies, which other tasks read too."""
        expected = discover_inputs(task) if order.inputs is None else order.inputs
        self._rows: dict[str, ExpectedInput] = {row.entry.place: row for row in expected}

    def entries(self) -> tuple[InputEntry, ...]:
        """What was consumed, in the order of `requires()`, then of what was yielded."""
        return tuple(row.entry for row in self._rows.values())

    def fingerprint_unread(self) -> None:
        """Read the inputs that nobody fingerprinted yet, before the task reads them."""
        for place, row in self._rows.items():
            if not row.entry.fingerprint:
                target = _local_target(row.location)
                if target is not None:
                    self._rows[place] = _as_observed(row, target, target.observe())

    def stage(self) -> Any:
        """`input_path`: local paths in the shape of `requires()`."""
        return map_targets(input_structure(self._task), self._hand_out)

    def add_yielded(self, place: str, requirement: Any) -> dict[str, str]:
        """Record what `run()` yielded; the tasks by place."""
        placed = [
            (join_places(place, place_text(inner)), task)
            for inner, task in iter_places(yielded_tasks(requirement), luigi.Task)
        ]
        for where, task in see_through(placed):
            for row in discover_outputs(task, where):
                self._rows[row.entry.place] = row
        return {where: hash_of(task) for where, task in placed}

    def check_unchanged(self) -> None:
        """Refuse a result whose inputs changed while it was made.

        Raises:
            InputChanged: naming the input.
        """
        for row in self._rows.values():
            if row.token is None or _is_as_before(row.location, row.token):
                continue
            target = _local_target(row.location)
            if target is None:
                continue
            now = target.observe()
            if now.token == row.token:
                continue
            if now.exists and target.read_content(now).fingerprint == row.entry.fingerprint:
                continue  # touched, not changed
            what = "changed" if now.exists else "disappeared"
            message = (
                f"The input {row.entry.uri} {what} while {self._task.get_task_family()} was running, so "
                "its result would be of no known input. Nothing was published; run again."
            )
            raise InputChanged(message, target=target)
        self._refuse_written_links()

    def close(self) -> None:
        """Remove the paths that were handed out."""
        if self._directory is not None:
            remove_tree(self._directory)
            self._directory = None

    def _refuse_written_links(self) -> None:
        """What root, or a task that changed the mode, can do to a read-only link."""
        for target, linked in self._linked.items():
            if written_to(linked):
                message = (
                    f"The local copy of {target.uri!r} was written to while {self._task.get_task_family()} "
                    "was running. Tasks that run at once share it, so nothing was published; it is "
                    "downloaded again when it is needed. Let run() copy an input before it changes it."
                )
                raise InputChanged(message, target=target)

    def _hand_out(self, place: str, leaf: Any) -> Any:
        target = adapt(leaf) if isinstance(leaf, luigi.Target) else None
        if target is None:
            return leaf  # a database marker and the like: the task gets the target itself
        if target not in self._handed:
            self._handed[target] = self._copied(target)
        path, seen = self._handed[target]
        row = self._rows.get(place) or _unread(place, target, None)
        if row.token == seen.token and seen.version_id is not None:
            # A listing, which the plan may have looked at, does not show versions.
            row = replace(row, entry=replace(row.entry, version_id=seen.version_id))
            self._rows[place] = row
        if row.token != seen.token or not row.entry.fingerprint:
            self._rows[place] = _as_observed(row, _handed_out(target, path), seen)
        return path

    def _copied(self, target: TargetWithMetadata) -> tuple[str, Observation]:
        directory = self._folder_for(target)
        path, seen = target.hand_out(directory, force_download=self._force_download)
        if "://" in target.uri:
            self._linked[target] = linked_files(path)
        return path, seen

    def _folder_for(self, target: TargetWithMetadata) -> str:
        """Where a copy goes: one folder for all files, and others for those whose names are taken."""
        if self._directory is None:
            self._directory = new_temporary_directory(str(current_project().ensure_home() / "tmp"))
            os.mkdir(f"{self._directory}/files")  # noqa: PTH102
        name = os.path.basename(target.uri).casefold()  # noqa: PTH119 - also where case does not count
        if isinstance(target, LocalFileTarget) and name not in self._names:
            self._names.add(name)
            return f"{self._directory}/files"
        own = f"{self._directory}/{len(self._handed)}"
        os.mkdir(own)  # noqa: PTH102
        return own


def discover_inputs(task: luigi.Task) -> tuple[ExpectedInput, ...]:
    """The inputs of a task that no plan describes."""
    return tuple(
        row for place, upstream in read_tasks(task) for row in discover_outputs(upstream, place)
    )


def discover_outputs(task: luigi.Task, place: str) -> list[ExpectedInput]:
    """What a task's outputs are now, as inputs of another; a sidecar that fits saves reading."""
    rows = []
    for inner, plain in placed_targets(task.output()):
        where = join_places(place, inner)
        target = adapt(plain)
        if target is None:
            uri = opaque_uri(plain, hash_of(task), inner)
            entry = InputEntry(
                where, uri, type(plain).__name__, UNKNOWN_RUN, task_hash=hash_of(task)
            )
            rows.append(ExpectedInput(entry, uri, None))
            continue
        row = _unread(where, target, hash_of(task))
        seen = target.observe()
        rows.append(_by_sidecar(row, target, seen) or _as_observed(row, target, seen))
    return rows


def _by_sidecar(
    row: ExpectedInput, target: TargetWithMetadata, seen: Observation
) -> ExpectedInput | None:
    document: dict[str, Any] | None = None
    with contextlib.suppress(SidecarError, TargetError):
        document = target.metadata()
    if not document or not seen.exists or not describes(document, seen):
        return None
    output = document["output"]
    entry = replace(
        row.entry,
        fingerprint=output["fingerprint"],
        size_bytes=seen.size_bytes,
        etag=seen.etag,
        version_id=seen.version_id,
        task_hash=document.get("task_hash"),
        run_id=document.get("run_id"),
    )
    return replace(row, entry=entry, token=seen.token)


def describes(document: dict[str, Any], seen: Observation) -> bool:
    """Whether a sidecar is of what was seen, by size and time or ETag; the bytes are not read."""
    output = document.get("output") or {}
    if seen.etag is not None:
        return bool(output.get("etag") == seen.etag and output.get("size_bytes") == seen.size_bytes)
    return bool(
        output.get("size_bytes") == seen.size_bytes
        and output.get("mtime_ns") == seen.mtime_ns
        and output.get("file_count", seen.file_count) == seen.file_count
    )


def _as_observed(
    row: ExpectedInput, target: TargetWithMetadata, seen: Observation
) -> ExpectedInput:
    """The row with the content that stands there now; who made it is then unknown.

    An input that is not there is none: a task whose `complete()` is its own may say so all the same.
    """
    if not seen.exists:
        return replace(row, entry=replace(row.entry, fingerprint=UNKNOWN_RUN))
    content = target.read_content(seen)
    same = content.fingerprint == row.entry.fingerprint
    entry = replace(
        row.entry,
        fingerprint=content.fingerprint,
        size_bytes=content.size_bytes,
        etag=seen.etag,
        version_id=seen.version_id,
        run_id=row.entry.run_id if same else None,
    )
    return replace(row, entry=entry, token=seen.token)


def _unread(place: str, target: TargetWithMetadata, task_hash: str | None) -> ExpectedInput:
    stored = current_project().stored_path(target.uri)
    entry = InputEntry(place, stored, target.kind, "", task_hash=task_hash)
    return ExpectedInput(entry, target.uri, None)


def _handed_out(target: TargetWithMetadata, path: str) -> TargetWithMetadata:
    """What to fingerprint of a target that was handed out: the copy, for the original may change."""
    return target if "://" in target.uri else adapt(luigi.LocalTarget(path)) or target


def _local_target(location: str) -> TargetWithMetadata | None:
    """The target of a local input; None for a remote one, whose bytes were fixed when it was fetched."""
    return adapt(luigi.LocalTarget(location)) if os.path.isabs(location) else None  # noqa: PTH117


def _is_as_before(location: str, token: str) -> bool:
    """Whether one look at a local file, which most inputs are, says enough."""
    if not token.startswith("stat:"):
        return False
    try:
        return stat_token(os.stat(location)) == token  # noqa: PTH116 - hot: once per input and run
    except (OSError, ValueError):
        return False
