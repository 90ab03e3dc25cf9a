"""The cache keeps within its limits, and removes nothing that is in use."""

from __future__ import annotations

import errno
import os
import threading
from pathlib import Path

import pytest

from superluigi.errors import StoreUnavailable, TargetError
from superluigi.s3 import Cache, ObjectStore, cache_space
from superluigi.s3 import download as downloading
from superluigi.s3.offline import OFFLINE_VARIABLE, is_offline, working_offline
from superluigi.targets import S3ObjectTarget
from superluigi.targets.s3 import cache_of
from superluigi_catalog.project import find_project
from tests.s3_server import BUCKET, FaultProxy

SIZE = 100_000


@pytest.fixture
def store(s3_faults: FaultProxy) -> ObjectStore:
    return ObjectStore()


def limited(tmp_path: Path, copies: float) -> Cache:
    return Cache(tmp_path / "cache", max_bytes=int(copies * SIZE))


def put(store: ObjectStore, *keys: str) -> None:
    for key in keys:
        store.put_bytes(BUCKET, key, key.encode().ljust(SIZE, b"."))


def kept(cache: Cache, store: ObjectStore, *keys: str) -> list[str]:
    """The keys that have a copy; no request."""
    with working_offline(True):
        found = []
        for key in keys:
            try:
                cache.fetch(store, BUCKET, key)
            except StoreUnavailable:
                continue
            found.append(key)
    return found


def used(cache: Cache, store: ObjectStore, key: str, *, seconds_ago: float) -> None:
    path = cache.fetch(store, BUCKET, key).path
    status = Path(path).stat()
    os.utime(path, ns=(status.st_atime_ns - int(seconds_ago * 1e9), status.st_mtime_ns))


def test_what_was_not_used_for_the_longest_time_goes_first(
    store: ObjectStore, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    put(store, "a", "b", "c", "d")
    cache = limited(tmp_path, 3.2)
    for age, key in enumerate(("c", "b", "a")):
        used(cache, store, key, seconds_ago=1000 - 100 * age)
    cache.fetch(store, BUCKET, "c")  # used again now

    cache.fetch(store, BUCKET, "d")

    assert kept(cache, store, "a", "b", "c", "d") == ["c", "d"]
    assert cache.space.usage().size_bytes <= 3.2 * SIZE
    s3_faults.requests.clear()
    assert Path(cache.fetch(store, BUCKET, "b").path).read_bytes().startswith(b"b.")
    assert s3_faults.requests == ["GET /lake/b"]


def test_copies_that_were_used_while_the_clock_was_an_hour_ahead_make_room_too(
    store: ObjectStore, tmp_path: Path
) -> None:
    put(store, "a", "b", "c", "d")
    cache = limited(tmp_path, 3.2)
    used(cache, store, "a", seconds_ago=-3600)
    used(cache, store, "b", seconds_ago=-3600)
    used(cache, store, "c", seconds_ago=1000)

    cache.fetch(store, BUCKET, "d")

    assert kept(cache, store, "a", "b", "c", "d") == ["c", "d"]


def test_a_copy_that_a_task_was_handed_stays(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a", "b", "c")
    cache = limited(tmp_path, 1)
    monkeypatch.setattr(cache_space, "_JUST_NOW_NS", 0)
    held = cache.hand_out(cache.fetch(store, BUCKET, "a"), str(tmp_path), "a")
    assert Path(held).stat().st_nlink > 1, "this filesystem clones: nothing to be tested here"
    cache.fetch(store, BUCKET, "b")
    cache.fetch(store, BUCKET, "c")

    assert kept(cache, store, "a", "b", "c")[0] == "a"
    assert cache.space.usage().in_use == 1

    Path(held).unlink()
    cache.space.trim()
    assert cache.space.usage().size_bytes <= SIZE


def test_a_lasting_local_copy_goes_with_its_blob(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "a", "b")
    cache = Cache(tmp_path / "cache")
    path = cache.local_copy(cache.fetch(store, BUCKET, "a"), "a")
    both = [(key, cache.fetch(store, BUCKET, key)) for key in ("a", "b")]
    folder = cache.local_tree(both, "folder")
    usage = cache.space.usage()
    assert (usage.copies, usage.size_bytes, usage.in_use) == (2, 2 * SIZE, 0)

    assert cache.space.clear() == 2 * SIZE

    assert not Path(path).exists()
    assert not Path(folder).exists()
    assert cache.space.usage().copies == 0
    assert list(cache.root.glob("index/v1/*/*.json")) == []


def test_an_empty_cache_has_nothing_to_remove(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "none", max_bytes=1, min_free_bytes=1)
    assert cache.space.usage().copies == cache.space.clear() == 0
    assert cache.space.verify().copies == 0
    assert not cache.root.exists() or not list(cache.root.glob("cas/**/*"))


def test_room_is_left_on_the_disk(store: ObjectStore, tmp_path: Path) -> None:
    put(store, "a", "b")
    cache = Cache(tmp_path / "cache", min_free_bytes=1 << 60)
    used(cache, store, "a", seconds_ago=100)

    cache.fetch(store, BUCKET, "b")

    assert kept(cache, store, "a", "b") == ["b"]


def test_processes_that_each_add_little_are_counted_together(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache_space, "_JUST_NOW_NS", 0)
    keys = [f"key-{number}" for number in range(12)]
    put(store, *keys)
    for key in keys:
        Cache(tmp_path / "cache", max_bytes=4 * SIZE).fetch(store, BUCKET, key)
    assert Cache(tmp_path / "cache").space.usage().size_bytes <= 4 * SIZE


def test_a_full_disk_is_answered_with_room_first(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(store, "a", "b")
    cache = Cache(tmp_path / "cache")
    cache.fetch(store, BUCKET, "a")
    arrive = downloading._write_to

    def write(*arguments: object) -> object:
        if cache.space.usage().copies:
            raise OSError(errno.ENOSPC, "full")
        return arrive(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(downloading, "_write_to", write)

    assert Path(cache.fetch(store, BUCKET, "b").path).exists()
    monkeypatch.setattr(
        downloading, "_write_to", lambda *_: (_ for _ in ()).throw(OSError(errno.ENOSPC, "full"))
    )
    with pytest.raises(TargetError, match="No space left"):
        cache.fetch(store, BUCKET, "a")
    assert list((cache.root / "tmp").glob("*/*")) == []


@pytest.mark.usefixtures("project")
def test_readers_get_whole_bytes_while_the_cache_holds_one_object(
    store: ObjectStore, tmp_path: Path
) -> None:
    keys = [f"key-{number}" for number in range(4)]
    put(store, *keys)
    targets = {key: S3ObjectTarget(BUCKET, key) for key in keys}
    assert cache_of(find_project()).space.usage().max_bytes == SIZE
    wrong: list[str] = []

    def read(name: str) -> None:
        for turn in range(6):
            key = keys[(turn + int(name)) % len(keys)]
            directory = tmp_path / f"{name}-{turn}"
            directory.mkdir()
            path = targets[key].hand_out(str(directory))[0]
            if Path(path).read_bytes() != key.encode().ljust(SIZE, b"."):
                wrong.append(key)

    threads = [threading.Thread(target=read, args=(str(number),)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    for number in range(4):
        for path in tmp_path.glob(f"{number}-*/*"):
            path.unlink()
    cache = cache_of(find_project())
    cache.space.trim()
    assert cache.space.usage().size_bytes <= SIZE


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = tmp_path / "project"
    root.mkdir()
    (root / "superluigi.toml").write_text(f"cache_max_bytes = {SIZE}\ncache_min_free_bytes = 0\n")
    monkeypatch.chdir(root)


def test_a_check_reads_every_copy_and_removes_what_is_damaged(
    store: ObjectStore, tmp_path: Path
) -> None:
    put(store, "a", "b")
    cache = Cache(tmp_path / "cache")
    good, bad = cache.fetch(store, BUCKET, "a"), cache.fetch(store, BUCKET, "b")
    status = Path(bad.path).stat()
    Path(bad.path).chmod(0o644)
    Path(bad.path).write_bytes(b"b".ljust(SIZE, b"!"))
    os.utime(bad.path, ns=(status.st_atime_ns, status.st_mtime_ns))

    found = cache.space.verify()

    assert (found.copies, found.damaged, found.forgotten) == (2, (bad.sha256,), 1)
    assert Path(good.path).exists()
    assert not Path(bad.path).exists()
    assert cache.space.verify().damaged == ()


@pytest.mark.usefixtures("project")
def test_offline_is_said_by_the_environment_else_by_the_settings(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not is_offline()
    with working_offline(True):
        assert is_offline()
        with working_offline(False):
            assert is_offline()
    assert not is_offline()
    away = tmp_path / "away"
    away.mkdir()
    (away / "superluigi.toml").write_text("offline = true\n")
    monkeypatch.chdir(away)
    assert is_offline()
    monkeypatch.setenv(OFFLINE_VARIABLE, "0")
    assert not is_offline()


def test_offline_every_request_is_an_error_that_says_so(
    store: ObjectStore, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    put(store, "a")
    cache = Cache(tmp_path / "cache")
    s3_faults.requests.clear()
    with working_offline(True):
        for ask in (
            lambda: store.head(BUCKET, "a"),
            lambda: list(store.list_objects(BUCKET)),
            lambda: store.put_bytes(BUCKET, "a", b""),
            lambda: cache.fetch(store, BUCKET, "a"),
            lambda: cache.fetch(store, BUCKET, "a", force=True),
        ):
            with pytest.raises(StoreUnavailable, match="offline"):
                ask()
    assert s3_faults.requests == []
