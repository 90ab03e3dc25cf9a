from __future__ import annotations

from superluigi_catalog import Catalog, Interrupted
from tests.superluigi_catalog.entries import a_build, a_run, a_task, at, hash_of, run_id_of


def start(catalog: Catalog, name: str, owner: str) -> None:
    catalog.start_run(
        run_id_of(name),
        hash_of(name),
        build_id=None,
        reason={},
        reasons=(),
        started_at=at(1),
        owner=owner,
    )


def test_only_what_runs_under_a_dead_owner_is_marked(catalog: Catalog) -> None:
    catalog.record_tasks([a_task(name) for name in ("lives", "dies", "done")])
    catalog.start_build(a_build(1, owner="dead"))
    catalog.start_build(a_build(2, owner="alive"))
    start(catalog, "lives", "alive")
    start(catalog, "dies", "dead")
    start(catalog, "done", "dead")
    catalog.finish_run(a_run("done"))
    asked: list[str] = []

    def is_alive(owner: str) -> bool:
        asked.append(owner)
        return owner == "alive"

    assert catalog.mark_interrupted(is_alive) == Interrupted((run_id_of("dies"),), ("build-1",))
    assert sorted(asked) == ["alive", "dead"]
    dead = catalog.run(run_id_of("dies"))
    assert (dead.status, dead.error) == ("interrupted", "Its process ended without a word.")
    assert dead.ended_at is not None
    assert catalog.status(hash_of("dies")) == "unknown"
    assert catalog.task(hash_of("lives")).status == "running"
    assert catalog.task(hash_of("done")).status == "fresh"
    assert [build.status for build in catalog.builds()] == ["running", "interrupted"]
    assert catalog.mark_interrupted(is_alive) == Interrupted((), ())


def test_a_run_that_was_thought_dead_may_still_say_how_it_ended(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a")])
    start(catalog, "a", "dead")
    catalog.mark_interrupted(lambda owner: False)
    catalog.finish_run(a_run("a"))
    run = catalog.run(run_id_of("a"))
    assert (run.status, run.error) == ("succeeded", None)
