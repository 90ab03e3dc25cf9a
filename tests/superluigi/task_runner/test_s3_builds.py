"""Builds into S3, on a real server over HTTP."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi.errors import BucketMissing, BuildFailed, StoreUnavailable
from superluigi.s3.offline import working_offline
from superluigi.targets import S3ObjectTarget
from superluigi_catalog import Catalog
from tests import s3_flows
from tests.flows import ran
from tests.s3_server import FaultProxy

EVERYTHING = ["S3Clean", "S3Raw", "S3Report"]


def build(task: Any, **options: Any) -> list[str]:
    run_task(task, **{"progress": False, **options})
    return sorted(ran())


def get(s3: Any, key: str) -> str:
    return s3.get_object(Bucket="lake", Key=key)["Body"].read().decode()


@pytest.fixture(autouse=True)
def _source(s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hello")


@pytest.mark.parametrize("num_workers", [1, 2])
def test_the_first_build_makes_everything_and_the_second_runs_nothing(
    s3: Any, num_workers: int
) -> None:
    assert build(s3_flows.S3Report(), num_workers=num_workers) == EVERYTHING
    assert build(s3_flows.S3Report(), num_workers=num_workers) == []
    key = f"report/{s3_flows.S3Report().task_id}.txt"
    assert get(s3, key) == "hhello"
    sidecar = json.loads(get(s3, f"{key}.metadata.json"))
    assert [row["path"] for row in sidecar["inputs"]] == [
        "s3://lake/clean/",
        "s3://lake/raw/raw.txt",
    ]
    assert sidecar["output"]["etag"]
    assert list(Path(".superluigi/tmp").iterdir()) == []


def test_an_object_that_others_overwrite_with_the_same_size_is_seen(s3: Any) -> None:
    build(s3_flows.S3Report())
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"jello")
    assert build(s3_flows.S3Report()) == EVERYTHING
    assert get(s3, f"report/{s3_flows.S3Report().task_id}.txt") == "jjello"


def test_bytes_that_come_out_the_same_cut_the_rest_off(s3: Any) -> None:
    build(s3_flows.S3Clean())
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hallo")
    assert build(s3_flows.S3Clean()) == ["S3Clean", "S3Raw"]
    result = run_task(
        s3_flows.S3Report(), force_upstream_to_task_cls=s3_flows.S3Clean, progress=False
    )
    assert result.ok
    ran()
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hallo")
    assert build(s3_flows.S3Report()) == []


def test_a_deleted_intermediate_is_not_made_again_unless_something_needs_it(s3: Any) -> None:
    build(s3_flows.S3Report())
    s3.delete_object(Bucket="lake", Key="raw/raw.txt")
    assert build(s3_flows.S3Report()) == []
    s3.delete_object(Bucket="lake", Key=f"report/{s3_flows.S3Report().task_id}.txt")
    assert build(s3_flows.S3Report()) == ["S3Raw", "S3Report"]


def test_a_lost_catalog_and_a_lost_cache_change_no_decision(s3: Any) -> None:
    build(s3_flows.S3Report())
    shutil.rmtree(".superluigi")
    assert build(s3_flows.S3Report()) == []
    with Catalog() as catalog:
        assert {task.family for task in catalog.upstream(s3_flows.S3Report())} >= {
            "S3Clean",
            "S3Raw",
        }
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"other")
    assert build(s3_flows.S3Report()) == EVERYTHING


def test_forcing_and_a_failing_forced_run(s3: Any) -> None:
    build(s3_flows.S3Report())
    assert build(s3_flows.S3Report(), force=True) == ["S3Report"]
    assert build(s3_flows.S3Report(), force_upstream=True) == EVERYTHING
    assert build(s3_flows.S3Report(), force_upstream_to_task_cls=s3_flows.S3Clean) == [
        "S3Clean",
        "S3Report",
    ]
    Path("fail").touch()
    with pytest.raises(BuildFailed):
        build(s3_flows.S3Report(), force=True)
    ran()
    assert get(s3, f"report/{s3_flows.S3Report().task_id}.txt") == "hhello"
    assert build(s3_flows.S3Report()) == []


def test_a_failing_forced_run_that_writes_in_place_puts_the_old_object_back(s3: Any) -> None:
    build(s3_flows.S3InPlace())
    Path("next.txt").write_text("new")
    Path("fail").touch()
    with pytest.raises(BuildFailed):
        build(s3_flows.S3InPlace(), force=True)
    assert get(s3, "inplace.txt") == "1"
    Path("fail").unlink()
    ran()
    assert build(s3_flows.S3InPlace()) == []
    keys = [row["Key"] for row in s3.list_objects_v2(Bucket="lake")["Contents"]]
    assert sorted(key for key in keys if key.startswith(("inplace", ".superluigi"))) == [
        "inplace.txt",
        "inplace.txt.metadata.json",
    ]


def test_objects_that_stand_without_a_record_are_adopted_and_watched(s3: Any) -> None:
    s3.put_object(Bucket="lake", Key="raw/raw.txt", Body=b"made before")
    assert build(s3_flows.S3Raw()) == []
    assert json.loads(get(s3, "raw/raw.txt.metadata.json"))["adopted"] is True
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"newer")
    assert build(s3_flows.S3Raw()) == ["S3Raw"]


def test_a_download_happens_once(s3: Any) -> None:
    build(s3_flows.S3Report())
    fetched: list[str] = []
    from superluigi.s3.client import ClientSpec, client_for

    client_for(ClientSpec()).meta.events.register(
        "before-call.s3.GetObject", lambda params, **_: fetched.append(params["url_path"])
    )
    build(s3_flows.S3Report(), force_upstream=True)
    assert [path for path in fetched if not path.endswith(("metadata.json", ".next"))] == []


def test_an_object_without_its_sidecar_is_what_a_dead_run_left(s3: Any) -> None:
    build(s3_flows.S3Raw())
    s3.delete_object(Bucket="lake", Key="raw/raw.txt.metadata.json")
    shutil.rmtree(".superluigi")
    assert build(s3_flows.S3Raw()) == ["S3Raw"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_build_killed_between_object_and_sidecar_is_mended_by_the_next(
    s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    build(s3_flows.S3Raw())
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"newer text")
    pid = os.fork()
    if pid == 0:
        from superluigi.targets.s3_publish import PendingObject

        original = PendingObject.commit
        from superluigi.targets.s3 import S3TargetWithMetadata

        monkeypatch.setattr(S3TargetWithMetadata, "write_sidecar", lambda *_: os._exit(9))
        assert original is PendingObject.commit
        run_task(s3_flows.S3Raw(), progress=False)
        os._exit(0)
    _, status = os.waitpid(pid, 0)
    assert status == 9 << 8
    assert get(s3, "raw/raw.txt") == "newer text"
    ran()
    result = run_task(s3_flows.S3Raw(), progress=False)
    assert ran() == ["S3Raw"]
    assert result.ran[0].reasons[0].kind == "interrupted"
    assert build(s3_flows.S3Raw()) == []


@pytest.mark.parametrize("page", [900, 1])
def test_sidecars_that_were_deleted_are_written_again(
    s3: Any, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The sidecar of a prefix of more than a page may be written while the other pages are listed.
    monkeypatch.setattr("superluigi.targets.s3_prefix._ONE_PAGE", page)
    build(s3_flows.S3Report())
    rows = s3.list_objects_v2(Bucket="lake")["Contents"]
    keys = [row["Key"] for row in rows if row["Key"].endswith(".metadata.json")]
    before = {key: json.loads(get(s3, key)) for key in keys}
    assert len(keys) == 3
    for key in keys:
        s3.delete_object(Bucket="lake", Key=key)

    assert build(s3_flows.S3Report()) == []

    after = {key: json.loads(get(s3, key)) for key in keys}
    for key in keys:
        assert after[key]["run_id"] == before[key]["run_id"]
        assert after[key]["output"]["etag"] == before[key]["output"]["etag"]
    named = after["clean.metadata.json"]["output"]["contents"]
    assert named == before["clean.metadata.json"]["output"]["contents"]


def test_offline_records_and_local_copies_have_to_do(s3: Any, s3_faults: FaultProxy) -> None:
    report = s3_flows.S3Report()
    build(report)
    folder = s3_flows.S3Clean().output().download()
    s3_faults.requests.clear()

    assert build(report, offline=True) == []
    assert not plan_task(report, offline=True).has_work
    with working_offline(True):
        assert s3_flows.S3Clean().output().download() == folder
        local = build(s3_flows.LocalReport(), num_workers=2)
    assert local == ["LocalReport"]
    assert Path("local-report.txt").read_text() == "hhello"
    with pytest.raises(BuildFailed, match="nothing is uploaded while offline"):
        build(report, force=True, offline=True)
    shutil.rmtree(".superluigi/cache")
    with pytest.raises(BuildFailed, match="not among the local copies"):
        build(s3_flows.LocalReport(), force=True, offline=True)
    assert s3_faults.requests == []
    Path(".superluigi/catalog.db").unlink()
    with pytest.raises(StoreUnavailable, match="Nothing is recorded"):
        build(report, offline=True)
    assert build(report) == []


def test_local_output_hands_back_local_paths(s3: Any) -> None:
    result = run_task(s3_flows.S3Clean(), local_output=True, progress=False)
    assert Path(result.outputs, "sub", "second.txt").read_text() == "hh"
    result = run_task(s3_flows.S3Raw(), local_output=True, progress=False)
    assert Path(result.outputs).read_text() == "hello"


@pytest.mark.parametrize("cls", [s3_flows.S3Raw, s3_flows.S3Report])
def test_force_local_download_fetches_inputs_again_that_are_in_the_cache(
    s3_faults: FaultProxy, cls: Any
) -> None:
    def fetched(**options: Any) -> int:
        s3_faults.requests.clear()
        run_task(cls(), force=True, progress=False, **options)
        inputs = ("GET /lake/source.txt", "GET /lake/raw/raw.txt", "GET /lake/clean/first.txt")
        return sum(request in inputs for request in s3_faults.requests)

    run_task(cls(), progress=False)
    assert fetched() == 0
    assert fetched(force_local_download=True) == (1 if cls is s3_flows.S3Raw else 2)


def test_a_missing_bucket_is_said_before_anything_runs(s3: Any) -> None:
    class Elsewhere(s3_flows.S3Raw):
        def output(self):
            return S3ObjectTarget("nowhere", "raw.txt")

    with pytest.raises(BucketMissing, match="nowhere"):
        build(Elsewhere())
    assert ran() == []


@pytest.mark.parametrize("folder", [False, True])
def test_a_task_that_writes_into_its_input_publishes_nothing_and_harms_nobody(
    s3: Any, folder: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superluigi.s3.hand_out._clone", lambda *_: False)  # so that it is a link
    build(s3_flows.S3Report())

    def spoil(self, input_path, output_path):
        first, raw = Path(input_path[0], "first.txt"), Path(input_path[1])
        spoiled = first if folder else raw
        spoiled.chmod(0o600)
        spoiled.write_text("spoiled")
        Path(output_path).write_text("of spoiled inputs")

    class SpoilingReport(s3_flows.LocalReport):
        run = spoil

    with pytest.raises(BuildFailed, match="was written to while SpoilingReport was running"):
        build(SpoilingReport())
    assert not Path("local-report.txt").exists()

    build(s3_flows.LocalReport())
    assert Path("local-report.txt").read_text() == "hhello"
