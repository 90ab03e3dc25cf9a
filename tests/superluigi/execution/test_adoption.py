"""Results that no run of ours made, and results that are right under a new identity."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from superluigi.execution.adoption import adopt_outputs, write_new_identity
from superluigi.execution.order import ExpectedInput, RunOrder
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata
from superluigi_catalog.records import InputEntry, OutputEntry

pytestmark = pytest.mark.usefixtures("project")


class Made(AtomicTaskWithMetadata):
    n = IntParameter(default=1)

    def output(self):
        return LocalFileTarget("out/x")

    def run(self, output_path, metadata):
        metadata["note"] = "mine"
        Path(output_path).write_text("made")


INPUT = ExpectedInput(
    InputEntry("raw", "raw.txt", "LocalFileTarget", "sha256:1", task_hash="b" * 32), "/raw.txt", "t"
)


def order_for(task: Made) -> RunOrder:
    reason = {"kind": "adopted", "text": "was there", "details": {}}
    return RunOrder(
        run_id="the run",
        task_hash=task.task_id,
        build_id="the build",
        reason=reason,
        inputs=(INPUT,),
        upstream={"raw": "b" * 32},
    )


def standing(target: LocalFileTarget) -> list[Any]:
    seen = target.observe()
    entry = OutputEntry("", "out/x", target.kind, "sha256:2", size_bytes=seen.size_bytes)
    return [(entry, target, seen)]


def test_an_adopted_result_gets_a_sidecar_that_says_so() -> None:
    target = Made().output()
    target.makedirs()
    Path("out/x").write_text("found")
    record = adopt_outputs(Made(), order_for(Made()), standing(target))
    sidecar = target.metadata()
    assert sidecar["adopted"] is True
    assert sidecar["output"]["fingerprint"] == "sha256:2"
    assert sidecar["output"]["mtime_ns"] == Path("out/x").stat().st_mtime_ns
    assert sidecar["inputs"][0]["path"] == "raw.txt"
    assert sidecar["duration_s"] == 0.0
    assert (record.status, record.inputs, record.run_id) == ("adopted", (INPUT.entry,), "the run")
    assert Path("out/x").read_text() == "found"


def test_where_no_sidecar_can_be_written_the_record_alone_must_do() -> None:
    target = Made().output()
    target.makedirs()
    Path("out/x").write_text("found")
    Path("out/x.metadata.json").mkdir()
    assert adopt_outputs(Made(), order_for(Made()), standing(target)).status == "adopted"


def test_a_new_identity_keeps_what_the_run_that_made_the_bytes_said() -> None:
    Made(n=1).run()
    target = Made().output()
    before = target.metadata()
    order = order_for(Made(n=2))
    inputs = tuple(expected.entry for expected in order.inputs or ())
    write_new_identity(Made(n=2), order, inputs, [target])
    after = target.metadata()
    changed = {key for key in after if after[key] != before[key]}
    assert changed == {"task_hash", "params", "upstream", "inputs"}
    assert after["task_hash"] == Made(n=2).task_id
    assert after["params"] == {"n": "2"}
    assert after["note"] == "mine"
    assert after["run_id"] == before["run_id"]


def test_a_result_without_a_sidecar_or_with_an_unreadable_one_is_left_alone() -> None:
    target = Made().output()
    target.makedirs()
    for data in (None, "no JSON"):
        if data:
            Path("out/x.metadata.json").write_text(data)
        write_new_identity(Made(), order_for(Made()), (), [target])
        assert Path("out/x.metadata.json").exists() is bool(data)
