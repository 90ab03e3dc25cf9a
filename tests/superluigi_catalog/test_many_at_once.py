"""Eight processes record runs, one transaction each, while others read."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from pathlib import Path

import pytest

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import a_run, a_task, hash_of


def _record(path: Path, who: int, count: int) -> None:
    with Catalog(path) as catalog:
        catalog.record_tasks(a_task(f"{who}.{number}") for number in range(count))
        for number in range(count):
            catalog.finish_run(a_run(f"{who}.{number}", number=number, minute=number % 60))


def _read(path: Path, stop: object) -> None:
    seen = 0
    with Catalog(path, read_only=True) as catalog:
        while not stop.is_set():  # type: ignore[attr-defined]
            runs = len(catalog.runs(limit=None))
            assert runs >= seen
            seen = runs
            catalog.tasks(limit=5, search="step")
            time.sleep(0.002)


@pytest.mark.parametrize(
    ("writers", "count"),
    [(4, 25), pytest.param(8, 1_000, marks=[pytest.mark.slow, pytest.mark.timeout(600)])],
    ids=["few", "many"],
)
def test_nothing_is_lost_and_nobody_is_turned_away(
    catalog: Catalog, writers: int, count: int
) -> None:
    catalog.close()
    context = multiprocessing.get_context("fork")
    stop = context.Event()
    reading = [context.Process(target=_read, args=(catalog.path, stop)) for _ in range(2)]
    writing = [
        context.Process(target=_record, args=(catalog.path, who, count)) for who in range(writers)
    ]
    for process in (*reading, *writing):
        process.start()
    for process in writing:
        process.join()
    stop.set()
    for process in reading:
        process.join()
    assert {process.exitcode for process in (*reading, *writing)} == {0}
    assert len(catalog.runs(limit=None)) == writers * count
    for who in range(writers):
        assert catalog.task(hash_of(f"{who}.{count - 1}")).status == "fresh"
    with catalog._connections.snapshot() as session:
        assert session.rows("PRAGMA integrity_check") == [("ok",)]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_writers_that_are_killed_one_after_the_other_leave_a_whole_catalog(
    catalog: Catalog,
) -> None:
    catalog.close()
    context = multiprocessing.get_context("fork")
    steady = context.Process(target=_record, args=(catalog.path, 0, 1_000))
    steady.start()
    who = 0
    while steady.is_alive():
        who += 1
        process = context.Process(target=_record, args=(catalog.path, who, 100_000))
        process.start()
        process.join(0.05 + who % 7 / 20)
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
    steady.join()
    assert steady.exitcode == 0
    own = {hash_of(f"0.{number}") for number in range(1_000)}
    assert own <= {run.task_hash for run in catalog.runs(limit=None)}
    with catalog._connections.snapshot() as session:
        assert session.rows("PRAGMA integrity_check") == [("ok",)]
        assert session.rows("PRAGMA foreign_key_check") == []
