"""Rebuilding from an s3:// prefix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from superluigi import plan_task, run_task
from superluigi_catalog import Catalog, PlaceUnknown
from tests.s3_flows import S3Report
from tests.superluigi.places.conftest import lose_catalog


@pytest.fixture
def on_s3(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, s3: Any) -> Any:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    Path("superluigi.toml").touch()
    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hello")
    run_task(S3Report(), progress=False)
    return s3


def answers(catalog: Catalog) -> list[object]:
    task = S3Report()
    return [
        {each.task_hash for each in catalog.upstream(task)},
        {(e.place, e.upstream_hash, e.uri, e.fingerprint) for e in catalog.upstream(task).edges},
        [(each.uri, each.kind, each.fingerprint) for each in catalog.targets("s3://lake/clean/")],
        catalog.who_made("s3://lake/raw/raw.txt").family,
        catalog.task(task).status,
    ]


def test_the_rebuilt_catalog_answers_as_the_old_one_did(on_s3: Any) -> None:
    with Catalog() as catalog:
        before = answers(catalog)
    lose_catalog()
    with Catalog() as catalog:
        done = catalog.rebuild("s3://lake")
        assert (done.found, done.recorded, done.changed, done.problems) == (3, 3, 0, ())
        assert answers(catalog) == before
        assert catalog.rebuild("s3://lake/").unchanged == 3
    assert plan_task(S3Report()).to_run == ()


def test_a_root_without_a_slash_is_no_beginning_of_a_name(on_s3: Any) -> None:
    for key in ("clean.metadata.json", "clean/x.txt.metadata.json", "cleaner/x.txt.metadata.json"):
        if key != "clean.metadata.json":
            on_s3.put_object(Bucket="lake", Key=key, Body=b"{}")
    with Catalog() as catalog:
        done = catalog.rebuild("s3://lake/clean")
        assert done.found == 2
        assert [each.path for each in done.problems] == ["s3://lake/clean/x.txt.metadata.json"]


def test_an_object_that_others_replaced_is_left_to_the_next_plan(on_s3: Any) -> None:
    on_s3.put_object(Bucket="lake", Key="raw/raw.txt", Body=b"other")
    lose_catalog()
    with Catalog() as catalog:
        assert catalog.rebuild("s3://lake").changed == 1
        (target,) = catalog.targets("s3://lake/raw/raw.txt")
        assert (target.state, target.fingerprint) == ("present", None)
        assert catalog.task(S3Report()).status == "stale"
    assert [d.family for d in plan_task(S3Report()).to_run][-1:] != []


def test_a_sidecar_of_another_object_is_refused(on_s3: Any) -> None:
    body = on_s3.get_object(Bucket="lake", Key="raw/raw.txt.metadata.json")["Body"].read()
    on_s3.put_object(Bucket="lake", Key="victim.txt", Body=b"x")
    on_s3.put_object(Bucket="lake", Key="victim.txt.metadata.json", Body=body)
    document = json.loads(body)
    document["output"]["path"] = "s3://lake/../raw.txt"
    on_s3.put_object(
        Bucket="lake", Key="raw/raw.txt.metadata.json", Body=json.dumps(document).encode()
    )
    with Catalog() as catalog:
        problems = {each.path: each.problem for each in catalog.rebuild("s3://lake").problems}
        assert problems == {"s3://lake/victim.txt.metadata.json": "foreign"}


def test_no_such_bucket_is_an_error(on_s3: Any) -> None:
    with Catalog() as catalog, pytest.raises(PlaceUnknown, match="nowhere-at-all"):
        catalog.rebuild("s3://nowhere-at-all/x")


@pytest.mark.parametrize("table", ["s3", "s3.buckets.lake"])
def test_the_account_of_the_settings_is_used(
    on_s3: Any, s3_endpoint: str, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    lose_catalog()
    nobody = "http://127.0.0.1:9"
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", nobody)
    others = f'[s3]\nendpoint_url = "{nobody}"\n' if table != "s3" else ""
    Path("superluigi.toml").write_text(f'{others}[{table}]\nendpoint_url = "{s3_endpoint}"\n')
    with Catalog() as catalog:
        assert catalog.rebuild("s3://lake").recorded == 3
        assert catalog.verify().problems == ()
        assert catalog.verify(content=True).problems == ()
        assert catalog.rebuild("s3://lake").unchanged == 3
