from __future__ import annotations

import threading

from superluigi_catalog import Catalog, CatalogInterrupted
from tests.superluigi_catalog.entries import a_task, hash_of, record_chain


def endless(catalog: Catalog, began: threading.Event) -> None:
    """A question without an answer."""
    with catalog._reading() as session:
        session.connection.create_function("began", 0, lambda: began.set() or 1)
        session.rows(
            "WITH RECURSIVE n(i) AS (SELECT began() UNION ALL SELECT i + 1 FROM n) SELECT sum(i) FROM n"
        )


def test_a_question_is_given_up_by_another_thread(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b")
    began = threading.Event()
    raised: list[BaseException] = []

    def ask() -> None:
        try:
            endless(catalog, began)
        except CatalogInterrupted as error:
            raised.append(error)

    thread = threading.Thread(target=ask)
    thread.start()
    assert began.wait(10)
    while thread.is_alive():
        catalog.interrupt()
        thread.join(0.05)
    assert str(catalog.path) in str(raised[0])
    assert [task.params["name"] for task in catalog.upstream(hash_of("b"))] == ["a"]


def test_what_is_being_recorded_is_never_interrupted(catalog: Catalog) -> None:
    inside, go_on = threading.Event(), threading.Event()

    def record() -> None:
        with catalog.transaction():
            catalog.record_tasks([a_task("a")])
            inside.set()
            go_on.wait(10)
            catalog.record_tasks([a_task(str(number)) for number in range(50)])

    thread = threading.Thread(target=record)
    thread.start()
    assert inside.wait(10)
    go_on.set()
    while thread.is_alive():
        catalog.interrupt()
    assert len(catalog.tasks()) == 51


def test_with_nothing_to_interrupt_nothing_happens(catalog: Catalog) -> None:
    catalog.interrupt()
    assert catalog.tasks() == ()
