"""Why a task would run again, or why a run was made: a numbered checklist with evidence, and where it began."""

from __future__ import annotations

import difflib
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from superluigi_catalog.results import Record
from superluigi_catalog.text import printable

__all__ = ["Cause", "Step", "Why", "changed_parts", "part_steps", "source_difference"]

Part = Mapping[str, Any]
"""name, file, line, fingerprint."""

_MARKS = {"ok": "ok", "changed": "CHANGED", "missing": "MISSING", "unknown": "?", "noted": "note"}


@dataclass(frozen=True, slots=True)
class Step(Record):
    """One thing that was looked at."""

    name: str
    """`output`, `parameters`, `code`, `environment`, `input`, `upstream`, `request`."""
    state: str
    """`ok`; `changed` or `missing`: a reason to run; `noted`: changed, but no reason here; `unknown`."""
    text: str
    """What was found, on one line."""
    details: Mapping[str, Any] = field(default_factory=dict)
    """From what to what, which file and line, who made it."""
    diff: str = ""
    """The difference of sources, as lines."""


@dataclass(frozen=True, slots=True)
class Cause(Record):
    """Where it began."""

    task_hash: str
    """Empty for what nobody here makes."""
    family: str
    text: str

    @property
    def label(self) -> str:
        """Family and the beginning of the hash."""
        return f"{self.family} {self.task_hash[:8]}".strip()


@dataclass(frozen=True, slots=True)
class Why(Record):
    """The answer to `why`."""

    task_hash: str
    family: str
    params: Mapping[str, str]
    verdict: str
    """In one line: would it run, may it, did it, and for which reason first."""
    action: str
    """`run`, `maybe`, `skip`, `blocked`; of a run in the past: `ran`."""
    run_id: str | None
    """The run that stands, or the one that is explained."""
    is_live: bool
    """Whether the code as it is now was looked at; else only what is recorded."""
    steps: tuple[Step, ...]
    causes: tuple[Cause, ...]
    """Root causes, nearest to the inputs first; empty when nothing is to be done."""

    @property
    def label(self) -> str:
        """Family, short hash and parameters."""
        params = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.family or '?'} {self.task_hash[:8]}" + (f" ({params})" if params else "")

    def lines(self) -> Iterator[str]:
        """The checklist as plain lines."""
        yield f"{self.label}: {self.verdict}"
        width = max((len(step.name) for step in self.steps), default=0)
        for number, step in enumerate(self.steps, 1):
            mark = _MARKS.get(step.state, step.state)
            yield f"{number:>3} {mark:<8}{step.name:<{width}}  {step.text}"
            for line in step.diff.splitlines():
                yield f"      {line}"
        for cause in self.causes:
            yield f"Root cause: {f'{cause.label}: ' if cause.label else ''}{cause.text}"
        if not self.is_live:
            yield "From the records alone: the code as it is now was not looked at."

    def __str__(self) -> str:
        return "\n".join(printable(line) for line in self.lines())

    def __rich__(self) -> str:
        # Text that rich reads as markup: what looks like a tag is none.
        return re.sub(r"(\\*)\[", lambda found: f"{found[1] * 2}\\[", str(self))

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(str(self))}</pre>"


def changed_parts(before: Mapping[str, Part], after: Mapping[str, Part]) -> list[str]:
    """The names of the parts of code that differ, sorted."""
    return [
        name
        for name in sorted({*before, *after})
        if before.get(name, {}).get("fingerprint") != after.get(name, {}).get("fingerprint")
    ]


def part_steps(
    names: Iterable[str],
    before: Mapping[str, Part],
    after: Mapping[str, Part],
    sources: Mapping[str, str],
    state: str,
) -> Iterator[Step]:
    """A step for each part of code that changed, is new or is gone.

    Args:
        before: By name: name, file, line, fingerprint.
        after: The same of the other code.
        sources: By fingerprint.
    """
    for name in names:
        was, now = before.get(name), after.get(name)
        word = "new" if was is None else "gone" if now is None else "changed"
        where = now or was or {}
        text = f"{name} {word} ({where.get('file')}:{where.get('line')})"
        details = {
            "part": name,
            "file": where.get("file"),
            "line": where.get("line"),
            "from": was and was["fingerprint"],
            "to": now and now["fingerprint"],
        }
        yield Step("code", state, text, details, source_difference(was, now, sources))


def source_difference(
    was: Mapping[str, Any] | None, now: Mapping[str, Any] | None, sources: Mapping[str, str]
) -> str:
    """The difference of one part of code; empty where a source text is not known.

    Args:
        was: name, file, line, fingerprint of the part; None: it is new.
        now: None: it is gone.
        sources: By fingerprint.
    """
    texts, names = [], []
    for part in (was, now):
        text = "" if part is None else sources.get(str(part["fingerprint"]))
        if text is None:
            return ""
        texts.append(text.splitlines())
        names.append("/dev/null" if part is None else f"{part.get('file')}:{part.get('line')}")
    lines = difflib.unified_diff(texts[0], texts[1], names[0], names[1], lineterm="")
    return "\n".join(lines)
