"""Reads and writes of many processes at once, whose history has to be one that could have happened in turn.

Each object is a register: a read, also one from the local copies, returns what the last write before it wrote,
and a conditional write succeeds only over what it expects.
"""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import ObjectChanged
from superluigi.s3 import Cache, ObjectStore
from tests.s3_server import BUCKET, FaultProxy

PROCESSES = 8
KEYS = ("a", "b", "c", "d")


@dataclass(frozen=True)
class Operation:
    key: str
    began: float
    ended: float
    read: str | None = None
    """What a read found, and what a conditional write expected."""
    written: str | None = None
    is_refused: bool = False

    def after(self, value: str) -> str | None:
        """The register after it; None where it cannot have happened at this value."""
        if self.written is None:
            return value if self.read == value else None
        if self.read is None:
            return self.written
        if self.is_refused:
            return value if self.read != value else None
        return self.written if self.read == value else None


def is_linearizable(operations: Sequence[Operation], value: str) -> bool:
    """Whether some order that keeps "ended before the other began" explains what each of them found."""
    rows = sorted(operations, key=lambda each: each.began)
    begun: set[tuple[int, str]] = set()
    pending = [(0, value)]
    while pending:
        done, value = pending.pop()
        if done == (1 << len(rows)) - 1:
            return True
        first_end = float("inf")
        for number, row in enumerate(rows):
            if row.began > first_end:
                break
            if done >> number & 1:
                continue
            first_end = min(first_end, row.ended)
            after = row.after(value)
            state = (done | 1 << number, after or "")
            if after is not None and state not in begun:
                begun.add(state)
                pending.append(state)
    return False


@pytest.mark.parametrize(
    ("rows", "is_possible"),
    [
        ([("w", 0, 1, "1"), ("r", 2, 3, "1")], True),
        ([("w", 0, 1, "1"), ("r", 2, 3, "0")], False),
        ([("w", 0, 3, "1"), ("r", 1, 2, "1"), ("r", 1, 2, "0")], True),
        ([("w", 0, 3, "1"), ("r", 1, 1.5, "1"), ("r", 2, 2.5, "0")], False),
    ],
    ids=["in turn", "stale", "at once", "back again"],
)
def test_the_checker_tells_what_cannot_have_happened(rows: Any, is_possible: bool) -> None:
    operations = [
        Operation("a", began, ended, **{"written" if kind == "w" else "read": value})
        for kind, began, ended, value in rows
    ]
    assert is_linearizable(operations, "0") is is_possible


def work(number: int, turns: int, root: str, results: Any) -> None:
    dice, store, history = random.Random(number), ObjectStore(), []
    cache = Cache(f"{root}/cache-{number % 2}")  # four processes share one
    for turn in range(turns):
        key, kind = dice.choice(KEYS), dice.choice(("read", "cached", "write", "replace"))
        expected, etag = None, ""
        if kind == "replace":
            data, stat = store.get_bytes(BUCKET, key)
            expected, etag = data.decode(), stat.etag
        written, began, is_refused = f"{number}.{turn}", time.monotonic(), False
        if kind == "read":
            found = store.get_bytes(BUCKET, key)[0].decode()
        elif kind == "cached":
            found = Path(cache.fetch(store, BUCKET, key).path).read_text()
        else:
            try:
                store.put_bytes(BUCKET, key, written.encode(), if_match=etag or None)
            except ObjectChanged:
                is_refused = True
        ended = time.monotonic()
        if kind in ("read", "cached"):
            history.append(Operation(key, began, ended, read=found))
        else:
            history.append(Operation(key, began, ended, expected, written, is_refused))
    results.put(history)


@pytest.mark.parametrize("turns", [15, pytest.param(125, marks=pytest.mark.faults)])
def test_what_processes_read_and_write_at_once_could_have_happened_in_turn(
    s3: Any, s3_faults: FaultProxy, tmp_path: Path, turns: int
) -> None:
    for key in KEYS:
        s3.put_object(Bucket=BUCKET, Key=key, Body=b"0")
    dice = random.Random(17)

    def shuffle(*_: str) -> None:
        time.sleep(dice.random() / 500)  # so that answers overtake each other
        if dice.random() < 0.02:
            raise ConnectionResetError

    s3_faults.before.append(shuffle)
    context = multiprocessing.get_context("fork")
    results = context.Queue()
    workers = [
        context.Process(target=work, args=(number, turns, str(tmp_path), results))
        for number in range(PROCESSES)
    ]
    for worker in workers:
        worker.start()
    history = [row for _ in workers for row in results.get(timeout=100)]
    for worker in workers:
        worker.join()

    assert len(history) == PROCESSES * turns
    assert any(row.is_refused for row in history) or turns < 100
    for key in KEYS:
        assert is_linearizable([row for row in history if row.key == key], "0"), key
