"""Downloads through a store that misbehaves: right bytes, or an error, and nothing half-way."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import ObjectChanged, SyncFailed, TargetError
from superluigi.s3 import ObjectStore
from superluigi.s3 import download as downloading
from superluigi.s3 import upload as uploading
from tests.s3_server import BUCKET, Answer, FaultProxy

PART = 100_000
DATA = b"".join(i.to_bytes(4, "big") for i in range(100_000))


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "_FIRST_PAUSE_S", 0.001)


@pytest.fixture(params=["whole", "in ranges"])
def store(
    s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> ObjectStore:
    """A store from which objects come in one stream, or in several ranges."""
    if request.param == "in ranges":
        monkeypatch.setattr(downloading, "RANGED_FROM_BYTES", 2 * PART)
        monkeypatch.setattr(downloading, "PART_BYTES", PART)
    return ObjectStore()


def is_read(answer: Answer) -> bool:
    return answer.is_object_read and answer.status in (200, 206)


@pytest.mark.parametrize("writer", ["ours", "theirs"])
def test_one_flipped_byte_is_detected_and_fetched_again(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path, writer: str
) -> None:
    if writer == "ours":
        store.put_bytes(BUCKET, "key", DATA)
    else:
        s3.put_object(Bucket=BUCKET, Key="key", Body=DATA)
    s3_faults.times(1, lambda answer: answer.flip(1234), when=is_read)

    store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    assert (tmp_path / "copy").read_bytes() == DATA


def test_bytes_that_never_are_right_are_never_handed_over(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    (tmp_path / "copy").write_bytes(b"old")
    store.put_bytes(BUCKET, "key", DATA)
    s3_faults.always(lambda answer: answer.flip(1234), when=is_read)

    with pytest.raises(SyncFailed, match=r"did not arrive whole in 5 downloads.*nothing of it"):
        store.get_file(BUCKET, "key", str(tmp_path / "copy"))
    with pytest.raises(SyncFailed):
        store.get_bytes(BUCKET, "key")

    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_a_flipped_byte_of_a_multipart_object_is_detected(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", PART)
    (tmp_path / "source").write_bytes(DATA)
    put = store.put_file(BUCKET, "key", str(tmp_path / "source"))
    assert put.etag.endswith("-1")
    s3_faults.times(2, lambda answer: answer.flip(99_999), when=is_read)

    store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    assert (tmp_path / "copy").read_bytes() == DATA


def test_a_body_that_breaks_off_is_fetched_again(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", DATA)

    def cut(answer: Answer) -> None:
        answer.cut_after = 50_000

    s3_faults.times(2, cut, when=is_read)

    store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    assert (tmp_path / "copy").read_bytes() == DATA
    s3_faults.times(2, cut, when=is_read)
    assert store.get_bytes(BUCKET, "key")[0] == DATA


def test_a_body_that_always_breaks_off_is_an_error(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", DATA)

    def cut(answer: Answer) -> None:
        answer.cut_after = 50_000

    s3_faults.always(cut, when=is_read)

    with pytest.raises(SyncFailed, match="did not arrive whole"):
        store.get_file(BUCKET, "key", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


def test_an_object_overwritten_during_its_download_is_all_old_or_all_new(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", DATA)
    reads = 0

    def overwrite_at_third_read(method: str, path: str) -> None:
        nonlocal reads
        reads += method == "GET"
        if reads == 3:
            s3.put_object(Bucket=BUCKET, Key="key", Body=DATA[::-1])

    s3_faults.before.append(overwrite_at_third_read)

    downloaded = store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    copy = (tmp_path / "copy").read_bytes()
    assert copy == (DATA if reads < 3 else DATA[::-1])
    assert (downloaded.stat.sha256 is not None) == (reads < 3)


def test_an_object_that_is_overwritten_all_the_time_is_an_error(
    s3: Any, s3_faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "RANGED_FROM_BYTES", 2 * PART)
    monkeypatch.setattr(downloading, "PART_BYTES", PART)
    s3.put_object(Bucket=BUCKET, Key="key", Body=DATA)
    writes = 0

    def overwrite(method: str, path: str) -> None:
        nonlocal writes
        writes += 1
        s3.put_object(Bucket=BUCKET, Key="key", Body=bytes([writes % 256]) + DATA)

    s3_faults.before.append(overwrite)

    with pytest.raises(ObjectChanged, match="overwritten during each of 5 downloads"):
        ObjectStore().get_file(BUCKET, "key", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_said_and_nothing_is_left(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_bytes(BUCKET, "key", DATA)

    def full(*_: Any) -> Any:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(downloading, "_write_to", full)

    with pytest.raises(TargetError, match=r"No space left in .* for 's3://lake/key'"):
        store.get_file(BUCKET, "key", str(tmp_path / "copy"))
    assert list(tmp_path.iterdir()) == []
