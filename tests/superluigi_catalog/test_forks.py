from __future__ import annotations

import gc
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from superluigi_catalog import Catalog, CatalogError
from superluigi_catalog.storage import forks
from superluigi_catalog.storage.driver import sqlite3
from tests.superluigi_catalog.entries import a_task, hash_of

pytestmark = pytest.mark.filterwarnings("ignore:.*multi-threaded:DeprecationWarning")


def in_child(work: Callable[[], None]) -> int:
    """Fork, and let the child do this and nothing else."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
        finally:
            os._exit(code)
    return child


def ended_well(child: int) -> bool:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def connections_of(catalog: Catalog) -> list[object]:
    return [session.connection for session in catalog._connections._sessions.values()]


def check_whole(path: Path) -> None:
    opened = sqlite3.connect(str(path))
    assert opened.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    assert opened.execute("PRAGMA foreign_key_check").fetchall() == []
    opened.close()


def test_a_child_never_uses_the_connection_of_its_parent(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("before")])
    before = connections_of(catalog)
    assert before

    def work() -> None:
        assert connections_of(catalog) == []
        catalog.record_tasks([a_task("child")])
        assert connections_of(catalog)[0] not in before

    assert ended_well(in_child(work))
    catalog.record_tasks([a_task("after")])
    assert {task.params["name"] for task in catalog.tasks()} == {"before", "child", "after"}


def test_a_parent_that_closes_while_a_child_writes_loses_nothing(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("parent")])
    reading, writing = os.pipe()
    count = 600 if catalog_keeps_a_log(catalog) else 80

    def work() -> None:
        for number in range(count):
            catalog.record_tasks([a_task(f"child.{number}")])
            if number == count // 3:
                os.write(writing, b"x")
            if number % 50 == 0:
                time.sleep(0.005)

    child = in_child(work)
    # Open again in the parent, so that it is the one that might believe to be the last.
    catalog.record_tasks([a_task("meanwhile")])
    os.read(reading, 1)
    catalog.close()
    assert ended_well(child)
    assert len(catalog.tasks()) == count + 2
    catalog.close()
    check_whole(catalog.path)


def catalog_keeps_a_log(catalog: Catalog) -> bool:
    with catalog._connections.snapshot() as session:
        return bool(session.rows("PRAGMA journal_mode")[0][0] == "wal")


def test_a_child_that_drops_the_catalog_does_not_close_the_parents_connection(
    project_directory: Path,
) -> None:
    held = [Catalog()]
    held[0].record_tasks([a_task("a")])

    def work() -> None:
        held.clear()
        gc.collect()

    assert ended_well(in_child(work))
    held[0].record_tasks([a_task("b")])
    assert len(held[0].tasks()) == 2
    held[0].close()


def test_a_fork_in_the_middle_of_a_transaction_leaves_it_to_the_parent(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.record_tasks([a_task("a")])

        def work() -> None:
            with pytest.raises(CatalogError, match="forked while a transaction"):
                catalog.tasks()

        child = in_child(work)
        assert ended_well(child)
        catalog.record_tasks([a_task("b")])
    assert len(catalog.tasks()) == 2
    check_whole(catalog.path)


def test_a_block_that_a_child_leaves_too_is_ended_by_the_parent_only(catalog: Catalog) -> None:
    child = -1
    try:
        with catalog.transaction():
            catalog.record_tasks([a_task("a")])
            child = os.fork()
            if child == 0:
                raise InterruptedError
    except InterruptedError:
        os._exit(0)
    assert ended_well(child)
    assert catalog.task(hash_of("a")).params == {"name": "a"}
    check_whole(catalog.path)


def test_children_forked_while_a_thread_records_do_not_hang(catalog: Catalog) -> None:
    stop = threading.Event()

    def beat() -> None:
        number = 0
        while not stop.is_set():
            catalog.record_tasks([a_task(f"thread.{number}")])
            number += 1
            # SQLite's turns are not fair: without a pause the children would wait long for theirs.
            time.sleep(0.005)

    thread = threading.Thread(target=beat)
    thread.start()
    try:
        for number in range(25):
            name = f"child.{number}"
            child = in_child(lambda name=name: catalog.record_tasks([a_task(name)]))
            assert ended_within(child, 20)
    finally:
        stop.set()
        thread.join()
    assert len([task for task in catalog.tasks() if task.params["name"].startswith("child")]) == 25
    catalog.close()
    check_whole(catalog.path)


def ended_within(child: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return os.waitstatus_to_exitcode(status) == 0
        time.sleep(0.002)
    os.kill(child, 9)
    os.waitpid(child, 0)
    return False


def test_a_fork_does_not_wait_for_ever_for_another_threads_transaction(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(forks, "MAX_WAIT_S", 0.05)
    inside, leave = threading.Event(), threading.Event()

    def hold() -> None:
        with catalog.transaction():
            catalog.record_tasks([a_task("held")])
            inside.set()
            leave.wait(20)

    thread = threading.Thread(target=hold)
    thread.start()
    inside.wait(20)
    assert ended_well(in_child(lambda: None))
    leave.set()
    thread.join()
    assert len(catalog.tasks()) == 1


def test_a_second_fork_in_a_child_is_as_safe(catalog: Catalog) -> None:
    def grandchild() -> None:
        catalog.record_tasks([a_task("grandchild")])

    def work() -> None:
        catalog.record_tasks([a_task("child")])
        assert ended_well(in_child(grandchild))
        catalog.record_tasks([a_task("child again")])

    assert ended_well(in_child(work))
    assert len(catalog.tasks()) == 3
