"""Uploads that meet other writers, lost answers and limits."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import AccessDenied, ObjectChanged, SyncFailed
from superluigi.s3 import ObjectStore, client_for, multipart
from superluigi.s3 import upload as uploading
from superluigi.s3.uploads import (
    abort_orphaned_uploads,
    announced_upload,
    orphaned_uploads,
)
from tests.s3_server import BUCKET, Answer, FaultProxy

PART = 5 << 20


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "superluigi.toml").touch()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", PART)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", PART)


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
def test_a_condition_holds_for_an_upload_in_parts(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(bytes(PART + 1))
    put = store.put_file(BUCKET, "key", str(tmp_path / "file"), if_none_match=True)
    assert store.head(BUCKET, "key") == put
    assert put.etag.endswith("-2")

    with pytest.raises(ObjectChanged, match="another version"):
        store.put_file(BUCKET, "key", str(tmp_path / "file"), if_none_match=True)
    assert store.head(BUCKET, "key") == put


def is_completion(answer: Answer) -> bool:
    return answer.method == "POST" and "uploadId=" in answer.path


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("answer", ["lost", "an error with status 200"])
def test_a_completed_upload_whose_answer_was_lost_is_success(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path, answer: str
) -> None:
    (tmp_path / "file").write_bytes(b"x" * (PART + 1))

    def lose(on_its_way: Answer) -> None:
        if answer == "lost":
            on_its_way.cut_after = 0
        else:
            on_its_way.refuse(500, "InternalError")
            on_its_way.status = 200

    s3_faults.times(1, lose, when=is_completion)
    s3_faults.times(
        1,
        lambda a: a.refuse(404, "NoSuchUpload"),
        when=lambda a: is_completion(a) and a.status != 200,
    )

    put = store.put_file(BUCKET, "key", str(tmp_path / "file"), if_none_match=True)

    assert store.head(BUCKET, "key") == put
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads") is None


@pytest.mark.usefixtures("in_parts")
def test_an_upload_in_parts_that_another_writer_replaced_at_once_fails(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    (tmp_path / "file").write_bytes(bytes(PART + 1))

    def overwrite(method: str, _: str) -> None:
        if method == "HEAD":
            s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs")

    s3_faults.before.append(overwrite)

    with pytest.raises(SyncFailed, match="by another writer"):
        store.put_file(BUCKET, "key", str(tmp_path / "file"))


@pytest.mark.usefixtures("in_parts")
def test_an_upload_in_parts_that_fails_leaves_no_parts(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", b"old")
    (tmp_path / "file").write_bytes(bytes(2 * PART))
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"),
        when=lambda answer: "partNumber=2" in answer.path,
    )

    with pytest.raises(AccessDenied):
        store.put_file(BUCKET, "key", str(tmp_path / "file"))

    assert store.get_bytes(BUCKET, "key")[0] == b"old"
    assert s3.list_multipart_uploads(Bucket=BUCKET).get("Uploads") is None
    assert orphaned_uploads() == []


@pytest.mark.usefixtures("in_parts")
def test_an_upload_of_a_killed_process_is_found_and_aborted(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", b"old")
    (tmp_path / "file").write_bytes(bytes(2 * PART))
    theirs = s3.create_multipart_upload(Bucket=BUCKET, Key="key")["UploadId"]
    child = os.fork()
    if not child:
        client_for(store.spec).meta.events.register(
            "before-send.s3.CompleteMultipartUpload", lambda **_: os._exit(9)
        )
        store.put_file(BUCKET, "key", str(tmp_path / "file"))
        os._exit(0)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 9

    (orphan,) = orphaned_uploads()
    assert orphan.uri == "s3://lake/key"
    assert len(s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]) == 2
    assert abort_orphaned_uploads() == [orphan]

    (left,) = s3.list_multipart_uploads(Bucket=BUCKET)["Uploads"]
    assert left["UploadId"] == theirs
    assert orphaned_uploads() == []
    assert abort_orphaned_uploads() == []
    assert store.get_bytes(BUCKET, "key")[0] == b"old"


def test_an_upload_that_cannot_be_aborted_stops_no_other(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy
) -> None:
    for number, key in enumerate("abc"):
        upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key)["UploadId"]
        with announced_upload(store.spec, BUCKET, key, upload):
            note = next(p for p in Path(".superluigi/uploads").iterdir() if "dead" not in p.name)
            document = json.loads(note.read_text())
        document["owner"] = document["owner"].rpartition("|")[0] + "|1"  # another of the same id
        if key == "c":
            document["bucket"] = "deleted-meanwhile"
        Path(f".superluigi/uploads/dead-{number}.json").write_text(json.dumps(document))
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"),
        when=lambda a: a.path.startswith("/lake/a"),
    )

    with pytest.raises(AccessDenied, match="s3://lake/a"):
        abort_orphaned_uploads()

    assert [orphan.key for orphan in orphaned_uploads()] == ["a"]


def test_a_note_that_is_nonsense_is_none(tmp_path: Path) -> None:
    notes = Path(".superluigi/uploads")
    notes.mkdir(parents=True)
    for number, text in enumerate(("", "[]", "{}", '{"owner": 3}')):
        (notes / f"{number}.json").write_text(text)
    assert orphaned_uploads() == []


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
