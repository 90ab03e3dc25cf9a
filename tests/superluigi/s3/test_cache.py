"""The cache: downloaded once, never stale, never garbled, nothing outside its directory."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import BucketMissing, SyncFailed, TargetMissing
from superluigi.s3 import Cache, ObjectStat, ObjectStore
from superluigi.s3 import cache as caching
from superluigi.s3 import download as downloading
from superluigi.s3.hand_out import local_name
from superluigi.s3.lock import patient_lock
from tests.s3_server import BUCKET, FaultProxy


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path / "cache")


@pytest.fixture
def requests(store: ObjectStore, s3_faults: FaultProxy) -> list[str]:
    """What was asked of the store since the test began."""
    return s3_faults.requests


def blobs(cache: Cache) -> list[Path]:
    return sorted(path for path in cache.root.glob("cas/v1/*/*") if path.is_file())


def left_in_tmp(cache: Cache) -> list[Path]:
    """What is left in the directories of the processes that used it."""
    return list((cache.root / "tmp").glob("*/*"))


def read(cache: Cache, store: ObjectStore, key: str = "key", **options: Any) -> bytes:
    return Path(cache.fetch(store, BUCKET, key, **options).path).read_bytes()


def test_an_object_is_downloaded_once_and_then_only_looked_at(
    cache: Cache, store: ObjectStore, requests: list[str]
) -> None:
    put = store.put_bytes(BUCKET, "key", b"data")
    requests.clear()

    first = cache.fetch(store, BUCKET, "key")
    assert requests == ["GET /lake/key"]
    second = cache.fetch(store, BUCKET, "key")

    assert requests == ["GET /lake/key", "HEAD /lake/key"]
    assert second == first
    assert first.stat == put
    assert first.sha256 == hashlib.sha256(b"data").hexdigest()
    assert Path(first.path).stat().st_mode & 0o777 == 0o444
    assert left_in_tmp(cache) == []


def test_an_overwrite_of_the_same_size_by_another_client_is_seen(
    cache: Cache, store: ObjectStore, s3: Any
) -> None:
    store.put_bytes(BUCKET, "key", b"old!")
    assert read(cache, store) == b"old!"

    s3.put_object(Bucket=BUCKET, Key="key", Body=b"new!")

    assert read(cache, store) == b"new!"


def test_what_was_just_listed_need_not_be_asked_for_again(
    cache: Cache, store: ObjectStore, requests: list[str]
) -> None:
    for key in ("a", "b", "c"):
        store.put_bytes(BUCKET, key, key.encode())
    cache.fetch_many(store, list(store.list_objects(BUCKET)))
    requests.clear()

    again = cache.fetch_many(store, list(store.list_objects(BUCKET)))

    assert [Path(copy.path).read_bytes() for copy in again] == [b"a", b"b", b"c"]
    assert requests == ["GET /lake"]


def test_a_pinned_version_is_fetched_without_any_request_the_second_time(
    cache: Cache, store: ObjectStore, s3: Any, requests: list[str]
) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    old = store.put_bytes(BUCKET, "key", b"old")
    store.put_bytes(BUCKET, "key", b"new")

    assert read(cache, store, version_id=old.version_id) == b"old"
    requests.clear()
    assert read(cache, store, version_id=old.version_id) == b"old"
    assert requests == []
    assert read(cache, store) == b"new"


def test_a_forced_fetch_ignores_what_is_here(
    cache: Cache, store: ObjectStore, requests: list[str]
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    cache.fetch(store, BUCKET, "key")
    requests.clear()

    assert read(cache, store, force=True) == b"data"
    assert requests == ["GET /lake/key"]


def test_what_was_just_uploaded_is_never_downloaded(
    cache: Cache, store: ObjectStore, requests: list[str], tmp_path: Path
) -> None:
    for consume in (False, True):
        path = tmp_path / "result"
        path.write_bytes(b"result %d" % consume)
        put = store.put_file(BUCKET, "key", str(path))
        assert put.sha256 is not None
        added = cache.add(store, str(path), put, put.sha256, consume=consume)
        requests.clear()

        assert cache.fetch(store, BUCKET, "key") == added
        assert requests == ["HEAD /lake/key"]
        assert read(cache, store) == b"result %d" % consume
        assert path.exists() is not consume


def test_a_file_that_is_no_longer_what_was_uploaded_does_not_enter(
    cache: Cache, store: ObjectStore, tmp_path: Path
) -> None:
    path = tmp_path / "result"
    path.write_bytes(b"uploaded")
    put = store.put_file(BUCKET, "key", str(path))
    assert put.sha256 is not None

    path.write_bytes(b"changed!")
    assert cache.add(store, str(path), put, put.sha256) is None
    path.write_bytes(b"longer than it was")
    assert cache.add(store, str(path), put, put.sha256, consume=True) is None

    assert blobs(cache) == []
    assert read(cache, store) == b"uploaded"


@pytest.mark.parametrize(
    "damage", [b"", b"dat", b"DATA", b"data and more"], ids=["empty", "short", "other", "long"]
)
def test_a_damaged_blob_is_noticed_and_downloaded_again(
    cache: Cache, store: ObjectStore, damage: bytes
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    path = Path(cache.fetch(store, BUCKET, "key").path)
    path.chmod(0o644)
    path.write_bytes(damage)

    assert read(cache, store) == b"data"
    assert path.stat().st_mode & 0o777 == 0o444


def test_a_blob_that_was_only_touched_is_read_but_not_downloaded(
    cache: Cache, store: ObjectStore, requests: list[str]
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    path = cache.fetch(store, BUCKET, "key").path
    os.utime(path, (1, 1))
    requests.clear()

    for _ in range(2):
        assert read(cache, store) == b"data"
    assert requests == ["HEAD /lake/key"] * 2


def test_after_a_restart_of_the_machine_a_blob_is_read_once_before_it_is_trusted(
    cache: Cache, store: ObjectStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    path = Path(cache.fetch(store, BUCKET, "key").path)
    before = path.stat()
    path.chmod(0o644)
    path.write_bytes(b"\0\0\0\0")  # what a power loss can leave
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    path.chmod(0o444)
    assert read(cache, store) == b"\0\0\0\0"  # nothing but the boot tells

    monkeypatch.setattr(caching, "_boot", lambda: "another boot")

    assert read(cache, store) == b"data"


@pytest.mark.parametrize(
    "index", [b"", b"{", b"[]", b'{"format": "superluigi-cache/9"}', b"\xff\xfe", b"[" * 100_000]
)
def test_a_broken_index_costs_a_download_and_nothing_else(
    cache: Cache, store: ObjectStore, index: bytes
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    cache.fetch(store, BUCKET, "key")
    (entry,) = cache.root.glob("index/v1/*/*.json")
    entry.write_bytes(index)

    assert read(cache, store) == b"data"
    assert read(cache, store) == b"data"


def test_a_lost_cache_is_made_again(cache: Cache, store: ObjectStore) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    for part in ("cas", "index", "tmp", "locks", ""):
        cache.fetch(store, BUCKET, "key")
        shutil.rmtree(cache.root / part)
        assert read(cache, store) == b"data"


def test_an_object_that_was_deleted_is_missing_although_a_copy_is_here(
    cache: Cache, store: ObjectStore, s3: Any
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    cache.fetch(store, BUCKET, "key")
    store.delete_many(BUCKET, ["key"])

    with pytest.raises(TargetMissing, match="'s3://lake/key' does not exist"):
        cache.fetch(store, BUCKET, "key")
    with pytest.raises(TargetMissing):
        cache.fetch(store, BUCKET, "never-there")
    s3.delete_bucket(Bucket=BUCKET)
    with pytest.raises(BucketMissing):
        cache.fetch(ObjectStore(), BUCKET, "key")


def test_bytes_that_did_not_arrive_right_never_enter(
    cache: Cache,
    store: ObjectStore,
    s3_faults: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(downloading, "_FIRST_PAUSE_S", 0.001)
    store.put_bytes(BUCKET, "key", b"data")
    s3_faults.always(lambda answer: answer.flip(0), when=lambda answer: answer.is_object_read)

    with pytest.raises(SyncFailed):
        cache.fetch(store, BUCKET, "key")
    assert blobs(cache) == []
    assert left_in_tmp(cache) == []

    s3_faults.reset()
    assert read(cache, store) == b"data"


def test_an_upload_that_failed_leaves_the_remote_bytes_in_force(
    cache: Cache, store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", b"old")
    (tmp_path / "new").write_bytes(b"new")

    def refuse_before_it_is_stored(method: str, path: str) -> None:
        if method == "PUT":
            raise ConnectionAbortedError

    s3_faults.before.append(refuse_before_it_is_stored)
    with pytest.raises(ConnectionError):
        store.put_file(BUCKET, "key", str(tmp_path / "new"))

    s3_faults.reset()
    assert read(cache, store) == b"old"


@pytest.mark.parametrize(
    "key", ["../../evil", "/abs/evil", "C:\\evil", "a//b/", "x" * 300, "é" * 512, "..", "a\x00b"]
)
def test_no_key_leads_out_of_the_cache(
    cache: Cache, store: ObjectStore, tmp_path: Path, key: str
) -> None:
    if "\x00" not in key and key != "..":  # moto's routes know neither
        store.put_bytes(BUCKET, key, b"data")
        copy = cache.fetch(store, BUCKET, key)
    else:
        store.put_bytes(BUCKET, "key", b"data")
        copy = cache.fetch(store, BUCKET, "key")
    work = tmp_path / "work"
    work.mkdir()

    path = Path(cache.hand_out(copy, str(work), key))

    assert path.parent == work
    assert path.read_bytes() == b"data"
    assert {entry.name for entry in tmp_path.iterdir()} == {"cache", "work"}


def test_equal_bytes_under_many_keys_are_kept_once(cache: Cache, store: ObjectStore) -> None:
    for key in ("k", "k/x", "a/b", "a//b", "Case", "case"):
        store.put_bytes(BUCKET, key, b"same" if key != "case" else b"another")

    copies = {key: read(cache, store, key) for key in ("k", "k/x", "a/b", "a//b", "Case", "case")}

    assert copies.pop("case") == b"another"
    assert set(copies.values()) == {b"same"}
    assert len(blobs(cache)) == 2


def test_what_is_handed_out_cannot_change_the_cache(
    cache: Cache, store: ObjectStore, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "folder/table.csv.gz", b"data")
    copy = cache.fetch(store, BUCKET, "folder/table.csv.gz")
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()

    mine = Path(cache.hand_out(copy, str(tmp_path / "a"), "folder/table.csv.gz", writable=True))
    mine.write_bytes(b"changed")
    shared = Path(cache.hand_out(copy, str(tmp_path / "b"), "folder/table.csv.gz"))

    assert mine.name == shared.name == "table.csv.gz"
    assert shared.read_bytes() == b"data"
    assert shared.stat().st_mode & 0o222 == 0
    shared.unlink()
    assert read(cache, store, "folder/table.csv.gz") == b"data"


def test_writing_through_a_link_as_root_harms_the_next_reader_nothing(
    cache: Cache, store: ObjectStore, tmp_path: Path
) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    copy = cache.fetch(store, BUCKET, "key")
    path = Path(cache.hand_out(copy, str(tmp_path), "key"))
    path.chmod(0o644)
    path.write_bytes(b"DATA")

    assert read(cache, store) == b"data"


def test_where_nothing_can_be_linked_a_copy_is_handed_out(
    cache: Cache, store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "link", refuse)
    store.put_bytes(BUCKET, "key", b"data")
    copy = cache.fetch(store, BUCKET, "key")

    path = Path(cache.hand_out(copy, str(tmp_path), "key"))

    assert path.read_bytes() == b"data"
    assert not path.samefile(copy.path)


def test_the_local_name_of_a_key_keeps_its_end() -> None:
    assert local_name("a/b.csv.gz") == "b.csv.gz"
    assert local_name("a/b/") == "b"
    assert local_name("/") == local_name("..") == local_name("a/..") == local_name("") == "object"
    assert local_name("tab\t \U0001f98e.txt") == "tab\t \U0001f98e.txt"
    assert local_name("a\0b") == "a_b"
    assert local_name("x" * 400 + ".parquet").endswith(".parquet")
    assert len(local_name("é" * 400).encode()) <= 255


def test_another_store_with_the_same_names_has_copies_of_its_own(
    cache: Cache, store: ObjectStore, s3_endpoint: str
) -> None:
    put = store.put_bytes(BUCKET, "key", b"data")
    cache.fetch(store, BUCKET, "key")

    class Elsewhere(ObjectStore):
        identity = "https://elsewhere.example"

    assert cache.find(store, put) is not None
    assert cache.find(Elsewhere(), put) is None
    assert cache.find(store, ObjectStat(BUCKET, "key", 4, "another etag")) is None
    assert cache.find(store, ObjectStat(BUCKET, "key", 4, "")) is None


def fetch_in_a_process(root: str, size: int, without_locks: bool) -> int:
    if without_locks:
        import fcntl

        fcntl.flock = lambda *_: None  # as some network filesystems do
    copy = Cache(root).fetch(ObjectStore(), BUCKET, "large")
    data = Path(copy.path).read_bytes()
    return int(data == b"x" * size)


@pytest.mark.parametrize("without_locks", [False, True])
@pytest.mark.parametrize(
    ("processes", "size"),
    [(3, 3_000_000), pytest.param(16, 9_000_000, marks=pytest.mark.faults)],
    ids=["few", "many"],
)
def test_processes_that_read_one_cold_object_at_once_all_get_it_whole(
    cache: Cache,
    store: ObjectStore,
    requests: list[str],
    without_locks: bool,
    processes: int,
    size: int,
) -> None:
    store.put_bytes(BUCKET, "large", b"x" * size)
    requests.clear()

    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        arguments = [(str(cache.root), size, without_locks)] * 2 * processes
        results = pool.starmap(fetch_in_a_process, arguments, chunksize=1)
        pool.close()
        pool.join()

    assert results == [1] * 2 * processes
    assert len(blobs(cache)) == 1
    assert left_in_tmp(cache) == []
    if not without_locks:
        assert requests.count("GET /lake/large") == 1


def test_a_lock_that_somebody_holds_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "abc"
    with patient_lock(path) as waited:
        assert not waited
        with patient_lock(path, patience_s=0.05) as waited:
            assert waited
    with patient_lock(path) as waited:
        assert not waited
    (tmp_path / "file").touch()
    with patient_lock(tmp_path / "file" / "abc") as waited:
        assert not waited


def test_a_key_is_never_taken_for_its_neighbour(cache: Cache, store: ObjectStore) -> None:
    for key in ("a\u00e9", "ae\u0301", "a/b", "a//b", "./x", "x"):
        store.put_bytes(BUCKET, key, key.encode())
    for _ in range(2):
        for key in ("a\u00e9", "ae\u0301", "a/b", "a//b", "./x", "x"):
            assert read(cache, store, key) == key.encode()
