"""Targets as the catalog names them, looked at in bulk."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace

from superluigi.errors import SuperLuigiError
from superluigi.targets.base import TargetWithMetadata
from superluigi.targets.state import Observation
from superluigi_catalog.records import JsonObject, Observed

__all__ = [
    "Standing",
    "Wanted",
    "fingerprint_at",
    "look_at",
    "read_at",
    "why_kept",
    "write_acceptance",
]

Wanted = tuple[str, str]
"""uri in its stored form, kind."""


TargetOf = Callable[[str, str], TargetWithMetadata]
Looked = tuple["TargetWithMetadata | None", Observation]
Standing = Sequence[tuple[TargetWithMetadata, Observation]]


def look_at(wanted: Sequence[Wanted], target_of: TargetOf) -> list[Observed]:
    """One look at each, all of one class together, in the order of `wanted`."""
    return [
        seen.as_record(uri, kind)
        for (uri, kind), (_, seen) in zip(wanted, _looked(wanted, target_of), strict=True)
    ]


def read_at(
    wanted: Sequence[Wanted],
    target_of: TargetOf,
    fingerprints: Callable[[Standing], list[str | Exception]],
) -> list[Observed]:
    """The same, with what stands there.

    Args:
        fingerprints: Reads what exists.
    """
    looked = _looked(wanted, target_of)
    standing = {
        index: (target, seen)
        for index, (target, seen) in enumerate(looked)
        if target is not None and seen.exists
    }
    found = dict(zip(standing, fingerprints(list(standing.values())), strict=True))
    rows = []
    for index, ((uri, kind), (_, seen)) in enumerate(zip(wanted, looked, strict=True)):
        read = found.get(index)
        if isinstance(read, Exception):
            seen, read = replace(seen, exists=False, error=f"{read}"), None
        rows.append(seen.as_record(uri, kind, read))
    return rows


def fingerprint_at(target: TargetWithMetadata, seen: Observation) -> str | Exception:
    """What stands there, or why it cannot be read."""
    try:
        return target.read_content(seen).fingerprint
    except Exception as error:
        return error


def why_kept(target: TargetWithMetadata, fingerprint: str) -> str:
    """Why what stands there must not be removed; empty when its bytes are just those."""
    if target.read_next() is not None:
        return "A run is writing it, or died there: its next build clears that up."
    try:
        seen = target.observe()
    except SuperLuigiError as error:
        return str(error)
    if not seen.exists:
        return ""
    stands = fingerprint_at(target, seen)
    if isinstance(stands, Exception):
        return str(stands)
    return "" if stands == fingerprint else "Its bytes are not those that were recorded."


def _looked(wanted: Sequence[Wanted], target_of: TargetOf) -> list[Looked]:
    looked: list[Looked] = []
    by_class: dict[type[TargetWithMetadata], list[tuple[int, TargetWithMetadata]]]
    by_class = defaultdict(list)
    for index, (uri, kind) in enumerate(wanted):
        try:
            target = target_of(uri, kind)
        except ValueError as error:  # text of a catalog need not be the name of a place
            looked.append((None, Observation(exists=False, error=f"{error}")))
            continue
        looked.append((target, Observation(exists=False)))
        by_class[type(target)].append((index, target))
    for cls, targets in by_class.items():
        seen = cls.observe_many([target for _, target in targets])
        for (index, target), look in zip(targets, seen, strict=True):
            looked[index] = (target, look)
    return looked


def write_acceptance(target: TargetWithMetadata, acceptance: JsonObject | None) -> str:
    """Add an acceptance to a target's sidecar, or take it out.

    Returns:
        Why that could not be done; empty when it was.
    """
    try:
        document = target.metadata()
        if document is None:
            return f"{target.uri!r} has no sidecar."
        changed = {key: value for key, value in document.items() if key != "acceptance"}
        target.write_sidecar(changed | ({"acceptance": dict(acceptance)} if acceptance else {}))
    except (OSError, SuperLuigiError) as error:
        return str(error)
    return ""
