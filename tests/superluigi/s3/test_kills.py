"""Processes that are killed (SIGKILL) in the middle of a transfer: old bytes or new ones, and nothing left for long."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from superluigi.s3 import Cache, ObjectStore, multipart
from superluigi.s3 import download as downloading
from superluigi.s3 import upload as uploading
from superluigi.s3.lock import patient_lock
from superluigi.s3.uploads import abort_orphaned_uploads, orphaned_uploads
from tests.s3_server import BUCKET, FaultProxy

PART = 5 << 20
DATA = b"".join(i.to_bytes(4, "big") for i in range(400_000))


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "superluigi.toml").touch()
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


def killed(
    faults: FaultProxy,
    work: Callable[[], object],
    *,
    at: Callable[[str, str], bool],
    arrives: bool = False,
) -> None:
    """Do the work in a child that is killed when a request for which `at` holds has left it.

    Args:
        arrives: Whether the store carries that request out.
    """
    child = os.fork()
    if not child:
        work()
        os._exit(0)

    def kill(method: str, path: str) -> None:
        if at(method, path):
            os.kill(child, signal.SIGKILL)
            if not arrives:
                raise ConnectionAbortedError

    if arrives:
        faults.faults.append(lambda answer: kill(answer.method, answer.path))
    else:
        faults.before.append(kill)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    faults.reset()


def left_over() -> list[str]:
    return [str(path) for path in Path(".superluigi").rglob("*superluigi-tmp*")]


@pytest.mark.parametrize("arrives", [False, True])
def test_in_a_single_put_the_old_object_stands_or_the_new_one(
    store: ObjectStore, s3: Any, s3_faults: FaultProxy, arrives: bool
) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"old")
    Path("file").write_bytes(DATA)

    killed(
        s3_faults,
        lambda: store.put_file(BUCKET, "key", "file"),
        at=lambda method, _: method == "PUT",
        arrives=arrives,
    )

    if arrives:
        store.get_file(BUCKET, "key", "got")
        assert Path("got").read_bytes() == DATA
    else:
        assert store.get_bytes(BUCKET, "key")[0] == b"old"
    store.put_file(BUCKET, "key", "file")
    assert store.head(BUCKET, "key").size_bytes == len(DATA)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("at", "arrives", "stands"),
    [("partNumber=2", False, b"old"), ("partNumber=2", True, b"old"), ("uploadId=", True, None)],
    ids=["in a part", "after a part", "after all is complete"],
)
def test_in_an_upload_in_parts_what_is_left_is_found_and_aborted(
    store: ObjectStore,
    s3: Any,
    s3_faults: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
    arrives: bool,
    stands: bytes | None,
) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", PART)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", PART)
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"old")
    data = os.urandom(3 * PART)
    Path("file").write_bytes(data)
    method = "POST" if stands is None else "PUT"

    killed(
        s3_faults,
        lambda: store.put_file(BUCKET, "key", "file"),
        at=lambda asked, path: asked == method and at in path,
        arrives=arrives,
    )

    (orphan,) = orphaned_uploads()
    assert abort_orphaned_uploads() == [orphan]
    assert "Uploads" not in s3.list_multipart_uploads(Bucket=BUCKET)
    assert orphaned_uploads() == []
    assert store.get_bytes(BUCKET, "key")[0] == (data if stands is None else stands)


@pytest.mark.parametrize("in_ranges", [False, True])
def test_in_a_download_no_copy_enters_and_the_next_one_is_whole(
    store: ObjectStore, s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch, in_ranges: bool
) -> None:
    if in_ranges:
        monkeypatch.setattr(downloading, "RANGED_FROM_BYTES", len(DATA) // 2)
        monkeypatch.setattr(downloading, "PART_BYTES", len(DATA) // 8)
    store.put_bytes(BUCKET, "key", DATA)
    cache, reads = Cache(".superluigi/cache"), 0

    def is_in_the_middle(method: str, _: str) -> bool:
        nonlocal reads
        reads += method == "GET"
        return reads == (4 if in_ranges else 1)

    killed(s3_faults, lambda: cache.fetch(store, BUCKET, "key"), at=is_in_the_middle)

    assert not list(Path(".superluigi/cache").glob("cas/**/*"))
    assert left_over() != []
    copy = Cache(".superluigi/cache").fetch(store, BUCKET, "key")
    assert Path(copy.path).read_bytes() == DATA
    (own,) = left_over()  # this process's
    assert str(os.getpid()) in own


def test_a_lock_goes_with_the_process_that_held_it(tmp_path: Path) -> None:
    path, (reader, writer) = tmp_path / "lock", os.pipe()
    child = os.fork()
    if not child:
        with patient_lock(path):
            os.write(writer, b"held")
            signal.pause()
    os.read(reader, 4)
    with patient_lock(path, patience_s=0.05) as waited:
        assert waited
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)

    with patient_lock(path) as waited:
        assert not waited
    os.close(reader)
    os.close(writer)
