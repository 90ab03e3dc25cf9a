"""`ObjectStore` against a real server: what goes in comes out, and what is missing is told apart."""

from __future__ import annotations

import hashlib
import pickle
import threading
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import BucketMissing, ObjectChanged, TargetError, TargetMissing
from superluigi.s3 import ClientSpec, ObjectStore, multipart
from superluigi.s3 import download as downloading
from superluigi.s3 import upload as uploading
from tests.s3_server import BUCKET, FaultProxy, fill_bucket

HOSTILE_KEYS = [
    "plain.csv",
    "a//b",
    "a/b",
    "../../x",
    "./x",
    "/abs",
    "C:\\x",
    "k",
    "k/x",
    "Case",
    "case",
    "\u00e9",  # composed
    "e\u0301",  # decomposed
    "🦎/日本語.csv",
    "trailing/",
    "a b+c%20d?e#f&g=h",
    "x" * 300 + "/y",
    "z" * 1024,
    "quote\"'<>&;",
]


@pytest.fixture
def store(s3: Any) -> ObjectStore:
    return ObjectStore()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_any_key_goes_in_and_comes_out(store: ObjectStore, key: str, tmp_path: Path) -> None:
    data = key.encode() + b"!"

    put = store.put_bytes(BUCKET, key, data)

    assert store.head(BUCKET, key) == put
    assert store.get_bytes(BUCKET, key)[0] == data
    downloaded = store.get_file(BUCKET, key, str(tmp_path / "file"))
    assert (tmp_path / "file").read_bytes() == data
    assert downloaded.stat == put
    assert downloaded.sha256 == put.sha256 == sha256(data)
    assert [stat.key for stat in store.list_objects(BUCKET)] == [key]


def test_a_newline_in_a_key_reaches_the_store_as_it_is(s3_faults: FaultProxy) -> None:
    with pytest.raises(
        TargetError, match=r"'s3://lake/new\\nline' failed"
    ):  # moto's routes have none
        ObjectStore().put_bytes(BUCKET, "new\nline", b"")

    assert s3_faults.requests == ["PUT /lake/new%0Aline"]


def test_all_hostile_keys_live_beside_each_other_and_are_deleted(store: ObjectStore) -> None:
    for key in HOSTILE_KEYS:
        store.put_bytes(BUCKET, key, key.encode())

    listed = [stat.key for stat in store.list_objects(BUCKET)]
    assert listed == sorted(HOSTILE_KEYS, key=str.encode)
    stats = store.head_many([(BUCKET, key) for key in HOSTILE_KEYS])
    assert [stat.key for stat in stats if stat] == HOSTILE_KEYS

    store.delete_many(BUCKET, HOSTILE_KEYS)
    assert list(store.list_objects(BUCKET)) == []


@pytest.mark.parametrize("size", [0, 1, 100_000])
def test_a_file_of_any_size_comes_back_verified_by_its_digest(
    store: ObjectStore, tmp_path: Path, size: int
) -> None:
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(bytes(range(256)) * (size // 256) + b"x" * (size % 256))

    put = store.put_file(BUCKET, "key", str(source), metadata={"superluigi-run-id": "r1"})
    downloaded = store.get_file(BUCKET, "key", str(copy))

    assert copy.read_bytes() == source.read_bytes()
    assert downloaded.verified_by == "sha256"
    assert put.size_bytes == size
    assert downloaded.stat.metadata is not None
    assert downloaded.stat.metadata["superluigi-run-id"] == "r1"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "source"]


def test_a_large_file_goes_up_and_comes_down_in_parts(
    store: ObjectStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploading, "MULTIPART_FROM_BYTES", 16 << 20)
    monkeypatch.setattr(multipart, "MIN_PART_BYTES", 16 << 20)
    monkeypatch.setattr(downloading, "RANGED_FROM_BYTES", 4 << 20)
    monkeypatch.setattr(downloading, "PART_BYTES", 5_000_001)
    source, copy = tmp_path / "source", tmp_path / "copy"
    source.write_bytes(b"".join(i.to_bytes(4, "big") for i in range(5_000_000)))

    put = store.put_file(BUCKET, "key", str(source))
    downloaded = store.get_file(BUCKET, "key", str(copy))

    assert put.etag.endswith("-2")
    assert copy.read_bytes() == source.read_bytes()
    assert downloaded.verified_by == "sha256"
    assert downloaded.stat == put


def test_an_object_that_others_wrote_is_verified_by_the_md5_in_its_etag(
    store: ObjectStore, s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs")

    downloaded = store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    assert downloaded.verified_by in ("etag", "checksum")
    assert downloaded.stat.sha256 is None
    assert downloaded.sha256 == sha256(b"theirs")


def test_metadata_that_outlived_its_bytes_is_not_believed(
    store: ObjectStore, s3: Any, tmp_path: Path
) -> None:
    ours = store.put_bytes(BUCKET, "key", b"ours!!")
    assert ours.metadata is not None
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"theirs", Metadata=dict(ours.metadata))

    downloaded = store.get_file(BUCKET, "key", str(tmp_path / "copy"))

    assert downloaded.sha256 == sha256(b"theirs")
    assert (tmp_path / "copy").read_bytes() == b"theirs"


def test_a_listing_goes_beyond_one_page_and_can_begin_in_the_middle(store: ObjectStore) -> None:
    keys = [f"many/{i:04}" for i in range(1_005)]
    fill_bucket([*keys, "other"])

    assert [stat.key for stat in store.list_objects(BUCKET, "many/")] == keys
    rest = store.list_objects(BUCKET, "many/", start_after="many/1001")
    assert [stat.key for stat in rest] == keys[1002:]

    store.delete_many(BUCKET, keys)
    assert [stat.key for stat in store.list_objects(BUCKET)] == ["other"]


def test_files_go_and_come_in_threads(store: ObjectStore, tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i}").write_text(f"file {i}")

    put = store.put_many(BUCKET, [(f"p/{i}", str(tmp_path / f"{i}")) for i in range(30)])
    got = store.get_many(BUCKET, [(f"p/{i}", str(tmp_path / f"copy{i}")) for i in range(30)])

    assert [stat.key for stat in put] == [f"p/{i}" for i in range(30)]
    assert [file.stat for file in got] == put
    assert [(tmp_path / f"copy{i}").read_text() for i in range(30)] == [
        f"file {i}" for i in range(30)
    ]


def test_a_missing_object_is_none_to_look_at_and_an_error_to_read(
    store: ObjectStore, tmp_path: Path
) -> None:
    assert store.head(BUCKET, "nothing") is None
    assert store.head_many([(BUCKET, "nothing")] * 3) == [None] * 3
    with pytest.raises(TargetMissing, match="'s3://lake/nothing' does not exist"):
        store.get_bytes(BUCKET, "nothing")
    with pytest.raises(FileNotFoundError):
        store.get_file(BUCKET, "nothing", str(tmp_path / "copy"))
    with pytest.raises(TargetMissing, match="does not exist"):
        store.copy(BUCKET, "nothing", BUCKET, "copy")
    assert list(tmp_path.iterdir()) == []


def test_a_missing_bucket_is_never_a_missing_object(store: ObjectStore, tmp_path: Path) -> None:
    for look in (
        lambda: store.head("no-bucket", "key"),
        lambda: store.head_many([(BUCKET, "key"), ("no-bucket", "key")]),
        lambda: list(store.list_objects("no-bucket")),
        lambda: store.get_bytes("no-bucket", "key"),
        lambda: store.put_bytes("no-bucket", "key", b""),
        lambda: store.delete_many("no-bucket", ["a", "b"]),
    ):
        with pytest.raises(BucketMissing, match="no bucket 'no-bucket'"):
            look()


def test_a_small_read_is_cut_at_its_limit(store: ObjectStore) -> None:
    store.put_bytes(BUCKET, "key", b"0123456789")

    data, stat = store.get_bytes(BUCKET, "key", max_bytes=4)

    assert data == b"0123"
    assert stat.size_bytes == 10
    assert store.get_bytes(BUCKET, "key", max_bytes=10)[0] == b"0123456789"


def test_a_conditional_read_brings_nothing_while_the_object_is_unchanged(
    store: ObjectStore,
) -> None:
    first = store.put_bytes(BUCKET, "key", b"one")
    assert store.get_bytes_if_changed(BUCKET, "key", etag=first.etag) is None

    store.put_bytes(BUCKET, "key", b"two")
    changed = store.get_bytes_if_changed(BUCKET, "key", etag=first.etag)

    assert changed is not None
    assert changed[0] == b"two"
    with pytest.raises(TargetMissing):
        store.get_bytes_if_changed(BUCKET, "nothing", etag=first.etag)


def test_a_file_can_be_asked_for_in_one_version_only(store: ObjectStore, tmp_path: Path) -> None:
    first = store.put_bytes(BUCKET, "key", b"one")
    store.get_file(BUCKET, "key", str(tmp_path / "copy"), if_match=first.etag)
    store.put_bytes(BUCKET, "key", b"two")

    with pytest.raises(ObjectChanged, match="another version stands there"):
        store.get_file(BUCKET, "key", str(tmp_path / "other"), if_match=first.etag)
    assert (tmp_path / "copy").read_bytes() == b"one"
    assert not (tmp_path / "other").exists()


def test_old_versions_stay_readable_in_a_versioned_bucket(
    store: ObjectStore, s3: Any, tmp_path: Path
) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    first = store.put_bytes(BUCKET, "key", b"one")
    second = store.put_bytes(BUCKET, "key", b"two")
    assert first.version_id
    assert first.version_id != second.version_id

    assert store.get_bytes(BUCKET, "key", version_id=first.version_id)[0] == b"one"
    store.get_file(BUCKET, "key", str(tmp_path / "copy"), version_id=first.version_id)
    assert (tmp_path / "copy").read_bytes() == b"one"
    store.copy(BUCKET, "key", BUCKET, "restored", version_id=first.version_id)
    assert store.get_bytes(BUCKET, "restored")[0] == b"one"

    store.delete_many(BUCKET, ["key"])
    assert store.head(BUCKET, "key") is None
    assert store.head(BUCKET, "key", version_id=first.version_id) == first


def test_conditions_on_writing_hold(store: ObjectStore, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"two")
    first = store.put_bytes(BUCKET, "key", b"one", if_none_match=True)

    with pytest.raises(ObjectChanged):
        store.put_bytes(BUCKET, "key", b"two", if_none_match=True)
    with pytest.raises(ObjectChanged):
        store.put_file(BUCKET, "key", str(tmp_path / "file"), if_none_match=True)
    second = store.put_file(BUCKET, "key", str(tmp_path / "file"), if_match=first.etag)
    with pytest.raises(ObjectChanged):
        store.put_bytes(BUCKET, "key", b"three", if_match=first.etag)

    assert store.head(BUCKET, "key") == second


def test_of_many_first_writers_exactly_one_wins(store: ObjectStore) -> None:
    won: list[int] = []
    barrier = threading.Barrier(8)

    def write(number: int) -> None:
        barrier.wait()
        try:
            store.put_bytes(BUCKET, "key", b"%d" % number, if_none_match=True)
        except ObjectChanged:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(i,)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(won) == 1
    assert store.get_bytes(BUCKET, "key")[0] == b"%d" % won[0]


def test_a_condition_refused_because_the_first_try_had_succeeded_is_success(
    s3_faults: FaultProxy,
) -> None:
    """The answer to the first PUT is lost; botocore repeats it, and the store answers 412."""
    s3_faults.times(
        1, lambda answer: answer.refuse(500, "InternalError"), when=lambda a: a.method == "PUT"
    )
    store = ObjectStore()

    put = store.put_bytes(BUCKET, "key", b"data", if_none_match=True)

    assert s3_faults.requests.count("PUT /lake/key") == 2
    assert store.head(BUCKET, "key") == put


def test_a_copy_keeps_bytes_and_metadata(store: ObjectStore) -> None:
    source = store.put_bytes(BUCKET, "key", b"data", metadata={"superluigi-run-id": "r1"})

    copied = store.copy(BUCKET, "key", BUCKET, "a/copy")

    assert store.get_bytes(BUCKET, "a/copy")[0] == b"data"
    assert copied.metadata == source.metadata
    assert copied.sha256 == source.sha256


def test_a_file_that_changes_while_it_is_uploaded_fails(
    s3_faults: FaultProxy, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"before")
    s3_faults.before.append(lambda method, _: path.write_bytes(b"after!") if method == "PUT" else 0)

    with pytest.raises(TargetError, match="changed while it was uploaded"):
        ObjectStore().put_file(BUCKET, "key", str(path))


def test_deleting_tells_which_keys_were_refused(s3_faults: FaultProxy) -> None:
    store = ObjectStore()
    for key in ("a", "b", "c"):
        store.put_bytes(BUCKET, key, b"")

    def refuse_b(answer: Any) -> None:
        answer.body = (
            b"<DeleteResult><Error><Key>b</Key><Code>AccessDenied</Code></Error></DeleteResult>"
        )
        answer.headers["content-length"] = str(len(answer.body))

    s3_faults.always(refuse_b, when=lambda answer: answer.method == "POST")

    with pytest.raises(PermissionError, match=r"'b' \(AccessDenied\).*s3:DeleteObject"):
        store.delete_many(BUCKET, ["a", "b", "c"])


def test_a_store_can_be_pickled(store: ObjectStore) -> None:
    store.put_bytes(BUCKET, "key", b"data")
    spec = ClientSpec(region="eu-west-1")

    assert pickle.loads(pickle.dumps(store)).head(BUCKET, "key") == store.head(BUCKET, "key")
    assert pickle.loads(pickle.dumps(spec)) == spec
    assert hash(spec) == hash(ClientSpec(region="eu-west-1"))
