"""Stores that ignore conditions, or know none: found out once, and written to with more care."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import ObjectChanged, SyncFailed
from superluigi.s3 import ObjectStore, capabilities, multipart
from superluigi.s3 import upload as uploading
from superluigi.s3.capabilities import Capabilities
from superluigi.s3.client import client_for
from tests.s3_server import BUCKET, Answer, FaultProxy

PART = 5 << 20
IGNORES = Capabilities(if_none_match=False, if_match=False)
KEEPS = Capabilities(if_none_match=True, if_match=True)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "superluigi.toml").touch()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    capabilities._known.clear()
    return ObjectStore()


@pytest.fixture
def lying(store: ObjectStore, s3_faults: FaultProxy) -> ObjectStore:
    s3_faults.ignores_conditions = True
    return store


def keys(s3: Any) -> list[str]:
    return [row["Key"] for row in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())]


@pytest.mark.parametrize("ignores", [False, True])
def test_a_store_is_tried_once_and_nothing_stays(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, ignores: bool
) -> None:
    s3_faults.ignores_conditions = ignores
    store.put_bytes(BUCKET, "a/key", b"data", if_none_match=True)

    assert store.capabilities(BUCKET, "a/key") == (IGNORES if ignores else KEEPS)
    assert keys(s3) == ["a/key"]
    asked = [request for request in s3_faults.requests if "/lake/a/.superluigi-probe-" in request]
    assert [request.split()[0] for request in asked] == ["PUT", "PUT", "PUT", "DELETE"]

    s3_faults.requests.clear()
    capabilities._known.clear()  # another process
    assert store.capabilities(BUCKET, "b") == (IGNORES if ignores else KEEPS)
    assert s3_faults.requests == []
    (note,) = Path(".superluigi/stores").iterdir()
    document = json.loads(note.read_text())
    assert document["store"] == s3_faults.url
    assert document["keeps"] == {"if_none_match": not ignores, "if_match": not ignores}


def test_the_probe_leaves_no_version_behind(store: ObjectStore, s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    assert store.capabilities(BUCKET, "x" * 1024) == KEEPS
    answer = s3.list_object_versions(Bucket=BUCKET)
    assert "Versions" not in answer
    assert "DeleteMarkers" not in answer


def test_amazon_is_not_tried(monkeypatch: pytest.MonkeyPatch, s3_endpoint: str) -> None:
    monkeypatch.delenv("AWS_ENDPOINT_URL_S3")
    client = client_for(ObjectStore().spec)
    assert capabilities.capabilities_of(client, BUCKET, "key") == KEEPS


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": "superluigi-store/1"}'])
def test_a_note_that_is_nonsense_is_made_again(
    store: ObjectStore, s3_faults: FaultProxy, text: str
) -> None:
    store.capabilities(BUCKET, "key")
    (note,) = Path(".superluigi/stores").iterdir()
    note.write_text(text)
    capabilities._known.clear()
    assert store.capabilities(BUCKET, "key") == KEEPS
    assert json.loads(note.read_text())["store"] == s3_faults.url


def test_where_the_probe_is_refused_conditions_are_sent_and_not_relied_on(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy
) -> None:
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"), when=lambda a: "probe" in a.path
    )
    store.put_bytes(BUCKET, "key", b"data", if_none_match=True)
    assert store.capabilities(BUCKET, "key") == Capabilities()
    assert not Path(".superluigi/stores").exists()
    s3_faults.requests.clear()
    with pytest.raises(ObjectChanged, match="not tried"):
        store.put_bytes(BUCKET, "key", b"other", if_none_match=True)
    assert s3_faults.requests == ["HEAD /lake/key"]


@pytest.mark.parametrize("stands", [None, b"theirs"])
def test_a_store_that_ignores_conditions_overwrites_nothing_of_others(
    lying: ObjectStore, s3: Any, stands: bytes | None
) -> None:
    first = lying.put_bytes(BUCKET, "key", b"ours", if_none_match=True)
    if stands is None:
        s3.delete_object(Bucket=BUCKET, Key="key")
    else:
        s3.put_object(Bucket=BUCKET, Key="key", Body=stands)

    with pytest.raises(ObjectChanged, match="another version stands there"):
        lying.put_bytes(BUCKET, "key", b"new", if_match=first.etag)
    if stands is not None:
        with pytest.raises(ObjectChanged):
            lying.put_bytes(BUCKET, "key", b"new", if_none_match=True)
        assert lying.get_bytes(BUCKET, "key")[0] == stands
        theirs = lying.head(BUCKET, "key")
        assert theirs is not None
        lying.put_bytes(BUCKET, "key", b"new", if_match=theirs.etag)
        assert lying.get_bytes(BUCKET, "key")[0] == b"new"


def test_a_writer_that_was_overtaken_in_between_is_told_so(
    lying: ObjectStore, s3: Any, s3_faults: FaultProxy
) -> None:
    lying.capabilities(BUCKET, "key")
    looks = 0

    def overtake(method: str, path: str) -> None:
        nonlocal looks
        looks += method == "HEAD"
        if looks == 2:
            s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs")

    s3_faults.before.append(overtake)
    with pytest.raises(SyncFailed, match="another writer as soon as it was uploaded"):
        lying.put_bytes(BUCKET, "key", b"ours", if_none_match=True)


def test_an_upload_in_parts_looks_first_whatever_the_store_keeps(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", PART)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", PART)
    Path("file").write_bytes(os.urandom(PART))
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs")
    s3_faults.requests.clear()

    with pytest.raises(ObjectChanged):
        store.put_file(BUCKET, "key", "file", if_match="0" * 32)
    with pytest.raises(ObjectChanged):
        store.put_file(BUCKET, "key", "file", if_none_match=True)

    assert s3_faults.requests == ["HEAD /lake/key"] * 2


def test_a_store_that_says_that_it_knows_no_conditions_is_not_asked_again(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    def refuse(answer: Answer) -> None:
        if {"if-match", "if-none-match"} & {name.lower() for name in answer.request_headers}:
            answer.refuse(501, "NotImplemented")

    s3_faults.always(refuse, when=lambda answer: answer.method == "PUT")

    for number in range(3):
        store.put_bytes(BUCKET, f"key-{number}", b"data", if_none_match=True)

    assert store.capabilities(BUCKET, "key") == IGNORES
    puts = [each for each in s3_faults.requests if each.startswith("PUT /lake/key")]
    assert len(puts) == 3
