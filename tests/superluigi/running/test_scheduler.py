"""Our scheduler against Luigi's own: the same answers, in the same order."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from luigi.scheduler import Scheduler
from luigi.task_status import DONE, FAILED, PENDING

from superluigi.running.scheduler import LocalScheduler

WORKER = "one"


@st.composite
def graphs(draw: st.DrawFn) -> list[tuple[list[int], int, dict[str, int]]]:
    """Tasks with upstream indices, a priority and resources; some graphs have none of the latter."""
    size = draw(st.integers(1, 12))
    with_resources = draw(st.booleans())
    rows = []
    for i in range(size):
        upstream = draw(st.lists(st.integers(0, i - 1), unique=True, max_size=3)) if i else []
        priority = draw(st.sampled_from([0, 0, 0, 5, 10]))
        resources = draw(st.sampled_from([{}, {"disk": 1}])) if with_resources else {}
        rows.append((upstream, priority, resources))
    return rows


def order_of(scheduler: Any, graph: Any, failing: set[int], at_once: int) -> list[str | None]:
    """What is handed out when `at_once` tasks run at a time and the oldest ends first."""
    for i, (upstream, priority, resources) in enumerate(graph):
        scheduler.add_task(
            worker=WORKER,
            task_id=f"t{i}",
            status=PENDING,
            deps=[f"t{j}" for j in upstream],
            runnable=True,
            priority=priority,
            resources=resources,
            family="T",
            params={},
        )
    handed: list[str | None] = []
    running: list[str] = []
    for _ in range(4 * len(graph) + 4):
        if len(running) < at_once:
            answer = scheduler.get_work(worker=WORKER, host="h", current_tasks=list(running))
            handed.append(answer["task_id"])
            if answer["task_id"] is not None:
                running.append(answer["task_id"])
                continue
        if not running:
            return handed
        ended = running.pop(0)
        status = FAILED if int(ended[1:]) in failing else DONE
        scheduler.add_task(worker=WORKER, task_id=ended, status=status, runnable=None)
    return handed


@settings(deadline=None, max_examples=150)
@given(graph=graphs(), failing=st.sets(st.integers(0, 11), max_size=2), at_once=st.integers(1, 3))
def test_tasks_are_handed_out_as_luigi_does(graph: Any, failing: set[int], at_once: int) -> None:
    stock = Scheduler(prune_on_get_work=True, record_task_history=False)
    assert order_of(LocalScheduler(), graph, failing, at_once) == order_of(
        stock, graph, failing, at_once
    )


def test_a_priority_that_rises_later_counts() -> None:
    scheduler = LocalScheduler()
    for name in ("a", "b"):
        scheduler.add_task(worker=WORKER, task_id=name, status=PENDING, deps=[], runnable=True)
    scheduler.add_task(
        worker=WORKER, task_id="late", status=PENDING, deps=["b"], runnable=True, priority=9
    )
    assert scheduler.get_work(worker=WORKER, host="h")["task_id"] == "b"


def test_a_deep_chain_with_a_priority_at_its_end_does_not_recurse() -> None:
    scheduler = LocalScheduler()
    for i in range(5_000):
        scheduler.add_task(
            worker=WORKER,
            task_id=f"t{i}",
            status=PENDING,
            deps=[f"t{i - 1}"] if i else [],
            runnable=True,
            priority=7 if i == 4_999 else 0,
        )
    assert scheduler.get_work(worker=WORKER, host="h")["task_id"] == "t0"


def test_a_task_that_was_done_a_moment_ago_may_be_asked_for_again() -> None:
    scheduler = LocalScheduler()
    for status in (PENDING, DONE, PENDING):
        scheduler.add_task(worker=WORKER, task_id="t", status=status, deps=[], runnable=True)
    assert scheduler.get_work(worker=WORKER, host="h")["task_id"] == "t"
