"""What two tasks, runs or builds differ in, and what of it came first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from superluigi_catalog.results import Record
from superluigi_catalog.text import printable

__all__ = ["Diff", "Difference", "Side"]

_SHOWN_DIGITS = 8
_DIGEST_CHARACTERS = 12


@dataclass(frozen=True, slots=True)
class Side(Record):
    """One of two things that are compared: a task, and which run of it."""

    task_hash: str
    family: str
    run_id: str | None
    """None: no run stands for the task."""
    status: str | None
    """The run's."""

    @property
    def label(self) -> str:
        """Family and the beginning of the hash."""
        return f"{self.family or '?'} {self.task_hash[:_SHOWN_DIGITS]}"


@dataclass(frozen=True, slots=True)
class Difference(Record):
    """One thing in which a pair of runs differs."""

    kind: str
    """`parameter`, `family`, `function`, `input`, `status`, `environment`, `unexplained`; and what follows
    from these: `output`, `metadata`."""
    name: str
    """The parameter's, function's or key's; the place of an input or output."""
    before: Any
    after: Any
    a: Side
    b: Side
    is_cause: bool
    """Whether it explains the others, and nothing that is recorded explains it."""
    detail: str = ""
    """The difference of a function's source; the path of an input."""

    @property
    def text(self) -> str:
        """The difference on one line."""
        name = f" {printable(self.name)}" if self.name else ""
        if self.kind == "unexplained":
            return "same parameters, code, inputs and environment, another result"
        if self.kind == "function":
            was = "new" if self.before is None else "gone" if self.after is None else "changed"
            return f"function{name} {was}"
        where = f" ({printable(self.detail)})" if self.detail else ""
        return f"{self.kind}{name}{where}: {_shown(self.before)} → {_shown(self.after)}"

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON types, and `text`."""
        # Not by super(): a dataclass with slots is another class than the one that super() means.
        return {**Record.to_dict(self), "text": self.text}


@dataclass(frozen=True, slots=True)
class Diff(Record):
    """The differences of two tasks, runs or builds, those upstream first."""

    a: str
    """The run, build or task that was named first."""
    b: str
    first_cause: Difference | None
    """What explains the others: the first of the causes, looking from the inputs to the results."""
    differences: tuple[Difference, ...]
    compared: int
    """How many pairs of runs were looked at: only where contents differ."""

    @property
    def is_same(self) -> bool:
        """Whether parameters, code, inputs, metadata and outputs are equal."""
        return not self.differences

    def to_dict(self) -> dict[str, Any]:
        """Return the attributes as JSON types, and `is_same`."""
        return {**Record.to_dict(self), "is_same": self.is_same}

    def to_text(self) -> str:
        """Say what came first, then list all by task; the differences of sources last."""
        if self.first_cause is None:
            return "No difference.\n"
        first = self.first_cause
        lines = [f"First cause: {first.text}, in {_pair(first)}", *_by_task(self.differences)]
        for difference in self.differences:
            if difference.kind == "function" and difference.detail:
                lines += ["", printable(difference.detail.rstrip(), multiline=True)]
        return "\n".join(lines) + "\n"

    def __str__(self) -> str:
        return self.to_text()


def _by_task(differences: Iterable[Difference]) -> Iterator[str]:
    pair = None
    for difference in differences:
        if (difference.a, difference.b) != pair:
            pair = (difference.a, difference.b)
            yield ""
            yield _pair(difference)
        yield f"  {'*' if difference.is_cause else ' '} {difference.text}"


def _pair(difference: Difference) -> str:
    one, other = printable(difference.a.label), printable(difference.b.label)
    return one if one == other else f"{one} → {other}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        text = str(value)
        kind, colon, digest = text.partition(":")
        if colon and len(digest) == 64:
            text = f"{kind}:{digest[:_DIGEST_CHARACTERS]}"
        return printable(text)
    return f"{value:,}"
