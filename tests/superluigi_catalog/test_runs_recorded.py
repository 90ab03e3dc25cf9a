from __future__ import annotations

from dataclasses import replace

import pytest

from superluigi_catalog import (
    AmbiguousHash,
    Catalog,
    InputEntry,
    OutputEntry,
    RecordRefused,
    TaskNotFound,
)
from superluigi_catalog.owner import this_owner
from tests.superluigi_catalog.entries import (
    CODE,
    ENVIRONMENT,
    KIND,
    OWNER,
    a_build,
    a_run,
    a_task,
    an_input,
    an_output,
    at,
    fingerprint_of,
    hash_of,
    run_id_of,
    seen,
    uri_of,
)
from tests.superluigi_catalog.test_record_tasks import counted


def start(catalog: Catalog, name: str, number: int = 1, minute: float = 0) -> None:
    catalog.start_run(
        run_id_of(name, number),
        hash_of(name),
        build_id="build-1",
        reason={"kind": "missing", "text": "t", "details": {}},
        reasons=[{"kind": "missing"}, {"kind": "forced"}],
        started_at=at(minute),
        owner=OWNER,
        log="logs/1.log",
    )


@pytest.fixture(autouse=True)
def declared(catalog: Catalog) -> None:
    catalog.record_tasks([a_task("a"), a_task("b", ["a"])])


def record_of(catalog: Catalog, name: str):  # type: ignore[no-untyped-def]
    return catalog.target_records([uri_of(name)], with_code_parts=True)[uri_of(name)]


def test_a_started_run_is_running(catalog: Catalog) -> None:
    catalog.start_build(a_build(1))
    start(catalog, "a")
    (run,) = catalog.runs("data/a.csv")
    assert (run.status, run.ended_at, run.build_id, run.log) == (
        "running",
        None,
        "build-1",
        "logs/1.log",
    )
    assert [reason["kind"] for reason in run.reasons] == ["missing", "forced"]
    assert catalog.task(hash_of("a")).status == "running"


def test_a_finished_run_has_all_that_was_handed_in(catalog: Catalog) -> None:
    start(catalog, "b")
    entry = a_run(
        "b",
        ["a"],
        code=CODE,
        environment=ENVIRONMENT,
        metadata={"rows": 5, "ü": None},
        build_id="build-1",
        log="",
    )
    catalog.finish_run(entry)
    run = catalog.run(entry.run_id)
    assert (run.status, run.duration_s, run.ended_at) == ("succeeded", 30.0, entry.ended_at)
    assert run.inputs == entry.inputs
    assert run.outputs == tuple(replace(output, token=None) for output in entry.outputs)
    assert run.metadata == {"rows": 5, "ü": None}
    assert run.environment == ENVIRONMENT
    assert run.code_fingerprint == "code1:aa"
    assert run.code["parts"] == [{k: v for k, v in CODE["parts"][0].items() if k != "source"}]
    assert (run.log, run.owner) == ("logs/1.log", OWNER)
    assert [reason["kind"] for reason in run.reasons] == ["missing", "forced"]
    assert run.to_dict()["inputs"][0]["task_hash"] == hash_of("a")


def test_a_run_that_was_never_started_can_be_finished(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    assert catalog.task(hash_of("a")).last_status == "succeeded"


def test_a_run_of_a_task_that_nobody_declared_is_kept(catalog: Catalog) -> None:
    catalog.finish_run(a_run("stranger"))
    assert catalog.task(uri_of("stranger")).is_stub
    assert record_of(catalog, "stranger").run.family == ""


def test_it_becomes_the_record_of_its_target(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("b", ["a"], code=CODE, environment=ENVIRONMENT))
    record = record_of(catalog, "b")
    assert (record.state, record.token) == ("present", "stat:10:5:b:1")
    assert record.fingerprint == record.run.output_fingerprint == fingerprint_of("b1")
    assert record.observed_ns > 0
    assert record.run.run_id == run_id_of("b")
    assert record.run.inputs == (an_input("a"),)
    assert record.run.code_parts[0]["line"] == 31
    assert record.run.environment == ENVIRONMENT


@pytest.mark.parametrize("status", ["failed", "interrupted"])
def test_a_run_that_did_not_succeed_leaves_the_records_alone(catalog: Catalog, status: str) -> None:
    catalog.finish_run(a_run("a"))
    before = record_of(catalog, "a")
    start(catalog, "a", 2)
    catalog.finish_run(
        a_run(
            "a",
            number=2,
            status=status,
            outputs=[an_output("a", "2")],
            error_type="ValueError",
            error="bad",
            traceback="Traceback…",
        )
    )
    assert record_of(catalog, "a") == before
    run = catalog.runs(hash_of("a"))[0]
    assert (run.status, run.error_type, run.error, run.traceback) == (
        status,
        "ValueError",
        "bad",
        "Traceback…",
    )
    task = catalog.task(hash_of("a"))
    assert (task.status, task.last_run_id) == ("fresh", run_id_of("a", 2))
    assert task.current_run_id == run_id_of("a")


@pytest.mark.parametrize("status", ["unchanged", "adopted", "shared"])
def test_what_stands_for_a_target_without_running_becomes_its_record(
    catalog: Catalog, status: str
) -> None:
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("a", number=2, status=status))
    assert record_of(catalog, "a").run.run_id == run_id_of("a", 2)
    assert record_of(catalog, "a").run.status == status


def test_finished_twice_it_is_there_once(catalog: Catalog) -> None:
    entry = a_run("b", ["a"], code=CODE, environment=ENVIRONMENT)
    catalog.finish_run(entry)
    tables = (
        "runs",
        "run_inputs",
        "run_outputs",
        "contents",
        "targets",
        "code",
        "environments",
        "edges",
    )
    before = {name: counted(catalog, name) for name in tables}
    usual = catalog.durations({"f" * 32: "Step"})
    catalog.finish_run(entry)
    assert before == {name: counted(catalog, name) for name in tables}
    assert catalog.durations({"f" * 32: "Step"}) == usual


def test_the_last_word_about_a_run_stands(catalog: Catalog) -> None:
    catalog.finish_run(a_run("b", ["a"], status="interrupted"))
    catalog.finish_run(a_run("b", [an_input("a", "other")]))
    (run,) = catalog.runs(hash_of("b"))
    assert (run.status, run.inputs) == ("succeeded", (an_input("a", "other"),))


def test_starting_a_run_that_has_ended_changes_nothing(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    start(catalog, "a")
    assert catalog.run(run_id_of("a")).status == "succeeded"


def test_sharing_a_run_does_not_overwrite_the_record_of_the_build_that_made_it(
    catalog: Catalog,
) -> None:
    catalog.finish_run(a_run("a", metadata={"rows": 1}))
    catalog.finish_run(a_run("a", status="shared"))
    run = catalog.run(run_id_of("a"))
    assert (run.status, run.metadata) == ("succeeded", {"rows": 1})


def test_a_run_that_ends_late_does_not_hide_a_newer_start(catalog: Catalog) -> None:
    start(catalog, "a", 1, 0)
    start(catalog, "a", 2, 1)
    catalog.finish_run(a_run("a", number=1, minute=0))
    task = catalog.task(hash_of("a"))
    assert (task.last_run_id, task.current_run_id) == (run_id_of("a", 2), run_id_of("a", 1))
    assert task.status == "running"


def test_sources_of_code_are_kept_once_and_not_in_the_parts(catalog: Catalog) -> None:
    moved = {**CODE, "parts": [{**CODE["parts"][0], "line": 77}]}
    catalog.finish_run(a_run("a", code=CODE))
    catalog.finish_run(a_run("a", number=2, code=dict(CODE)))
    catalog.finish_run(a_run("a", number=3, code=moved))
    assert (counted(catalog, "code"), counted(catalog, "code_sources")) == (2, 1)
    assert catalog.run(run_id_of("a", 2)).code["parts"][0]["line"] == 31
    assert catalog.run(run_id_of("a", 3)).code["parts"][0]["line"] == 77


def test_a_task_without_code_or_with_its_fingerprint_switched_off(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", code=None))
    catalog.finish_run(a_run("b", code={"fingerprint": None, "parts": []}))
    assert record_of(catalog, "a").run.code_fingerprint is None
    assert record_of(catalog, "b").run.code_fingerprint is None


def test_several_outputs_and_inputs_keep_their_places(catalog: Catalog) -> None:
    outputs = [an_output(f"out{number}", place=str(number)) for number in range(12)]
    inputs = [an_input(f"in{number}", place=f"up.{number}") for number in range(12)]
    catalog.finish_run(a_run("many", inputs, outputs=outputs))
    run = catalog.run(run_id_of("many"))
    assert [each.place for each in run.outputs] == [str(number) for number in range(12)]
    assert [each.place for each in run.inputs] == [f"up.{number}" for number in range(12)]
    assert record_of(catalog, "out7").run.output_place == "7"


def test_an_object_of_a_bucket_keeps_its_version(catalog: Catalog) -> None:
    uri = "s3://bucket/x.csv"
    output = OutputEntry(
        "", uri, "S3ObjectTarget", "sha256:x", 5, etag="e1", version_id="v1", token="etag:e1:5"
    )
    catalog.finish_run(a_run("a", outputs=[output]))
    read = InputEntry(
        "a", uri, "S3ObjectTarget", "sha256:x", 5, "e1", "v1", hash_of("a"), run_id_of("a")
    )
    catalog.finish_run(a_run("b", [read]))
    # The same bytes again are the same content, but another version of the object.
    again = replace(output, etag="e2", version_id="v2", token="etag:e2:5")
    catalog.finish_run(a_run("a", number=2, outputs=[again]))
    record = catalog.target_records([uri])[uri]
    assert (record.etag, record.version_id) == ("e2", "v2")
    assert catalog.run(run_id_of("b")).inputs == (read,)
    assert catalog.run(run_id_of("a", 1)).outputs[0].version_id == "v1"
    assert counted(catalog, "contents") == 2


def test_an_input_that_nobody_made_has_no_task(catalog: Catalog) -> None:
    raw = InputEntry("raw", "raw.csv", KIND, "sha256:r", 1)
    catalog.finish_run(a_run("a", [raw]))
    assert catalog.run(run_id_of("a")).inputs == (raw,)


def test_an_input_whose_run_alone_is_named_gets_its_task_from_the_run(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a"))
    catalog.finish_run(a_run("b", [replace(an_input("a"), task_hash=None)]))
    assert catalog.run(run_id_of("b")).inputs == (an_input("a"),)


def test_a_run_that_is_only_named_is_not_listed(catalog: Catalog) -> None:
    catalog.finish_run(a_run("b", ["a"]))
    assert len(catalog.runs()) == 1
    with pytest.raises(TaskNotFound):
        catalog.run(run_id_of("a"))
    catalog.finish_run(a_run("a"))
    assert len(catalog.runs()) == 2


def test_what_json_cannot_hold_is_recorded_as_text(catalog: Catalog) -> None:
    odd = {"nan": float("nan"), "inf": float("-inf"), "set": {1}, "tuple": (1, 2), "big": 10**40}
    catalog.finish_run(a_run("a", metadata=odd))
    assert catalog.run(run_id_of("a")).metadata == {
        "nan": "NaN",
        "inf": "-Infinity",
        "set": "{1}",
        "tuple": [1, 2],
        "big": 10**40,
    }


def test_a_status_that_does_not_exist_is_refused(catalog: Catalog) -> None:
    with pytest.raises(RecordRefused):
        catalog.finish_run(a_run("a", status="done"))
    with pytest.raises(RecordRefused):
        catalog.end_build("build-1", status="done", ended_at=at(2), counts={})


def test_the_time_of_the_look_is_the_runs_own_where_it_is_told(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", outputs=[an_output("a", observed_ns=123)]))
    assert record_of(catalog, "a").observed_ns == 123
    catalog.observe([seen("a", "2", observed_ns=122)])
    assert record_of(catalog, "a").fingerprint == fingerprint_of("a1")


def test_builds_are_listed_newest_first_with_what_became_of_them(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        catalog.start_build(
            a_build(number, argv=("run", "x"), arguments={"force": True}, directory="d")
        )
    catalog.end_build(
        "build-2", status="failed", ended_at=at(9), counts={"failed": 1}, error="boom"
    )
    catalog.start_build(a_build(2))
    builds = catalog.builds()
    assert [build.build_id for build in builds] == ["build-3", "build-2", "build-1"]
    assert (builds[1].status, builds[1].counts, builds[1].error) == (
        "failed",
        {"failed": 1},
        "boom",
    )
    assert catalog.build("build-2") == builds[1]
    assert builds[0].to_dict()["argv"] == ["run", "x"]
    assert len(catalog.builds(limit=2)) == 2
    with pytest.raises(TaskNotFound):
        catalog.build("build-4")


def test_a_build_that_a_run_only_mentions_is_not_listed(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", build_id="elsewhere"))
    assert catalog.builds() == ()
    assert catalog.runs()[0].build_id == "elsewhere"


def test_runs_are_listed_newest_first_by_task_and_by_build(catalog: Catalog) -> None:
    catalog.start_build(a_build(1))
    for number in (2, 1, 3):
        catalog.finish_run(a_run("a", number=number, minute=number, build_id=f"build-{number}"))
    catalog.finish_run(a_run("b", ["a"], minute=9, build_id="build-1"))
    assert [run.started_at for run in catalog.runs()] == [at(9), at(3), at(2), at(1)]
    assert [run.started_at for run in catalog.runs(hash_of("a"), limit=2)] == [at(3), at(2)]
    assert {run.task_hash for run in catalog.runs(build="build-1")} == {hash_of("a"), hash_of("b")}
    assert len(catalog.runs("data/a.csv", build="build-1")) == 1
    with pytest.raises(TaskNotFound):
        catalog.runs(build="build-9")
    assert [run.started_at for run in catalog.runs(since=at(3))] == [at(9), at(3)]
    last = catalog.runs(limit=2)[-1]
    assert [run.started_at for run in catalog.runs(after=last.run_id)] == [at(2), at(1)]
    with pytest.raises(TaskNotFound, match="No run with the id 'none' is recorded"):
        catalog.runs(after="none")


def test_runs_are_listed_by_what_became_of_them(catalog: Catalog) -> None:
    for number, status in enumerate(("succeeded", "failed", "interrupted", "adopted")):
        catalog.finish_run(a_run("a", number=number, minute=number, status=status))
    host, boot, pid, _ = this_owner().split("|")
    for name, owner in (("lives", this_owner()), ("dead", f"{host}|{boot}|{pid}|1")):
        catalog.start_run(
            name, hash_of("a"), build_id=None, reason={}, reasons=(), started_at=at(9), owner=owner
        )
    assert [run.status for run in catalog.runs(status="failed")] == ["failed"]
    assert [run.run_id for run in catalog.runs(status="interrupted")] == [
        "dead",
        run_id_of("a", 2),
    ]
    assert [run.run_id for run in catalog.runs(status="running")] == ["lives"]
    assert len(catalog.runs(status=["succeeded", "adopted", "failed"])) == 3
    with pytest.raises(ValueError, match=r"'done' is no status\. Choose from running, succeeded"):
        catalog.runs(status="done")


def test_builds_are_paged_and_named_by_their_beginning(catalog: Catalog) -> None:
    for number in (1, 2, 3):
        catalog.start_build(a_build(number, build_id=f"01a20388-000{number}"))
    first = catalog.builds(limit=1)
    assert first[0].build_id == "01a20388-0003"
    assert [build.build_id[-1] for build in catalog.builds(after=first[0].build_id)] == ["2", "1"]
    assert [build.build_id[-1] for build in catalog.builds(since=at(2))] == ["3", "2"]
    with pytest.raises(AmbiguousHash, match="several builds"):
        catalog.build("01a20388")
    with pytest.raises(TaskNotFound, match="No build with the id '01a2038' is recorded"):
        catalog.build("01a2038")
    catalog.start_build(a_build(4, build_id="01a20389-0001"))
    assert catalog.build("01a20389").build_id == "01a20389-0001"
