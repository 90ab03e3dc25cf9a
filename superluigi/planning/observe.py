"""Looking at every target of a graph in bulk, and settling what its content is.

One look per target (a `stat`, a row of a LIST page), a handful of SQL statements for all records; bytes
are read only where the look differs from the record, or is too fresh to be trusted.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Protocol

import luigi

from superluigi.errors import SidecarError, StoreUnavailable, TargetError
from superluigi.execution.inputs import describes
from superluigi.planning.nodes import PlannedOutput, PlannedTask
from superluigi.planning.reboot import suspects_of
from superluigi.planning.recovery import recovered
from superluigi.planning.states import TargetState, same_content, stat_fingerprint
from superluigi.project import Project
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline
from superluigi.s3.parallel import in_threads
from superluigi.settings import Settings
from superluigi.sidecar import decode_sidecar
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.foreign import adapt
from superluigi.targets.state import Observation
from superluigi_catalog.beside import last_name
from superluigi_catalog.records import InputEntry, Observed, TargetRecord

__all__ = ["Records", "observe_outputs", "observe_yielded"]

_THREADS = 16
_TICK_NS = 20_000_000
"""A file written so shortly before it was read may have changed again without a new time."""
_COARSE_TICK_NS = 2_000_000_000
"""The same for filesystems that keep whole seconds."""


class Records(Protocol):
    """What observing needs of the catalog."""

    def target_records(self, uris: list[str]) -> dict[str, TargetRecord]:
        """All that is recorded of these places."""

    def last_start_before(self, when: str) -> str | None:
        """When the last run before a moment began."""

    def observe(self, rows: Iterable[Observed]) -> None:
        """Keep what was seen."""

    def index_sidecar(
        self,
        document: Mapping[str, Any],
        *,
        uri: str,
        kind: str,
        token: str | None = None,
        observed_ns: int = 0,
        fingerprint: str | None = None,
    ) -> None:
        """Take over what a sidecar says."""


def observe_outputs(
    tasks: list[PlannedTask], catalog: Records, settings: Settings, verify: str
) -> None:
    """Fill in the state of every output of a graph.

    Raises:
        TargetError: a store refused, or a folder stands where a file was meant: it is not known what
            stands there, so nothing is decided.
    """
    rows = [(task, output) for task in tasks for output in task.outputs]
    records = catalog.target_records([output.uri for _, output in rows])
    for _, output in rows:
        output.state.record = records.get(output.uri)
    _look(rows, settings, verify)
    settled = _Settling(catalog, settings, verify)
    costly = []
    for task, output in rows:
        if output.target is None:
            _settle_opaque(task, output)
        elif settled.costs_requests(output, output.target):
            costly.append((task, output, output.target))
        else:
            settled.settle(task, output, output.target)
    in_threads(lambda row: settled.settle(*row), costly, threads=_THREADS)
    settled.index_found_sidecars()
    settled.keep()


def observe_yielded(
    tasks: list[PlannedTask],
    planned: Iterable[PlannedTask],
    catalog: Records,
    project: Project,
) -> None:
    """Look at what recorded runs yielded while running.

    What the plan holds is known from there. Of the rest, local files and folders are looked at; what
    lies elsewhere is known only when it runs again.
    """
    known = {output.uri: output.state for task in planned for output in task.outputs}
    wanted: dict[str, TargetWithMetadata] = {}
    for entry in _yielded_inputs(tasks):
        location = project.absolute_path(entry.uri)
        if entry.uri not in known and location.startswith("/"):
            target = adapt(luigi.LocalTarget(location))
            if target is not None:
                wanted[entry.uri] = target
    records = catalog.target_records(list(wanted)) if wanted else {}
    for uri, target in wanted.items():
        seen = target.observe()
        record = records.get(uri)
        state = known[uri] = TargetState(observation=seen, exists=seen.exists, record=record)
        if seen.exists:
            trusted = record is not None and record.token == seen.token
            state.fingerprint = (
                record.fingerprint
                if record is not None and trusted and not _is_racy(seen, record.observed_ns)
                else target.read_content(seen).fingerprint
            )
    for task in tasks:
        for entry in _yielded_inputs([task]):
            if entry.uri in known:
                task.yielded[entry.place] = known[entry.uri]


def _yielded_inputs(tasks: list[PlannedTask]) -> Iterator[InputEntry]:
    for task in tasks:
        run = task.outputs[0].state.run if task.outputs else None
        for entry in run.inputs if run is not None else ():
            if entry.place.startswith("yielded."):
                yield entry


def _look(rows: list[tuple[PlannedTask, PlannedOutput]], settings: Settings, verify: str) -> None:
    """One look at each target, all of one class together."""
    by_class: dict[type[TargetWithMetadata], list[PlannedOutput]] = defaultdict(list)
    trusted_after_ns = time.time_ns() - int(settings.verify_ttl_s * 1e9)
    for task, output in rows:
        if output.target is None:
            continue
        record = output.state.record
        if "://" in output.target.uri and is_offline():
            output.state.observation = _as_recorded(record, output.target)
            continue
        if verify == "catalog" and not task.is_root and record is not None:
            seen = _from_record(record, trusted_after_ns)
            if seen is not None:
                output.state.observation = seen
                continue
        by_class[type(output.target)].append(output)
    for cls, outputs in by_class.items():
        for output, seen in zip(
            outputs, cls.observe_many([output.target for output in outputs]), strict=True
        ):
            if seen.error is not None:
                output.target.observe()  # type: ignore[union-attr] # raises it as it is
                raise TargetError(seen.error, target=output.target)
            output.state.observation = seen


def _as_recorded(record: TargetRecord | None, target: TargetWithMetadata) -> Observation:
    """The last look, however old: there is no other while offline."""
    seen = None if record is None else _from_record(record, 0)
    if seen is not None:
        return seen
    if record is not None and record.state == "missing":
        return Observation(exists=False, observed_ns=record.observed_ns)
    message = (
        f"Nothing is recorded of {target}, and nobody looks while offline. "
        f"Go online (offline in the settings, {OFFLINE_VARIABLE}), and plan once."
    )
    raise StoreUnavailable(message, target=target)


def _from_record(record: TargetRecord, trusted_after_ns: int) -> Observation | None:
    """A recent enough look of another build, for verify="catalog"."""
    if record.observed_ns < trusted_after_ns or record.state != "present":
        return None
    return Observation(
        exists=True,
        token=record.token,
        size_bytes=record.size_bytes,
        etag=record.etag,
        version_id=record.version_id,
        observed_ns=record.observed_ns,
    )


def _settle_opaque(task: PlannedTask, output: PlannedOutput) -> None:
    """A target without bytes of its own: its version is the run that last made it."""
    state = output.state
    state.exists = bool(output.plain.exists()) if task.own_complete is None else task.own_complete
    if state.exists and state.run is not None:
        state.fingerprint = state.run.output_fingerprint


class _Settling:
    """What the targets hold, and what is new about it."""

    def __init__(self, catalog: Records, settings: Settings, verify: str) -> None:
        self._catalog = catalog
        self._settings = settings
        self._verify = verify
        self._suspects = suspects_of(catalog) if settings.durability == "detect" else None
        self._news: list[Observed] = []
        self._found: list[tuple[PlannedOutput, dict[str, Any], Observation]] = []

    def settle(self, task: PlannedTask, output: PlannedOutput, target: TargetWithMetadata) -> None:
        state = output.state
        seen = state.observation or Observation(exists=False)
        if not task.is_external and self._may_be_unfinished(state, target, seen):
            seen = recovered(output, target, seen)
        if self._is_as_recorded(state, seen):
            state.fingerprint = state.record.fingerprint if state.record else None
        else:
            self._settle_unknown(task, output, target, seen)
        state.observation = seen
        state.exists = seen.exists
        state.was_edited = state.exists and state.run is not None and not state.is_as_run_left_it

    def costs_requests(self, output: PlannedOutput, target: TargetWithMetadata) -> bool:
        """Whether it is remote, and there is more to be asked than what the look has shown."""
        if "://" not in target.uri:
            return False
        seen = output.state.observation or Observation(exists=False)
        return bool(target.is_announced()) or not self._is_as_recorded(output.state, seen)

    def index_found_sidecars(self) -> None:
        """Take over the sidecars of targets that the catalog did not know, and read them back."""
        if not self._found:
            return
        for output, document, seen in self._found:
            self._catalog.index_sidecar(
                document,
                uri=output.uri,
                kind=output.kind,
                token=seen.token,
                observed_ns=seen.observed_ns,
                fingerprint=output.state.fingerprint,
            )
        records = self._catalog.target_records([output.uri for output, _, _ in self._found])
        for output, _, _ in self._found:
            state = output.state
            state.record = records.get(output.uri, state.record)
            is_known = state.exists and state.run is not None
            state.was_edited = is_known and not state.is_as_run_left_it

    def keep(self) -> None:
        """Record what was seen anew."""
        if self._news:
            self._catalog.observe(self._news)

    def _is_as_recorded(self, state: TargetState, seen: Observation) -> bool:
        record = state.record
        if record is None or not seen.exists or record.token != seen.token:
            return False
        if record.fingerprint is None or self._verify == "content":
            return False
        return not (_is_racy(seen, record.observed_ns) or self._is_suspect(seen, record))

    def _is_suspect(self, seen: Observation, record: TargetRecord) -> bool:
        """Whether it was published so shortly before a reboot that its bytes may not be on the disk."""
        local = seen.mtime_ns is not None
        return local and self._suspects is not None and self._suspects.include(record.observed_ns)

    def _may_be_unfinished(
        self, state: TargetState, target: TargetWithMetadata, seen: Observation
    ) -> bool:
        """Whether it is worth asking for what a dead run announced."""
        announced = target.is_announced()
        if announced is not None:
            return announced
        if self._is_as_recorded(state, seen):
            return False
        return seen.exists or target.announces_before_missing

    def _settle_unknown(
        self,
        task: PlannedTask,
        output: PlannedOutput,
        target: TargetWithMetadata,
        seen: Observation,
    ) -> None:
        state = output.state
        if not seen.exists:
            self._settle_missing(task, output, target, seen)
            return
        if self._reads_as_recorded(output, target, seen):
            return
        if self._was_lost(output.state, seen) and not task.is_external:
            output.state.interrupted = True
        document = None if task.is_external else self._newer_document(state, target)
        if (
            document is not None
            and describes(document, seen)
            and not self._must_read(document, seen)
        ):
            state.fingerprint = str(document["output"]["fingerprint"])
        else:
            state.fingerprint = self._read(state, target, seen)
        state.observation, state.exists = seen, True
        matches = document is not None and same_content(
            str(document["output"]["fingerprint"]), state
        )
        # One that is of other bytes says who made what stood here before somebody changed it.
        if document is not None and (matches or (seen.etag is None and state.run is None)):
            self._found.append((output, document, seen))
        elif seen.etag is not None and not task.is_external and not state.is_as_run_left_it:
            state.interrupted |= self._is_unfinished_upload(state, target, document)
        if not state.interrupted:  # recorded as seen, it would be taken for a result next time
            self._news.append(seen.as_record(output.uri, output.kind, state.fingerprint))

    def _settle_missing(
        self,
        task: PlannedTask,
        output: PlannedOutput,
        target: TargetWithMetadata,
        seen: Observation,
    ) -> None:
        """What is gone is known by its record; one that the catalog has lost may be in its sidecar."""
        record = output.state.record
        if record is not None and record.state != "missing":
            self._news.append(
                Observed(output.uri, output.kind, "missing", observed_ns=seen.observed_ns)
            )
        if (record is None or record.run is None) and not task.is_external and target.has_sidecar():
            document = self._newer_document(output.state, target)
            if document is not None:
                self._found.append((output, document, seen))

    def _reads_as_recorded(
        self, output: PlannedOutput, target: TargetWithMetadata, seen: Observation
    ) -> bool:
        """Whether something that looks as recorded also reads so; then its sidecar need not be asked."""
        state = output.state
        record = state.record
        if record is None or record.token != seen.token or record.fingerprint is None:
            return False
        fingerprint = self._read(state, target, seen)
        if fingerprint != record.fingerprint:
            return False
        state.fingerprint = fingerprint
        self._news.append(seen.as_record(output.uri, output.kind, fingerprint))
        return True

    def _was_lost(self, state: TargetState, seen: Observation) -> bool:
        """Whether bytes that differ from the record were last written before the machine went down."""
        record, suspects = state.record, self._suspects
        if record is None or record.run is None or suspects is None or seen.mtime_ns is None:
            return False
        return suspects.include(record.observed_ns) and seen.mtime_ns < suspects.booted_ns

    def _is_unfinished_upload(
        self, state: TargetState, target: TargetWithMetadata, document: dict[str, Any] | None
    ) -> bool:
        """An object that a run of ours wrote and died before the sidecar said so: costs one HEAD."""
        writer = target.observe().run_id
        finished = {state.run.run_id if state.run else None, (document or {}).get("run_id")}
        return writer is not None and writer not in finished

    def _must_read(self, document: dict[str, Any], seen: Observation) -> bool:
        """Whether size and time of a sidecar are not enough."""
        if self._verify == "content":
            return True
        small = (seen.size_bytes or 0) <= self._settings.adopt_read_max_bytes
        return seen.etag is None and small

    def _read(self, state: TargetState, target: TargetWithMetadata, seen: Observation) -> str:
        """The fingerprint of the bytes; of large files that nobody recorded only size and time."""
        large = (seen.size_bytes or 0) > self._settings.adopt_read_max_bytes
        known = state.record is not None and (state.record.fingerprint or "").startswith(
            ("sha256:", "tree-sha256:")
        )
        if large and not known and seen.mtime_ns is not None and self._verify != "content":
            return stat_fingerprint(seen)
        return target.read_content(seen).fingerprint

    def _newer_document(
        self, state: TargetState, target: TargetWithMetadata
    ) -> dict[str, Any] | None:
        """The sidecar, when it says something that the catalog does not know."""
        data = target.read_sidecar()
        if data is None:
            return None
        try:
            document = decode_sidecar(data, path=target.metadata_path)
        except SidecarError as error:
            state.sidecar_error = str(error)
            return None
        run = state.run
        if run is not None and run.run_id == document.get("run_id"):
            return None
        named = str((document.get("output") or {}).get("path") or "")
        if named != "." and last_name(named) != last_name(target.uri):
            state.sidecar_error = f"{target.metadata_path!r} is the sidecar of {named!r}"
            return None
        return document


def _is_racy(seen: Observation, observed_ns: int) -> bool:
    """Whether it may have changed in the instant in which it was read, as git asks of its index."""
    if seen.mtime_ns is None:
        return False
    coarse = seen.mtime_ns % 1_000_000_000 == 0
    return seen.mtime_ns > observed_ns - (_COARSE_TICK_NS if coarse else _TICK_NS)
