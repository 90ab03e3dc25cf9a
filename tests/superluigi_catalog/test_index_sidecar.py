from __future__ import annotations

from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, InvalidSidecar, TargetRecord
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    KIND,
    OWNER,
    a_run,
    a_task,
    an_input,
    an_output,
    at,
    fingerprint_of,
    hash_of,
    run_id_of,
    seen,
    sidecar_of,
    uri_of,
)
from tests.superluigi_catalog.test_record_tasks import counted

TABLES = (
    "tasks",
    "edges",
    "task_params",
    "task_targets",
    "targets",
    "contents",
    "runs",
    "run_inputs",
    "run_outputs",
    "code",
    "environments",
)
TASK = a_task("a", {"first": "x", "second": "y"}, family="Train", params={"date": "d"})
RUN = a_run(
    "a",
    [an_input("x", place="first"), an_input("y", place="second")],
    code=CODE,
    environment=ENVIRONMENT,
    metadata={"rows": 5},
    build_id="elsewhere",
)
DOCUMENT = sidecar_of(TASK, RUN)


def index(catalog: Catalog, document: dict[str, object] = DOCUMENT, **more: object) -> None:
    told = {"uri": uri_of("a"), "kind": KIND, "token": "stat:10:5:a:1", "observed_ns": 9} | more
    catalog.index_sidecar(document, **told)  # type: ignore[arg-type]


def record_of(catalog: Catalog, name: str = "a") -> TargetRecord:
    return catalog.target_records([uri_of(name)], with_code_parts=True)[uri_of(name)]


def test_an_empty_catalog_learns_all_that_a_sidecar_says(catalog: Catalog) -> None:
    index(catalog)
    task = catalog.task(uri_of("a"))
    assert (task.task_hash, task.family, task.module) == (hash_of("a"), "Train", "flows.steps")
    assert (dict(task.params), task.status, task.is_stub) == ({"date": "d"}, "fresh", False)
    run = catalog.run(RUN.run_id)
    assert (run.status, run.origin, run.build_id, run.owner) == (
        "succeeded",
        "sidecar",
        "elsewhere",
        "",
    )
    assert (run.inputs, run.metadata, run.environment) == (RUN.inputs, {"rows": 5}, ENVIRONMENT)
    assert run.code["parts"][0]["line"] == 31
    record = record_of(catalog)
    assert (record.state, record.token, record.observed_ns) == ("present", "stat:10:5:a:1", 9)
    assert record.fingerprint == fingerprint_of("a1")
    assert {task.task_hash for task in catalog.upstream("data/a.csv")} == {
        hash_of("x"),
        hash_of("y"),
    }
    assert catalog.task(hash_of("x")).is_stub


def test_indexed_twice_it_is_there_once(catalog: Catalog) -> None:
    index(catalog)
    before = {name: counted(catalog, name) for name in TABLES}
    usual = catalog.durations({"f" * 32: "Train"})
    index(catalog)
    assert before == {name: counted(catalog, name) for name in TABLES}
    assert catalog.durations({"f" * 32: "Train"}) == usual == {"f" * 32: 30.0}


def test_a_run_that_is_known_from_itself_is_not_degraded(catalog: Catalog) -> None:
    catalog.record_tasks([TASK, a_task("x"), a_task("y")])
    catalog.finish_run(replace(RUN, reasons=({"kind": "a"}, {"kind": "b"}), log="l"))
    before = (catalog.run(RUN.run_id), catalog.task(hash_of("a")), record_of(catalog))
    index(catalog, DOCUMENT | {"reason": {"kind": "other"}, "rows": 6})
    after = record_of(catalog)
    assert (catalog.run(RUN.run_id), catalog.task(hash_of("a"))) == before[:2]
    assert after.run == before[2].run
    catalog.record_tasks([TASK])
    assert catalog.task(hash_of("a")).family == "Train"


def test_a_run_that_died_before_the_catalog_knew_is_completed_as_our_own(catalog: Catalog) -> None:
    catalog.record_tasks([TASK])
    for mark in (False, True):
        number = 2 + mark
        catalog.start_run(
            run_id_of("a", number),
            hash_of("a"),
            build_id="build-1",
            reason={"kind": "missing"},
            reasons=(),
            started_at=at(1),
            owner=OWNER,
        )
        if mark:
            catalog.mark_interrupted(lambda owner: False)
        index(catalog, DOCUMENT | {"run_id": run_id_of("a", number), "build_id": "build-1"})
        run = catalog.run(run_id_of("a", number))
        assert (run.status, run.origin, run.owner, run.error) == ("succeeded", "local", OWNER, None)
        assert catalog.task(hash_of("a")).status == "fresh"
        assert record_of(catalog).run is not None


def test_an_older_sidecar_does_not_hide_a_newer_run(catalog: Catalog) -> None:
    catalog.record_tasks([TASK])
    catalog.finish_run(a_run("a", number=2, minute=20, content="2"))
    index(catalog, token=None)
    assert catalog.task(hash_of("a")).current_run_id == run_id_of("a", 2)
    record = record_of(catalog)
    assert record.run is not None
    assert (record.run.run_id, record.fingerprint) == (run_id_of("a", 2), fingerprint_of("a2"))
    assert len(catalog.runs(hash_of("a"))) == 2


def test_a_newer_sidecar_of_another_machine_becomes_the_record(catalog: Catalog) -> None:
    catalog.record_tasks([TASK])
    catalog.finish_run(a_run("a", minute=0, number=2))
    index(catalog, DOCUMENT | {"started_at": at(30), "ended_at": at(31)})
    record = record_of(catalog)
    assert record.run is not None
    assert record.run.run_id == RUN.run_id
    assert catalog.task(hash_of("a")).current_run_id == RUN.run_id


def test_an_old_version_that_was_put_back_with_its_sidecar_is_the_record_again(
    catalog: Catalog,
) -> None:
    catalog.record_tasks([TASK])
    catalog.finish_run(
        a_run("a", number=2, minute=20, outputs=[an_output("a", "2", observed_ns=1)])
    )
    index(catalog)
    record = record_of(catalog)
    assert record.run is not None
    assert (record.run.run_id, record.fingerprint) == (RUN.run_id, fingerprint_of("a1"))


def test_what_the_token_stands_for_may_be_something_else(catalog: Catalog) -> None:
    index(catalog, token="stat:edited", fingerprint=fingerprint_of("edited"))
    record = record_of(catalog)
    assert (record.token, record.fingerprint) == ("stat:edited", fingerprint_of("edited"))
    assert record.run is not None
    assert record.run.output_fingerprint == fingerprint_of("a1")
    (target,) = catalog.targets(uri_of("a"))
    assert (target.fingerprint, target.recorded_fingerprint) == (
        fingerprint_of("edited"),
        fingerprint_of("a1"),
    )


def test_without_a_look_nothing_is_said_about_what_is_there(catalog: Catalog) -> None:
    index(catalog, token=None)
    record = record_of(catalog)
    assert (record.state, record.fingerprint) == ("unknown", None)
    assert record.run is not None


def test_a_target_that_was_moved_counts_where_it_is(catalog: Catalog) -> None:
    index(catalog, uri="moved/a.csv")
    assert catalog.task("moved/a.csv").task_hash == hash_of("a")
    assert catalog.target_records([uri_of("a")]) == {}


def test_the_sidecars_of_one_run_come_together(catalog: Catalog) -> None:
    outputs = [an_output("left", place="left"), an_output("right", place="right")]
    run = a_run("both", outputs=outputs)
    task = a_task("both", outputs=[(each.place, each.uri, KIND) for each in outputs])
    for each in reversed(outputs):
        catalog.index_sidecar(
            sidecar_of(task, run, each), uri=each.uri, kind=KIND, token=each.token
        )
    (found,) = catalog.runs("data/left.csv")
    assert [each.uri for each in found.outputs] == [each.uri for each in outputs]
    assert [each.uri for each in catalog.targets(hash_of("both"))] == [each.uri for each in outputs]
    records = catalog.target_records([each.uri for each in outputs])
    assert {each.run.run_id for each in records.values() if each.run} == {run.run_id}
    assert catalog.task(hash_of("both")).status == "fresh"


def test_an_adopted_target_has_an_unknown_past(catalog: Catalog) -> None:
    run = replace(RUN, status="adopted", run_id=run_id_of("a", 5))
    index(catalog, sidecar_of(TASK, run))
    assert catalog.run(run.run_id).status == "adopted"
    assert catalog.task(hash_of("a")).status == "unknown"
    catalog.observe([seen("x"), seen("y", "changed")])
    assert catalog.task(hash_of("a")).status == "stale"


def test_what_a_run_yielded_is_known_from_the_sidecar(catalog: Catalog) -> None:
    run = replace(RUN, dynamic_upstream=(("yielded.0", hash_of("z")),))
    index(catalog, sidecar_of(TASK, run))
    ((yielded,),) = catalog.dynamic_upstream([hash_of("a")]).values()
    assert (yielded.place, yielded.task_hash) == ("yielded.0", hash_of("z"))


@pytest.mark.parametrize(
    "missing", ["code", "environment", "build_id", "reason", "module", "duration_s"]
)
def test_what_a_sidecar_may_leave_out(catalog: Catalog, missing: str) -> None:
    index(catalog, {key: value for key, value in DOCUMENT.items() if key != missing})
    assert catalog.task(hash_of("a")).status == "fresh"


def test_a_run_that_is_only_announced_is_not_indexed(catalog: Catalog) -> None:
    announced = {key: DOCUMENT[key] for key in ("format", "task_hash", "family", "run_id")}
    with pytest.raises(InvalidSidecar, match="has not ended"):
        index(catalog, announced | {"state": "running"})
    assert catalog.tasks() == ()
