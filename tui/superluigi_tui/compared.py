"""Two runs side by side, thing by thing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from superluigi_catalog import Catalog, Diff, InputEntry, Run, TaskNotFound
from superluigi_tui.texts import duration_text, one_line, size_text

__all__ = ["Compared", "rows_of_runs", "rows_upstream"]

_DIGITS = 8


@dataclass(frozen=True)
class Compared:
    """One thing of both sides."""

    name: str
    a: str
    b: str
    note: str = ""
    """How far they are apart, where that is a number; else whether they differ."""
    is_same: bool = False
    is_cause: bool = False
    runs: tuple[str, str] | None = None
    """The runs that made what differs here: where to look further."""


def rows_of_runs(catalog: Catalog, a: Run, b: Run) -> Iterator[Compared]:
    """Compare all that is recorded of two runs."""
    yield _row("state", _ended(a), _ended(b))
    yield (
        _row("task", a.family, b.family)
        if a.family != b.family
        else _row("task", *(each.task_hash[:_DIGITS] for each in (a, b)))
    )
    for name, was, now in _pairs(a.params, b.params):
        yield _row(name, was, now)
    yield _prints("code", a.code_fingerprint, b.code_fingerprint)
    yield from _inputs(catalog, a, b)
    yield from _outputs(a, b)
    for name, was, now in _pairs(a.metadata, b.metadata):
        yield _row(name, was, now)
    yield _measured("duration", a.duration_s, b.duration_s, duration_text)
    for name, was, now in _pairs(_flat(a.environment), _flat(b.environment)):
        yield _row(name, was, now)


def _inputs(catalog: Catalog, a: Run, b: Run) -> Iterator[Compared]:
    for place, was, now in _pairs(_by_place(a.inputs), _by_place(b.inputs)):
        ids = [each.run_id if each is not None else None for each in (was, now)]
        is_same = (was and was.fingerprint) == (now and now.fingerprint)
        yield Compared(
            f"input {one_line(place)}".strip(),
            _input(catalog, was),
            _input(catalog, now),
            note="" if is_same else "changed",
            is_same=is_same,
            runs=_two(ids[0], ids[1]) if ids[0] != ids[1] else None,
        )


def _input(catalog: Catalog, entry: InputEntry | None) -> str:
    if entry is None:
        return "none"
    maker = _maker(catalog, entry.task_hash) or entry.uri.rpartition("/")[2]
    return one_line(f"{maker} {_short(entry.fingerprint)}")


def _outputs(a: Run, b: Run) -> Iterator[Compared]:
    for place, was, now in _pairs(_by_place(a.outputs), _by_place(b.outputs)):
        name = f"output {one_line(place)}".strip()
        yield _prints(name, *(each and each.fingerprint for each in (was, now)))
        before, after = (each.size_bytes if each is not None else None for each in (was, now))
        if before != after:
            yield _measured(f"{name} size", before, after, size_text)


def _maker(catalog: Catalog, task_hash: str | None) -> str:
    try:
        return catalog.task(task_hash).family if task_hash else ""
    except TaskNotFound:
        return ""


def rows_upstream(diff: Diff, own: Run | None) -> Iterator[Compared]:
    """What differs in the tasks that it was made from, or in those that builds asked for."""
    for each in diff.differences:
        if own is None or each.a.run_id != own.run_id:
            yield Compared(
                one_line(each.b.label),
                one_line(each.text),
                "",
                is_cause=each.is_cause,
                runs=_two(each.a.run_id, each.b.run_id),
            )


def _two(a: str | None, b: str | None) -> tuple[str, str] | None:
    return (a, b) if a and b else None


def _by_place(entries: Iterable[Any]) -> dict[str, Any]:
    return {entry.place: entry for entry in entries}


# -- values as text ----------------------------------------------------------------------------


def _row(name: str, was: Any, now: Any) -> Compared:
    is_same = was == now
    note = "" if is_same else _apart(was, now)
    return Compared(one_line(name), _shown(was), _shown(now), note=note, is_same=is_same)


def _prints(name: str, was: str | None, now: str | None) -> Compared:
    """Fingerprints, of which only the beginnings are shown."""
    note = "" if was == now else "changed"
    return Compared(name, _short(was), _short(now), note=note, is_same=was == now)


def _measured(name: str, was: Any, now: Any, told: Callable[[Any], str]) -> Compared:
    """A number with a unit; what looks the same is the same."""
    before, after = told(was), told(now)
    is_same = before == after
    return Compared(name, before, after, note="" if is_same else _apart(was, now), is_same=is_same)


def _apart(was: Any, now: Any) -> str:
    if not all(
        isinstance(each, (int, float)) and not isinstance(each, bool) for each in (was, now)
    ):
        return "changed"
    if isinstance(was, int) and isinstance(now, int) and abs(now - was) < 1000:
        return f"{now - was:+,}"
    return f"{100 * (now - was) / abs(was):+.1f} %" if was else "changed"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return f"{value:,}"
    return one_line(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))


def _short(fingerprint: str | None) -> str:
    return one_line((fingerprint or "none").rpartition(":")[2])[:_DIGITS]


def _ended(run: Run) -> str:
    return f"{run.status} {run.error_type or ''}".strip()


def _pairs(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    for name in dict.fromkeys((*a, *b)):
        yield name, a.get(name), b.get(name)


def _flat(environment: Mapping[str, Any]) -> dict[str, Any]:
    packages = environment.get("packages")
    flat = {k: v for k, v in environment.items() if k in ("python", "host", "user", "git_commit")}
    return flat | (dict(packages) if isinstance(packages, Mapping) else {})
