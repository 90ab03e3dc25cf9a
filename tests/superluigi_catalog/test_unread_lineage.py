from __future__ import annotations

import copy
import pickle
from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, Task, TaskNotFound, unread
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, record_chain

LONG = [f"t{number:02}" for number in range(30)]


@pytest.fixture
def short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """As with a lineage of many thousand tasks."""
    monkeypatch.setattr(unread, "_FIRST", 5)
    monkeypatch.setattr(unread, "_TOGETHER", 4)


@pytest.mark.usefixtures("short_looks")
def test_it_is_the_same_whatever_is_asked_first(catalog: Catalog) -> None:
    names = [f"g{number}" for number in range(25)]
    catalog.record_tasks(
        a_task(n, [names[(i * 7) // 8 - 1]] if i else []) for i, n in enumerate(names)
    )
    catalog.record_tasks([a_task("top", {str(i): n for i, n in enumerate(names)})])
    whole = catalog.upstream(hash_of("top"), depth=99)
    assert list(catalog.upstream(hash_of("top"))) == list(whole)
    assert [each.task_hash for each in catalog.upstream(hash_of("top"))] == [
        each.task_hash for each in whole
    ]
    assert len(catalog.upstream(hash_of("top"))) == len(whole)
    assert catalog.upstream(hash_of("top")).tasks == whole.tasks
    assert catalog.upstream(hash_of("top")).edges == whole.edges
    assert catalog.upstream(hash_of("top")).depths == whole.depths
    assert whole == catalog.upstream(hash_of("top")) == whole
    assert str(catalog.upstream(hash_of("top"))) == str(whole)
    below = catalog.downstream(hash_of("g0"), depth=99)
    assert list(catalog.downstream(hash_of("g0"))) == list(below)


@pytest.mark.usefixtures("short_looks")
def test_the_first_task_comes_before_the_others_are_read(catalog: Catalog) -> None:
    record_chain(catalog, *LONG)
    with catalog._connections.snapshot() as session:
        statements: list[str] = []
        session.connection.set_trace_callback(statements.append)
        tasks = iter(catalog.upstream(hash_of("t29")))
        assert next(tasks).params == {"name": "t28"}
        assert statements[-2].endswith("LIMIT 6\n")
        assert [task.params["name"] for task in tasks] == LONG[-3::-1]
        session.connection.set_trace_callback(None)


@pytest.mark.usefixtures("short_looks")
def test_a_loop_that_is_paused_keeps_nobody_from_recording(catalog: Catalog) -> None:
    record_chain(catalog, *LONG)
    tasks = iter(catalog.upstream(hash_of("t29")))
    next(tasks)
    with Catalog(catalog.path, timeout_s=0) as other:
        other.record_tasks([a_task("new"), replace(a_task("t00", ["new"]))])
    assert [task.params["name"] for task in tasks] == [*LONG[-3::-1], "new"]


@pytest.mark.usefixtures("short_looks")
def test_a_tasks_other_attributes_are_read_with_those_beside_it(catalog: Catalog) -> None:
    record_chain(catalog, *LONG)
    tasks = list(catalog.upstream(hash_of("t29")))
    assert type(tasks[0]) is not Task
    assert tasks[1].status == "fresh"
    assert [type(task) is Task for task in tasks] == [True] * 4 + [False] * 25
    assert tasks[0].last_reason == tasks[4].last_reason
    assert tasks[9].to_dict() == catalog.task(hash_of("t19")).to_dict()
    assert tasks[13] == catalog.task(hash_of("t15"))
    assert catalog.task(hash_of("t11")) == tasks[17]
    assert tasks[21] != tasks[20]
    with pytest.raises(AttributeError, match="nothing"):
        tasks[25].nothing  # noqa: B018


def test_what_is_read_later_is_of_then(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b")
    lineage = catalog.upstream(hash_of("b"))
    (task,) = lineage
    catalog.finish_run(a_run("a", number=2, minute=9, status="failed"))
    assert task.last_status == "failed"
    catalog.record_tasks([a_task("c"), a_task("b", ["a", "c"], luigi_task_id="new")])
    assert len(lineage) == 1
    assert len(lineage.edges) == 2
    assert len(lineage) == 2


def test_a_task_that_was_removed_meanwhile_says_so(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])
    (task,) = catalog.upstream(hash_of("b"))
    with catalog._connections.transaction() as session:
        session.execute("UPDATE tasks SET hash = ? WHERE hash = ?", (hash_of("z"), hash_of("a")))
    with pytest.raises(TaskNotFound, match="not in the catalog any more"):
        _ = task.status


def test_it_can_be_copied_and_sent_to_another_process(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c")
    lineage = catalog.upstream(hash_of("c"))
    (task, _) = lineage
    assert repr(task) == repr(catalog.task(hash_of("b")))
    assert pickle.loads(pickle.dumps(catalog.upstream(hash_of("c")).tasks[0])) == task
    again = pickle.loads(pickle.dumps(lineage))
    assert again == lineage == copy.copy(lineage)
    assert repr(again) == repr(catalog.upstream(hash_of("c")))
