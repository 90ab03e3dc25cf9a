from __future__ import annotations

from dataclasses import replace

import pytest

from superluigi_catalog import Catalog, InputEntry, Observed, OutputEntry
from tests.superluigi_catalog.entries import (
    KIND,
    a_build,
    a_run,
    a_task,
    at,
    hash_of,
    run_id_of,
    sidecar_of,
)

HOSTILE = [
    "'; DROP TABLE tasks; --",
    '" OR 1=1 --',
    "\x1b[31m\x9b\u202e",
    "[bold]x[/bold] {} %s ? :a @b $c",
    "nul\0inside",
    "lone \udc80\udcff surrogate",
    "漢字 👩\u200d🚀 \U0010ffff",
    "two\nlines\r\n",
    "back\\slash \\udc80",
    " ",
    "x" * 100_000,
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_text_is_recorded_everywhere_and_found_again(catalog: Catalog, text: str) -> None:
    uri = f"data/{text}"
    entry = replace(
        a_task("a", {text: "up"}, params={text: text}, insignificant_params={text: text}),
        family=text,
        module=text,
        outputs=((text, uri, text),),
        luigi_task_id=text,
    )
    catalog.record_tasks([entry])
    catalog.record_tasks([entry])
    catalog.start_build(a_build(1, host=text, argv=(text,), arguments={text: text}, owner=text))
    catalog.start_run(
        text,
        hash_of("a"),
        build_id="build-1",
        reason={text: text},
        reasons=[{text: text}],
        started_at=at(1),
        owner=text,
        log=text,
    )
    output = OutputEntry(
        text, uri, text, f"sha256:{text}", 1, etag=text, version_id=text, token=text
    )
    source = InputEntry(
        text, f"raw/{text}", text, f"etag:{text}", 1, text, text, hash_of("up"), f"r{text}"
    )
    run = a_run(
        "a",
        [source],
        outputs=[output],
        code={"fingerprint": text, "parts": [{"name": text, "fingerprint": text, "source": text}]},
        environment={text: text},
        metadata={text: text},
        error_type=text,
        error=text,
        traceback=text,
        run_id=text,
    )
    catalog.finish_run(run)
    catalog.observe([Observed(f"raw/{text}", text, "present", text, f"etag:{text}", error=text)])
    catalog.end_build("build-1", status="failed", ended_at=at(2), counts={}, error=text)

    record = catalog.target_records([uri], with_code_parts=True)[uri]
    assert record.uri == uri
    assert record.run is not None
    assert record.run.params == {text: text}
    assert record.run.environment == {text: text}
    task = catalog.task(uri)
    assert (task.task_hash, task.params) == (hash_of("a"), {text: text})
    assert catalog.tasks(family=text, params={text: text}) == (task,)
    catalog.tasks(search=text)
    assert catalog.run(text).metadata == {text: text}
    assert len(catalog.makers(uri)) == 1
    assert len(catalog.history(uri)) == 1
    assert catalog.upstream(uri).edges[0].upstream_hash == hash_of("up")
    assert catalog.builds()[0].argv == (text,)
    assert catalog.durations({hash_of("new"): text}) == {hash_of("new"): 30.0}
    str(catalog.upstream(uri)).encode()
    assert catalog.tasks()[0].task_hash == hash_of("a")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_any_sidecar_is_indexed(catalog: Catalog, text: str) -> None:
    task = replace(a_task("a", {text: "up"}, params={text: text}), family=text)
    run = a_run(
        "a",
        [InputEntry(text, text, text, f"x:{text}", task_hash=hash_of("up"), run_id=text)],
        outputs=[OutputEntry(text, f"d/{text}", KIND, f"x:{text}", token=text)],
        metadata={text: text},
        run_id=run_id_of("a"),
    )
    for _ in range(2):
        catalog.index_sidecar(sidecar_of(task, run), uri=f"d/{text}", kind=KIND, token=text)
    assert catalog.task(f"d/{text}").params == {text: text}


def test_names_of_files_that_are_no_utf8_stay_apart(catalog: Catalog) -> None:
    catalog.finish_run(a_run("a", outputs=[OutputEntry("", "x\udc80", KIND, "sha256:a")]))
    catalog.finish_run(a_run("b", outputs=[OutputEntry("", "x\udc81", KIND, "sha256:b")]))
    records = catalog.target_records(["x\udc80", "x\udc81"])
    assert records["x\udc80"].run is not None
    assert records["x\udc80"].run.task_hash == hash_of("a")
    assert len(records) == 2


def test_two_names_with_one_storable_form_are_one_target(catalog: Catalog) -> None:
    catalog.observe([Observed("x\udc80", KIND, "missing"), Observed("x\\udc80", KIND, "missing")])
    assert (
        len(catalog.target_records(["x\udc80"])) == len(catalog.target_records(["x\\udc80"])) == 1
    )
