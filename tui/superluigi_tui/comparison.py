"""Two runs, tasks or builds beside each other: what is the same, what differs, and what came first."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from superluigi_catalog import Build, Catalog, Diff, Run, TaskNotFound
from superluigi_tui.compared import Compared, rows_of_runs, rows_upstream
from superluigi_tui.texts import age_text, one_line

__all__ = ["SECTIONS", "Comparison", "compare"]

SECTIONS = ("code", "params", "record", "inputs", "all")
_DIGITS = 8
_NOT_TOLD = ("run_id", "build_id", "owner", "log", "started_at", "ended_at", "duration_s")
"""Of a run's record: different in every run, and shown elsewhere."""


@dataclass(frozen=True)
class Comparison:
    """All that is shown of a pair."""

    diff: Diff
    a_title: str
    b_title: str
    rows: tuple[Compared, ...]
    runs: tuple[Run, Run] | None
    """None: builds are compared."""

    @property
    def first_cause(self) -> str:
        """What came first, and in which task."""
        first = self.diff.first_cause
        return f"{one_line(first.text)}, in {one_line(first.b.label)}" if first else ""

    @property
    def changed(self) -> int:
        """How many things differ."""
        return sum(not row.is_same for row in self.rows)

    def telling_section(self) -> str:
        """The section to begin with: that of what came first."""
        first = self.diff.first_cause
        if self.runs is None or first is None:
            return "all"
        kinds = {"function": "code", "parameter": "params", "input": "inputs"}
        return kinds.get(first.kind, "record")

    def section(self, name: str) -> list[str]:
        """One part of it as lines; those that begin with + or - differ."""
        told = {
            "code": self._code,
            "params": lambda: self._json_of("params"),
            "record": lambda: self._json_of(""),
            "inputs": self._inputs,
            "all": lambda: self.diff.to_text().splitlines(),
        }[name]()
        return list(told) or ["the same on both sides"]

    def _code(self) -> Iterator[str]:
        for each in self.diff.differences:
            if each.kind == "function":
                yield f"@@ {each.text}, in {each.b.label} @@"
                yield from each.detail.splitlines() or ["(its text is not recorded)"]
                yield ""

    def _inputs(self) -> Iterator[str]:
        for row in self.rows:
            if row.name.startswith("input"):
                sign = " " if row.is_same else "-"
                yield f"{sign} {row.name}: {row.a}"
                if not row.is_same:
                    yield f"+ {row.name}: {row.b}"

    def _json_of(self, key: str) -> Iterable[str]:
        if self.runs is None:
            return self.diff.to_text().splitlines()
        before, after = (_json_lines(run, key) for run in self.runs)
        return list(difflib.unified_diff(before, after, lineterm="", n=len(after)))[3:] or after


def compare(catalog: Catalog, a: str, b: str, now: float) -> Comparison:
    """Read both sides.

    Args:
        b: Empty: `a` with the one before it, which then stands first.

    Raises:
        TaskNotFound, AmbiguousHash, ValueError: as `Catalog.diff`.
    """
    diff = catalog.diff(a, b or None)
    one, other = (_run_of(catalog, each) for each in (diff.a, diff.b))
    if one is not None and other is not None:
        rows = (*rows_of_runs(catalog, one, other), *rows_upstream(diff, one))
        is_one_task = one.task_hash == other.task_hash
        before, after = (_title(each, now, has_task=not is_one_task) for each in (one, other))
        return Comparison(diff, before, after, rows, (one, other))
    before, after = (_title(catalog.build(each), now) for each in (diff.a, diff.b))
    return Comparison(diff, before, after, tuple(rows_upstream(diff, None)), None)


def _run_of(catalog: Catalog, ref: str) -> Run | None:
    """The run of that id, or the one that stands for a task; None for a build."""
    try:
        return catalog.run(ref)
    except TaskNotFound:
        pass
    try:
        task = catalog.task(ref)
    except TaskNotFound:
        return None
    found = task.current_run_id or task.last_run_id
    if found is None:
        message = (
            f"No run of {task.family} {task.task_hash[:8]} is recorded, so it cannot be compared."
        )
        raise ValueError(message)
    return catalog.run(found)


def _title(each: Run | Build, now: float, *, has_task: bool = False) -> str:
    if isinstance(each, Run):
        name = each.task_hash[:_DIGITS] if has_task else f"run {one_line(each.run_id)[-_DIGITS:]}"
    else:
        name = f"build {one_line(each.build_id)[-_DIGITS:]}"
    return f"{name}  {age_text(each.started_at, now)} ago"


def _json_lines(run: Run, key: str) -> list[str]:
    told = {name: value for name, value in run.to_dict().items() if name not in _NOT_TOLD}
    return json.dumps(told[key] if key else told, indent=2, ensure_ascii=False).splitlines()
