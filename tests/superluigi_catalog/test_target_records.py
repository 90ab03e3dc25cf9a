from __future__ import annotations

import pytest

from superluigi_catalog import Catalog
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    a_run,
    a_task,
    an_input,
    hash_of,
    record_chain,
    uri_of,
)


def traced(catalog: Catalog, uris: list[str]) -> list[str]:
    statements: list[str] = []
    with catalog._connections.snapshot() as session:
        session.connection.set_trace_callback(statements.append)
        catalog.target_records(uris, with_code_parts=True)
        catalog.durations({hash_of(uri): "Step" for uri in uris})
        catalog.dynamic_upstream([hash_of(uri) for uri in uris])
        session.connection.set_trace_callback(None)
    return statements


def test_a_thousand_targets_take_as_many_statements_as_ten(catalog: Catalog) -> None:
    names = [f"t{number}" for number in range(1000)]
    catalog.record_tasks(a_task(name) for name in names)
    with catalog.transaction():
        for name in names:
            catalog.finish_run(a_run(name, ["outside", "t0"]))
    uris = [uri_of(name) for name in names]
    few, many = traced(catalog, uris[:10]), traced(catalog, uris)
    assert len(few) == len(many) < 12


def test_only_what_is_recorded_is_answered(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("declared")])
    catalog.finish_run(a_run("made"))
    records = catalog.target_records([uri_of("declared"), uri_of("made"), uri_of("unknown")])
    assert set(records) == {uri_of("declared"), uri_of("made")}
    assert (records[uri_of("declared")].state, records[uri_of("declared")].run) == ("unknown", None)
    assert catalog.target_records([]) == {}


def test_asked_twice_for_one_target(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    assert len(catalog.target_records([uri_of("a"), uri_of("a")])) == 1


def test_parts_and_environment_only_on_request(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", code=CODE, environment=ENVIRONMENT))
    bare = catalog.target_records([uri_of("a")])[uri_of("a")].run
    full = catalog.target_records([uri_of("a")], with_code_parts=True)[uri_of("a")].run
    assert bare is not None
    assert full is not None
    assert (bare.code_fingerprint, bare.code_parts, bare.environment) == ("code1:aa", (), {})
    assert (full.code_parts[0]["name"], full.environment) == ("flows.Train.run", ENVIRONMENT)


def test_inputs_are_the_same_whether_their_targets_are_asked_for_or_not(catalog: Catalog) -> None:
    record_chain(catalog, "a", "b", "c")
    uris = [uri_of(name) for name in "abc"]
    together = catalog.target_records(uris)
    for uri in uris:
        assert catalog.target_records([uri])[uri] == together[uri]
    run = together[uri_of("c")].run
    assert run is not None
    assert run.inputs == (an_input("b"),)


@pytest.mark.parametrize("count", [1, 33_000])
def test_any_number_can_be_asked_for(catalog: Catalog, count: int) -> None:
    catalog.finish_run(a_run("a"))
    assert len(catalog.target_records([uri_of("a"), *map(str, range(count))])) == 1


def test_durations_are_the_tasks_own_else_those_of_the_family(catalog: Catalog) -> None:
    catalog.record_tasks(
        [a_task("a", family="F"), a_task("b", family="F"), a_task("c", family="G")]
    )
    catalog.finish_run(a_run("a", duration_s=10.0))
    catalog.finish_run(a_run("a", number=2, duration_s=20.0))
    catalog.finish_run(a_run("a", number=3, duration_s=0.0, status="unchanged"))
    catalog.finish_run(a_run("c", duration_s=1.0, status="failed"))
    families = {
        hash_of("a"): "F",
        hash_of("b"): "F",
        "0" * 32: "F",
        hash_of("c"): "G",
        "1" * 32: "?",
    }
    usual = pytest.approx(13.0)
    assert catalog.durations(families) == {hash_of("a"): 20.0, hash_of("b"): usual, "0" * 32: usual}
    assert catalog.durations({}) == {}


def test_what_the_current_run_yielded_is_ordered_by_place(catalog: Catalog) -> None:
    yielded = tuple((f"yielded.{number}", hash_of(f"y{number}")) for number in range(12))
    catalog.finish_run(a_run("a", dynamic_upstream=yielded))
    catalog.finish_run(a_run("b"))
    found = catalog.dynamic_upstream([hash_of("a"), hash_of("b"), "0" * 32])
    assert list(found) == [hash_of("a")]
    assert tuple((row.place, row.task_hash) for row in found[hash_of("a")]) == yielded
    catalog.finish_run(a_run("a", number=2, dynamic_upstream=yielded[:1]))
    ((row,),) = catalog.dynamic_upstream([hash_of("a")]).values()
    assert (row.place, row.task_hash, row.family) == (*yielded[0], "")
    catalog.finish_run(a_run("a", number=3))
    assert catalog.dynamic_upstream([hash_of("a")]) == {}
