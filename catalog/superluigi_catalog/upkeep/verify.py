"""Comparing every target with its record."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from superluigi_catalog.beside import target_beside
from superluigi_catalog.connected import Connected
from superluigi_catalog.errors import InvalidSidecar
from superluigi_catalog.places import SIDECAR_SUFFIX, Places, scheme_of
from superluigi_catalog.reading.refs import References
from superluigi_catalog.recording import observe
from superluigi_catalog.records import Observed
from superluigi_catalog.sidecar import parse_sidecar
from superluigi_catalog.storage.session import Session
from superluigi_catalog.upkeep.reports import Progress, Report, TargetProblem, Verified

__all__ = ["targets_meant", "verify"]

_PORTION = 2_000

_TICK_NS = 20_000_000
"""A file written so shortly before it was read may have changed again without a new time."""
_COARSE_TICK_NS = 2_000_000_000
"""The same for filesystems that keep whole seconds."""
PlacesOf = Callable[[str], Places]
"""What looks at a uri."""


@dataclass(slots=True)
class _Checked:
    """One target, as it is recorded and as it stands."""

    look: Observed
    uri: str
    kind: str
    token: str | None
    observed_ns: int
    seen: str | None
    """The content last seen."""
    written: str | None
    """What the recorded run left there; None: no run did."""
    run_id: str | None
    task_hash: str | None
    family: str | None
    is_declared: int
    is_external: int
    is_read: bool = False
    problem: TargetProblem | None = None

    @property
    def expected(self) -> str | None:
        """What should stand there."""
        return self.written or self.seen

    @property
    def is_as_seen(self) -> bool:
        """Whether the look shows just what an earlier one did, which was not made in the same instant."""
        mtime_ns = self.look.mtime_ns
        if self.token is None or self.token != self.look.token or self.seen is None:
            return False
        if mtime_ns is None:
            return True
        tick_ns = _TICK_NS if mtime_ns % 1_000_000_000 else _COARSE_TICK_NS
        return mtime_ns <= self.observed_ns - tick_ns

    @property
    def stands(self) -> str | None:
        """The content that stands there, as far as it is known."""
        if self.is_read:
            return self.look.fingerprint
        return self.seen if self.token == self.look.token else None

    def report(self, problem: str, text: str) -> None:
        """Say what is wrong; the first thing counts."""
        if self.problem is None:
            self.problem = TargetProblem(
                self.uri, problem, text, self.task_hash, self.family or "", self.run_id
            )


def verify(
    store: Connected,
    places_of: PlacesOf,
    targets: Sequence[int] | None,
    *,
    content: bool,
    report: Report | None,
) -> Verified:
    """Look at targets, all of them or those with these ids, and say what is not as recorded."""
    started = time.monotonic()
    with store._reading() as session:
        wanted = _wanted(session, targets)
    problems: list[TargetProblem] = []
    for start in range(0, len(wanted), _PORTION):
        with store._reading() as session:
            checked = _load(session, wanted[start : start + _PORTION])
        for scheme in sorted({scheme_of(each.uri) for each in checked}):
            group = [each for each in checked if scheme_of(each.uri) == scheme]
            _check(places_of(group[0].uri), group, content=content)
        if not store.read_only:
            with store._writing() as session:
                observe(session, [look for each in checked if (look := _news(each)) is not None])
        problems += [each.problem for each in checked if each.problem is not None]
        if report is not None:
            report(Progress(start + len(checked), len(wanted), len(problems)))
    return Verified(
        checked=len(wanted),
        problems=tuple(sorted(problems, key=lambda each: each.uri)),
        duration_s=round(time.monotonic() - started, 3),
    )


def targets_meant(refs: References, ref: Any) -> list[int]:
    """Identify the outputs of the task, or the one target, that a reference means.

    Raises:
        TaskNotFound, AmbiguousHash: see `References`.
    """
    task = refs.task_by_hash(ref)
    if task is not None:
        rows = refs.session.rows("SELECT target_id FROM task_targets WHERE task_id = ?", (task,))
        return [number for (number,) in rows]
    found = refs.target(ref)
    return [refs.not_found(ref) if found is None else found]


def _wanted(session: Session, targets: Sequence[int] | None) -> list[int]:
    """Leave out what has no bytes of its own, such as `PostgresTarget:<task hash>:<place>`."""
    rows = session.rows(
        "SELECT id FROM targets WHERE uri NOT GLOB kind || ? ORDER BY uri", (f":{'?' * 32}:*",)
    )
    chosen = None if targets is None else set(targets)
    return [number for (number,) in rows if chosen is None or number in chosen]


def _load(session: Session, numbers: Sequence[int]) -> list[_Checked]:
    rows = session.rows(
        """
        SELECT g.uri, g.kind, g.token, g.observed_ns, s.fingerprint, m.fingerprint, r.uuid,
          coalesce(t.hash, d.hash), coalesce(f.name, e.name), d.id IS NOT NULL, coalesce(d.is_external, 0)
        FROM json_each(?) w CROSS JOIN targets g ON g.id = w.value
        LEFT JOIN contents s ON s.id = g.seen_content_id
        LEFT JOIN contents m ON m.id = g.run_content_id
        LEFT JOIN runs r ON r.id = g.run_id
        LEFT JOIN tasks t ON t.id = r.task_id LEFT JOIN families f ON f.id = t.family_id
        LEFT JOIN tasks d ON d.id = (SELECT max(o.task_id) FROM task_targets o WHERE o.target_id = g.id)
        LEFT JOIN families e ON e.id = d.family_id
        """,
        (json.dumps(list(numbers)),),
    )
    return [_Checked(Observed(row[0], row[1], "missing"), *row) for row in rows]


def _check(places: Places, checked: Sequence[_Checked], *, content: bool) -> None:
    looks = places.look([(each.uri, each.kind) for each in checked])
    for each, look in zip(checked, looks, strict=True):
        each.look = look
    doubtful = [each for each in checked if _must_be_read(each, content=content)]
    read = places.read([(each.uri, each.kind) for each in doubtful]) if doubtful else []
    for each, look in zip(doubtful, read, strict=True):
        each.look, each.is_read = look, look.state == "present"
    for each in checked:
        _compare(each)
    is_remote = bool(scheme_of(checked[0].uri))
    if content or not is_remote:
        _check_sidecars(places, [each for each in checked if each.look.state == "present"])


def _must_be_read(each: _Checked, *, content: bool) -> bool:
    look = each.look
    if look.state != "present" or each.expected is None:
        return False
    if content:
        return not each.expected.startswith("stat:")
    return not each.is_as_seen and not each.expected.startswith(("stat:", "etag:"))


def _compare(each: _Checked) -> None:
    look = each.look
    if look.state == "error":
        each.report("error", f"It could not be looked at: {look.error}")
    elif look.state != "present":
        if each.run_id or each.seen or not each.is_declared:
            each.report("missing", "It is not there any more.")
    elif each.expected is None:
        if each.is_declared and not each.is_external:
            each.report("unrecorded", "It stands there, and no run is recorded that made it.")
    elif not _is(each.expected, each.stands, look):
        whose = (
            f"what {each.family or 'its run'} wrote" if each.written else "what was last seen there"
        )
        each.report("changed", f"It is not {whose}.")


def _is(expected: str, stands: str | None, look: Observed) -> bool:
    if expected.startswith("stat:"):
        return expected in (f"stat:{look.size_bytes}:{look.mtime_ns}", stands)
    if expected.startswith("etag:"):
        return expected in (f"etag:{look.etag}:{look.size_bytes}", stands)
    return expected == stands


def _news(each: _Checked) -> Observed | None:
    """What is worth recording: an unread look that shows nothing new would only hide when it was last read."""
    look = each.look
    if look.state != "present" or each.is_read:
        is_right = each.problem is None or look.etag is None
        # An object that is not as recorded may be an upload that died: a plan asks who wrote it.
        return look if is_right else replace(look, fingerprint=None)
    return None if look.token == each.token else look


def _check_sidecars(places: Places, checked: Sequence[_Checked]) -> None:
    beside = {each.uri.rstrip("/") + SIDECAR_SUFFIX: each for each in checked}
    inside = {
        f"{each.uri.rstrip('/')}/{SIDECAR_SUFFIX}": each
        for each in checked
        if each.look.file_count is not None
    }
    owners = [*beside.items(), *inside.items()]
    for (uri, each), data in zip(
        owners, places.read_sidecars([uri for uri, _ in owners]), strict=True
    ):
        if data is not None:
            _check_sidecar(uri, each, data)


def _check_sidecar(uri: str, each: _Checked, data: bytes | Exception) -> None:
    if isinstance(data, Exception):
        each.report("sidecar", f"Its sidecar cannot be read: {data}")
        return
    try:
        document = parse_sidecar(data, path=uri)
    except InvalidSidecar as error:
        each.report("sidecar", str(error))
        return
    target = target_beside(uri, document) if "output" in document else None
    if target is None:
        each.report("sidecar", f"Its sidecar {uri!r} is of another target.")
    elif each.run_id is None and not each.is_external:
        each.report("unrecorded", "Its sidecar tells of a run that the catalog does not know.")
