from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import a_task


def test_threads_record_and_read_through_one_catalog(catalog: Catalog) -> None:
    def work(who: int) -> int:
        for number in range(20):
            catalog.record_tasks([a_task(f"{who}.{number}")])
        return len(catalog.tasks(params={"name": f"{who}.19"}))

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(work, range(4))) == [1] * 4
    assert len(catalog.tasks()) == 80


def test_a_thread_does_not_see_what_another_has_not_committed(catalog: Catalog) -> None:
    with catalog.transaction():
        catalog.record_tasks([a_task("a")])
        seen: list[int] = []
        if _keeps_a_log(catalog):
            thread = threading.Thread(target=lambda: seen.append(len(catalog.tasks())))
            thread.start()
            thread.join()
            assert seen == [0]
        assert len(catalog.tasks()) == 1
    assert len(catalog.tasks()) == 1


def _keeps_a_log(catalog: Catalog) -> bool:
    with catalog._connections.snapshot() as session:
        return bool(session.rows("PRAGMA journal_mode")[0][0] == "wal")


def test_connections_of_ended_threads_are_closed(catalog: Catalog) -> None:
    for _ in range(5):
        thread = threading.Thread(target=catalog.tasks)
        thread.start()
        thread.join()
    catalog.tasks()
    assert len(catalog._connections._sessions) <= 2


def test_a_closed_catalog_opens_again_when_it_is_used(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a")])
    catalog.close()
    catalog.close()
    assert len(catalog.tasks()) == 1
