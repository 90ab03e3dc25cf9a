"""Rebuilding a catalog from sidecars alone.

In portions: sidecars are found, read, compared with their targets, and recorded, one transaction for each
portion together with the note that they were read. Whatever instant it dies at, the next one goes on there.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from superluigi_catalog.beside import ReadSidecar, is_as_written, target_beside
from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import InvalidSidecar
from superluigi_catalog.places import FoundSidecar, Places
from superluigi_catalog.recording import SidecarEntry, index_new_sidecars, index_sidecar, observe
from superluigi_catalog.recording.identify import target_id
from superluigi_catalog.records import Observed
from superluigi_catalog.sidecar import MAX_SIDECAR_BYTES, parse_sidecar
from superluigi_catalog.storage.bulk import garbage_kept
from superluigi_catalog.storage.session import Session
from superluigi_catalog.storage.values import storable
from superluigi_catalog.upkeep.reports import Progress, Rebuilt, Report, SidecarProblem
from superluigi_catalog.upkeep.scanned import known_sidecars, remember_sidecars

__all__ = ["rebuild"]

_PORTION = 2_000
"""About half a second of work: a build that waits for its turn to record hardly notices."""
_LOOKUP = 10_000


@dataclass
class _Tally:
    """What was found so far."""

    report: Report | None
    found: int = 0
    recorded: int = 0
    unchanged: int = 0
    missing: int = 0
    changed: int = 0
    problems: list[SidecarProblem] = field(default_factory=list)

    def add_problem(self, problem: SidecarProblem) -> None:
        self.problems.append(problem)

    def tell(self) -> None:
        if self.report is not None:
            self.report(Progress(done=self.found, problems=len(self.problems)))


def rebuild(
    store: Connected, roots: Iterable[tuple[Places, str]], *, content: bool, report: Report | None
) -> Rebuilt:
    """Record what the sidecars below some roots say."""
    started = time.monotonic()
    tally = _Tally(report)
    for places, root in roots:
        for found in _batches(places.sidecars(root), _LOOKUP):
            tally.found += sum(not each.problem for each in found)
            for unread in _batches(_unread(store, found, tally), _PORTION):
                with garbage_kept():
                    _take_over(store, places, unread, tally, content=content)
                tally.tell()
            tally.tell()
    return Rebuilt(
        found=tally.found,
        recorded=tally.recorded,
        unchanged=tally.unchanged,
        missing=tally.missing,
        changed=tally.changed,
        problems=tuple(sorted(tally.problems, key=lambda each: each.path)),
        duration_s=round(time.monotonic() - started, 3),
    )


def _unread(store: Connected, found: Sequence[FoundSidecar], tally: _Tally) -> list[FoundSidecar]:
    """Leave out what has not changed since it was read."""
    with store._reading() as session:
        known = known_sidecars(session, found)
    unread = []
    for each in found:
        token, problem, text = known.get(storable(each.uri), (None, None, ""))
        if each.problem:
            tally.add_problem(SidecarProblem(each.uri, "unreadable", each.problem))
        elif token != each.token:
            unread.append(each)
        else:
            tally.unchanged += 1
            if problem is not None:
                tally.add_problem(SidecarProblem(each.uri, problem, text))
    return unread


@dataclass(slots=True)
class _Read:
    """One sidecar on its way into the catalog."""

    found: FoundSidecar
    sidecar: ReadSidecar | None = None
    problem: SidecarProblem | None = None
    is_passing: bool = False
    """The problem may be gone the next time, although the sidecar stays as it is."""

    def refuse(self, problem: str, text: str) -> None:
        self.problem = SidecarProblem(self.found.uri, problem, text)


def _take_over(
    store: Connected, places: Places, found: Sequence[FoundSidecar], tally: _Tally, *, content: bool
) -> None:
    reads = _read(places, found)
    _look(places, [each for each in reads if each.sidecar is not None], content=content)
    try:
        with store._writing() as session:
            _record(session, reads)
    except (ValueError, TypeError, ArithmeticError):
        _record_one_by_one(store, reads)
    for each in reads:
        _count(each, tally)


def _read(places: Places, found: Sequence[FoundSidecar]) -> list[_Read]:
    reads, known = [_Read(each) for each in found], _Shared()
    wanted = [each for each in reads if each.found.size_bytes <= MAX_SIDECAR_BYTES]
    texts = places.read_sidecars([each.found.uri for each in wanted])
    for each, data in zip(wanted, texts, strict=True):
        if isinstance(data, Exception):
            each.refuse("unreadable", f"{data}")
            each.is_passing = True
        elif data is not None:
            _parse(each, data, known)
    for each in reads:
        if each.found.size_bytes > MAX_SIDECAR_BYTES:
            each.refuse("oversize", f"larger than {MAX_SIDECAR_BYTES:,} bytes")
    return [each for each in reads if each.sidecar is not None or each.problem is not None]


class _Shared:
    """Parts that many sidecars have in common, as one object: what is one object is stored once, unasked."""

    def __init__(self) -> None:
        self._codes: dict[str, Any] = {}
        self._environment: Any = None

    def share(self, document: dict[str, Any]) -> None:
        """Let a document's parts be those that were seen before, where they are equal."""
        code, environment = document.get("code"), document.get("environment")
        if code:
            same = self._codes.setdefault(str(code["fingerprint"]), code)
            if same == code:
                document["code"] = same
        if environment == self._environment:
            if environment is not None:
                document["environment"] = self._environment
        else:
            self._environment = environment


def _parse(each: _Read, data: bytes, known: _Shared) -> None:
    uri = each.found.uri
    try:
        document = parse_sidecar(data, path=uri)
    except InvalidSidecar as error:
        each.refuse(error.problem, error.why)
        return
    if "output" not in document:
        each.refuse("broken", "it only announces a run")
        return
    target = target_beside(uri, document)
    if target is None:
        each.refuse("foreign", f"it is of another target, {document['output']['path']!r}")
        return
    known.share(document)
    each.sidecar = ReadSidecar(document, target)


def _look(places: Places, reads: Sequence[_Read], *, content: bool) -> None:
    sidecars = [each.sidecar for each in reads if each.sidecar is not None]
    looks = places.look([(each.uri, each.kind) for each in sidecars])
    doubtful = []
    for sidecar, look in zip(sidecars, looks, strict=True):
        is_written = is_as_written(sidecar.document, look)
        sidecar.look = replace(look, fingerprint=sidecar.fingerprint) if is_written else look
        if look.state == "present" and (content or not is_written):
            doubtful.append(sidecar)
    if doubtful:
        read = places.read([(each.uri, each.kind) for each in doubtful])
        for sidecar, look in zip(doubtful, read, strict=True):
            sidecar.look = look
    for each in reads:
        _judge(each)


def _judge(each: _Read) -> None:
    """Refuse a sidecar that lies beside something else."""
    sidecar = each.sidecar
    if sidecar is None or sidecar.look is None:
        return
    look = sidecar.look
    if look.state == "error":
        each.refuse("unreadable", f"its target cannot be looked at: {look.error}")
        each.is_passing = True
    elif sidecar.is_moved and look.fingerprint != sidecar.fingerprint:
        there = "nothing stands here" if look.state == "missing" else "other bytes stand here"
        each.refuse("foreign", f"it is of {sidecar.document['output']['path']!r}, and {there}")
        each.is_passing = True


def _record(session: Session, reads: Sequence[_Read]) -> None:
    entries = [_entry_of(each) for each in reads if each.problem is None]
    for entry in index_new_sidecars(session, [entry for entry, _ in entries]):
        index_sidecar(session, entry)
    # An object that is not what its sidecar says may be an upload that died: a plan asks who wrote it.
    observe(session, [look for _, look in entries if look is not None])
    remember_sidecars(
        session,
        [
            (each.found, _target(session, each), each.problem)
            for each in reads
            if not each.is_passing
        ],
    )


def _entry_of(each: _Read) -> tuple[SidecarEntry, Observed | None]:
    """What is recorded of a sidecar, and what was seen at its target where that says nothing of its content."""
    sidecar = each.sidecar
    assert sidecar is not None
    assert sidecar.look is not None
    look = sidecar.look
    is_known = look.state == "present" and (
        look.etag is None or look.fingerprint == sidecar.fingerprint
    )
    if not is_known:
        entry = SidecarEntry(sidecar.document, sidecar.uri, sidecar.kind)
        return entry, replace(look, fingerprint=None)
    entry = SidecarEntry(
        sidecar.document,
        sidecar.uri,
        sidecar.kind,
        token=look.token,
        observed_ns=look.observed_ns,
        fingerprint=look.fingerprint,
    )
    return entry, None


def _target(session: Session, each: _Read) -> int | None:
    if each.sidecar is None or each.problem is not None:
        return None
    return target_id(session, each.sidecar.uri, each.sidecar.kind)


def _record_one_by_one(store: Connected, reads: Iterable[_Read]) -> None:
    """Find the one that the catalog refuses; the others shall not suffer for it."""
    for each in reads:
        try:
            with store._writing() as session:
                _record(session, [each])
        except (ValueError, TypeError, ArithmeticError) as error:
            each.refuse("broken", f"it cannot be recorded: {error}")
            with store._writing() as session:
                _record(session, [each])


def _count(each: _Read, tally: _Tally) -> None:
    if each.problem is not None:
        tally.add_problem(each.problem)
    elif each.sidecar is not None and each.sidecar.look is not None:
        look = each.sidecar.look
        tally.recorded += 1
        tally.missing += look.state == "missing"
        tally.changed += look.state == "present" and look.fingerprint != each.sidecar.fingerprint


def _batches(items: Iterable[Any], size: int) -> Iterator[list[Any]]:
    iterator = iter(items)
    while batch := list(itertools.islice(iterator, size)):
        yield batch
