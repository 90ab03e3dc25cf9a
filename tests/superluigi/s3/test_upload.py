"""Uploads that meet other writers, lost answers and limits."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import AccessDenied, ObjectChanged, SyncFailed, TargetError
from superluigi.s3 import ObjectStore
from superluigi.s3 import upload as uploading
from superluigi.s3.checksums import Digests
from tests.s3_server import BUCKET, Answer, FaultProxy

PART = 5 << 20


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", PART)
    monkeypatch.setattr(uploading, "_MIN_PART_BYTES", PART)


def is_put(answer: Answer) -> bool:
    return answer.method == "PUT"


def test_two_conditional_writes_that_met_are_repeated(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    store.put_bytes(BUCKET, "other", b"")
    s3_faults.times(2, lambda answer: answer.refuse(409, "ConditionalRequestConflict"), when=is_put)

    put = store.put_bytes(BUCKET, "key", b"data", if_none_match=True)

    assert store.head(BUCKET, "key") == put


def test_writes_that_always_meet_end_in_an_error(
    store: ObjectStore, s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading.time, "sleep", lambda _: None)
    other = ObjectStore()
    s3_faults.always(lambda answer: answer.refuse(409, "ConditionalRequestConflict"), when=is_put)
    s3_faults.always(lambda answer: answer.refuse(404, ""), when=lambda a: a.method == "HEAD")

    with pytest.raises(ObjectChanged, match="look again"):
        other.put_bytes(BUCKET, "key", b"data", if_none_match=True)
    assert s3_faults.requests.count("PUT /lake/key") == 5


def test_a_version_that_was_to_be_replaced_and_is_gone_is_said(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    s3_faults.always(lambda answer: answer.refuse(404, "NoSuchKey"), when=is_put)

    with pytest.raises(ObjectChanged, match="not there any more"):
        store.put_bytes(BUCKET, "key", b"data", if_match="0" * 32)


def test_a_refused_condition_and_a_refused_look_are_the_look(
    store: ObjectStore, s3_faults: FaultProxy
) -> None:
    s3_faults.always(lambda answer: answer.refuse(412, "PreconditionFailed"), when=is_put)
    s3_faults.always(lambda answer: answer.refuse(403, ""), when=lambda a: a.method == "HEAD")

    with pytest.raises(AccessDenied):
        store.put_bytes(BUCKET, "key", b"data", if_none_match=True)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("ending", ["overwritten", "deleted"])
def test_a_multipart_upload_that_another_writer_replaced_at_once_fails(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path, ending: str
) -> None:
    (tmp_path / "file").write_bytes(bytes(PART + 1))

    def interfere(method: str, _: str) -> None:
        if method == "HEAD" and ending == "overwritten":
            s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs")
        elif method == "HEAD":
            s3.delete_object(Bucket=BUCKET, Key="key")

    s3_faults.before.append(interfere)

    with pytest.raises(SyncFailed, match="by another writer"):
        store.put_file(BUCKET, "key", str(tmp_path / "file"))


@pytest.mark.usefixtures("in_parts")
def test_what_is_too_large_for_one_request_is_copied_in_parts(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"x" * (2 * PART + 1))
    put = store.put_file(BUCKET, "key", str(tmp_path / "file"), metadata={"who": "me"})
    monkeypatch.setattr(uploading, "_SINGLE_MAX_BYTES", PART)

    copied = store.copy(BUCKET, "key", BUCKET, "copy")

    assert copied.etag.endswith("-3")
    assert copied.metadata == put.metadata
    assert store.get_bytes(BUCKET, "copy")[0] == b"x" * (2 * PART + 1)


def test_a_condition_on_more_than_one_request_can_carry_is_refused(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    digests = Digests("0" * 64, "AAAAAA==", 6 << 30)

    with pytest.raises(TargetError, match="more than S3 takes under a condition"):
        store.put_file(BUCKET, "key", str(tmp_path / "file"), if_none_match=True, digests=digests)
    assert s3_faults.requests == []
