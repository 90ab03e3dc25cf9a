"""What the results of a random project should be, in plain Python: no fingerprint, no catalog, no plan.

After a crash it is not known which record counts, so each result has a set of records that may.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.superluigi.planning.random_steps import REQUIRES

ANYTHING: frozenset[str] = frozenset()
"""As a content: nobody knows what it was."""


@dataclass(frozen=True)
class Record:
    """What the run of a result read, with which code, and what it made."""

    read: tuple[tuple[str, str | None], ...] | None
    """Place → content; None when nobody knows, as a whole or of one place."""
    word: str | None
    """Its code; None when nobody knows."""
    text: str

    @property
    def yielded(self) -> set[int]:
        """What it asked for while running."""
        return {int(place) for place, _ in self.read or () if place.startswith("+")}


@dataclass
class Model:
    """The results as they should be."""

    rerun_on: frozenset[str]
    words: dict[int, str]
    """The code of each step as it is now."""
    records: dict[int, frozenset[Record]] = field(default_factory=dict)
    """Those that may count; none for what nobody ever made."""
    seen: dict[int, frozenset[str]] = field(default_factory=dict)
    """What was last seen there, for when it is gone."""
    edited: dict[int, str] = field(default_factory=dict)
    """What somebody wrote over a result."""
    accepted: dict[int, tuple[frozenset[Record], dict[int, str]]] = field(default_factory=dict)
    """What counted before an acceptance."""

    def text(self, i: int) -> str | None:
        """What stands there."""
        path = Path("origin.txt" if i < 0 else f"step{i}.txt")
        return path.read_text() if path.exists() else None

    def contents(self, i: int) -> frozenset[str]:
        """What counts as standing there."""
        text = self.text(i)
        return frozenset({text}) if text is not None else self.seen.get(i, ANYTHING)

    def of(self, i: int) -> frozenset[Record]:
        """The records of a step that may count."""
        return self.records.get(i, frozenset())

    def reached(self, root: int) -> set[int]:
        """What a build of `root` looks at."""
        found: set[int] = set()
        pending = [root]
        while pending:
            i = pending.pop()
            if i >= 0 and i not in found:
                found.add(i)
                pending += REQUIRES[i]
                pending += [j for record in self.of(i) for j in record.yielded]
        return found

    def begin(self, root: int) -> Before:
        """What is known now that a build begins."""
        reached = self.reached(root)
        return Before(
            dict(self.records),
            {i: self.text(i) for i in reached},
            {i: self.found(i) for i in reached},
            set(self.edited),
        )

    def found(self, i: int) -> Record:
        """What is recorded of a result of which nothing was known."""
        read = []
        for j in REQUIRES[i]:
            contents = self.contents(j)
            read.append((str(j), next(iter(contents)) if len(contents) == 1 else None))
        return Record(tuple(read), None, self.text(i) or "")

    def edit(self, i: int, text: str) -> None:
        """Somebody writes over a result."""
        self.accepted.pop(i, None)
        Path(f"step{i}.txt").write_text(text)
        if not self.of(i):
            self.records[i] = frozenset({Record(None, None, text)})
        self.edited[i] = text

    def delete(self, i: int) -> None:
        """Somebody deletes a result; its sidecar stays."""
        Path(f"step{i}.txt").unlink(missing_ok=True)
        self.edited.pop(i, None)

    def lose_catalog(self) -> None:
        """What is known from now on is what the sidecars say."""
        self.accepted.clear()
        for i in list(self.records):
            has_sidecar = Path(f"step{i}.txt.metadata.json").exists()
            text = self.text(i)
            if not has_sidecar:
                self.edited.pop(i, None)
                unknown = [Record(None, None, text)] if text is not None else []
                self.records[i] = frozenset(unknown)
            self.seen[i] = frozenset(record.text for record in self.of(i))

    def accept(self, i: int) -> None:
        """What stands is right for what stands at its inputs."""
        text = self.text(i)
        assert text is not None
        self.accepted[i] = self.of(i), dict(self.edited)
        self.records[i] = frozenset(
            Record(self._read_now(record), self.words[i], text) for record in self.of(i)
        )
        self.edited.pop(i, None)

    def withdraw(self, i: int) -> None:
        """An acceptance is taken back."""
        self.records[i], edited = self.accepted.pop(i)
        if i in edited:
            self.edited[i] = edited[i]

    def _read_now(self, record: Record) -> tuple[tuple[str, str | None], ...] | None:
        if record.read is None:
            return None
        read = []
        for place, was in record.read:
            contents = self.contents(int(place))
            if place.startswith("+") and self.text(int(place)) is None:
                read.append((place, was))
            else:
                read.append((place, next(iter(contents)) if len(contents) == 1 else None))
        return tuple(read)

    def look(self, root: int) -> None:
        """A plan looked at everything, and remembers what it saw."""
        for i in self.reached(root):
            self.seen[i] = self.contents(i)

    def crashed(self, root: int, ran: Collection[Mapping[str, Any]]) -> None:
        """A build died: what it had run and seen by then may be on record or not."""
        for i in self.reached(root):
            text = self.text(i)
            if text is not None:
                self.seen[i] = self.seen.get(i, ANYTHING) | {text}
            if any(record.read is None for record in self.of(i)) and text is not None:
                self.records[i] = self.of(i) | {self.found(i)}
        for row in ran:
            i = row["i"]
            self.records[i] = self.of(i) | {_record(row)}
            self.seen[i] = self.seen.get(i, ANYTHING) | {row["text"]}
            self.accepted.pop(i, None)

    def may_be_fresh(self, i: int, record: Record) -> bool:
        """Whether nothing is known that speaks against it."""
        if record.read is None:
            return True
        return self._has_its_code(i, record) and all(
            text is None or not contents or text in contents
            for text, contents in self._compared(record)
        )

    def is_fresh(self, i: int, record: Record) -> bool:
        """Whether it is certain that it need not run."""
        if record.read is None:
            return False
        return self._has_its_code(i, record) and all(
            contents == {text} for text, contents in self._compared(record)
        )

    def _has_its_code(self, i: int, record: Record) -> bool:
        return "code" not in self.rerun_on or record.word in (None, self.words[i])

    def _compared(self, record: Record) -> Iterable[tuple[str | None, frozenset[str]]]:
        for place, text in record.read or ():
            j = int(place)
            if not (place.startswith("+") and self.text(j) is None):
                yield text, self.contents(j)

    def check_built(
        self,
        root: int,
        ran: Collection[Mapping[str, Any]],
        before: Before,
        excused: Collection[int],
    ) -> None:
        """After a build: nothing is stale, and nothing ran that need not.

        Args:
            ran: What ran, as the log has it.
            before: What was known when the build began.
            excused: What was to run because it was forced, or missing and needed.
        """
        entered = {row["i"] for row in ran}
        for row in ran:
            i = row["i"]
            self.records[i] = frozenset({_record(row)})
            self.accepted.pop(i, None)
            assert self.text(i) == row["text"], i
        for i in sorted(self.reached(root)):
            if i in entered:
                self._check_entered(i, before, excused)
            else:
                self._check_left(i, root, before, entered)
        self.look(root)

    def _check_entered(self, i: int, before: Before, excused: Collection[int]) -> None:
        edited = self.edited.pop(i, None)
        if i in excused or (edited is not None and "output" in self.rerun_on):
            return
        (*records,) = before.records.get(i, ())
        assert len(records) != 1 or not self.is_fresh(i, records[0]), f"{i} ran, and was fresh"

    def _check_left(self, i: int, root: int, before: Before, entered: Collection[int]) -> None:
        text, edited = self.text(i), self.edited.get(i)
        if text is None:
            self._check_left_missing(i, root, entered)
        records = {before.found[i] if each.read is None else each for each in self.of(i)}
        fresh = {record for record in records if self.may_be_fresh(i, record)}
        if text is not None and text != edited:
            self.edited.pop(i, None)
            fresh = {record for record in fresh if record.text == text}
        assert fresh or not records, f"{i} is stale"
        if text is not None and text == edited and "output" in self.rerun_on:
            assert any(record.text == text for record in fresh), f"{i} is not what its run wrote"
        assert records or text is None
        self.records[i] = frozenset(fresh)

    def _check_left_missing(self, i: int, root: int, entered: Collection[int]) -> None:
        assert i != root
        assert "missing_anywhere" not in self.rerun_on, f"{i} is missing"
        assert not [r for r in entered if i in REQUIRES[r]], f"{i} is missing and was read"


@dataclass(frozen=True)
class Before:
    """What was known when a build began."""

    records: Mapping[int, frozenset[Record]]
    texts: Mapping[int, str | None]
    found: Mapping[int, Record]
    """What is recorded of each result if nothing is known of it."""
    edited: Collection[int]


def _record(row: Mapping[str, Any]) -> Record:
    return Record(tuple(row["read"].items()), row["word"], row["text"])
