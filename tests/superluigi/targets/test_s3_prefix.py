"""`S3PrefixTarget`: a publish of many objects is all or nothing to whoever reads it through the target."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from superluigi.errors import (
    AccessDenied,
    BucketMissing,
    InputChanged,
    ObjectChanged,
    OutputNotWritten,
    SyncFailed,
    TargetConflict,
    TargetError,
    TargetMissing,
)
from superluigi.targets import S3PrefixTarget
from superluigi.targets.foreign import adapt
from tests.s3_server import BUCKET, Answer, FaultProxy, fill_bucket
from tests.superluigi.targets.s3_documents import document

SIDECAR = "out/day.metadata.json"
OLD = {"a.csv": b"a1", "b/c.csv": b"c1", "gone.csv": b"g1"}
NEW = {"a.csv": b"a2", "b/c.csv": b"c1", "new.csv": b"n2"}


@pytest.fixture(autouse=True)
def project(s3_faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "superluigi.toml").touch()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def target() -> S3PrefixTarget:
    return S3PrefixTarget(BUCKET, "out/day")


def begin(target: S3PrefixTarget, files: dict[str, bytes], run_id: str) -> Any:
    pending = target.begin_output(run_id)
    for name, data in files.items():
        path = Path(pending.path, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    pending.prepare(document(target, pending.seal(), run_id=run_id))
    return pending


def publish(target: S3PrefixTarget, files: dict[str, bytes], *, run_id: str = "run-1") -> Any:
    pending = begin(target, files, run_id)
    try:
        return pending.commit()
    finally:
        pending.discard()


def tree(folder: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def handed_out(target: S3PrefixTarget, tmp_path: Path) -> dict[str, bytes]:
    directory = tmp_path / os.urandom(4).hex()
    directory.mkdir()
    return tree(target.hand_out(str(directory))[0])


def stored(s3: Any) -> dict[str, bytes]:
    """All objects of the bucket but the sidecar."""
    rows = s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())
    return {
        row["Key"]: s3.get_object(Bucket=BUCKET, Key=row["Key"])["Body"].read()
        for row in rows
        if row["Key"] != SIDECAR
    }


def below(files: dict[str, bytes], prefix: str = "out/day/") -> dict[str, bytes]:
    return {prefix + name: data for name, data in files.items()}


def test_a_target_is_named_by_bucket_and_prefix_or_by_uri() -> None:
    target = S3PrefixTarget(BUCKET, "out/day")
    assert target == S3PrefixTarget("s3://lake/out/day/") == S3PrefixTarget(uri="s3://lake/out/day")
    assert target.path == target.uri == str(target) == "s3://lake/out/day/"
    assert target.metadata_path == "s3://lake/out/day.metadata.json"
    assert S3PrefixTarget(BUCKET, "a//").metadata_path == "s3://lake/a/.metadata.json"
    inside = S3PrefixTarget(BUCKET, "out/day", metadata_inside=True)
    assert inside.metadata_path == "s3://lake/out/day/.metadata.json"
    with pytest.raises(ValueError, match="not both"):
        S3PrefixTarget(BUCKET, "out", metadata_inside=True, metadata_bucket="notes")
    with pytest.raises(ValueError, match="URI"):
        S3PrefixTarget(BUCKET)
    with pytest.raises(ValueError, match="bytes"):
        S3PrefixTarget("s3://lake")


def test_a_publish_is_read_back(target: S3PrefixTarget, s3: Any, tmp_path: Path) -> None:
    assert not target.exists()

    seen = publish(target, OLD)

    assert target.exists()
    assert stored(s3) == below(OLD)
    assert handed_out(target, tmp_path) == OLD
    assert target.files() == sorted(OLD)
    (looked,) = S3PrefixTarget.observe_many([target])
    assert looked.token == seen.token
    assert (target.observe().token, target.observe().etag) == (seen.token, seen.etag)
    assert seen.file_count == 3
    metadata = target.metadata()
    assert metadata is not None
    assert metadata["output"]["etag"] == seen.etag
    assert metadata["output"]["size_bytes"] == seen.size_bytes
    assert target.read_content(seen).fingerprint == metadata["output"]["fingerprint"]


def test_an_overwrite_uploads_what_is_new_and_removes_what_is_old(
    target: S3PrefixTarget, s3: Any, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    publish(target, OLD)
    s3_faults.requests.clear()

    seen = publish(target, NEW, run_id="run-2")

    puts = [request for request in s3_faults.requests if request.startswith("PUT")]
    assert puts[0] == f"PUT /lake/{SIDECAR}.next"
    staged, direct = sorted(puts[1:3])
    assert staged.startswith("PUT /lake/out/day.superluigi-new-")
    assert direct == "PUT /lake/out/day/new.csv"
    assert puts[3:] == [
        f"PUT /lake/{SIDECAR}",
        "PUT /lake/out/day/a.csv",
        f"PUT /lake/{SIDECAR}",
    ]
    deletes = [r for r in s3_faults.requests if r.startswith(("POST", "DELETE"))]
    assert s3_faults.requests.index("PUT /lake/out/day/a.csv") < min(
        map(s3_faults.requests.index, deletes)
    )
    assert stored(s3) == below(NEW)
    assert handed_out(target, tmp_path) == NEW
    assert target.observe().token == seen.token


def test_what_others_put_below_the_prefix_stays_and_is_no_part_of_it(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    s3.put_object(Bucket=BUCKET, Key="out/day/before.txt", Body=b"theirs")
    publish(target, OLD)
    s3.put_object(Bucket=BUCKET, Key="out/day/after.txt", Body=b"theirs too")
    s3.put_object(Bucket=BUCKET, Key="out/day/gone.csv", Body=b"rewritten by others")
    s3.put_object(Bucket=BUCKET, Key="out/day-other/x", Body=b"a neighbour")

    seen = publish(target, NEW, run_id="run-2")

    assert set(stored(s3)) == {
        *below(NEW),
        "out/day/before.txt",
        "out/day/after.txt",
        "out/day/gone.csv",
        "out/day-other/x",
    }
    assert handed_out(target, tmp_path) == NEW
    metadata = target.metadata()
    assert metadata is not None
    assert target.read_content(seen).fingerprint == metadata["output"]["fingerprint"]
    assert target.observe().token == seen.token


def test_a_same_size_overwrite_of_one_object_is_seen(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    before = publish(target, OLD)
    s3.put_object(Bucket=BUCKET, Key="out/day/a.csv", Body=b"A1")

    seen = target.observe()

    assert seen.token != before.token
    assert target.read_content(seen).fingerprint != target.metadata()["output"]["fingerprint"]  # type: ignore[index]
    assert handed_out(target, tmp_path) == OLD | {"a.csv": b"A1"}


def test_the_same_bytes_written_again_are_the_same_content(target: S3PrefixTarget, s3: Any) -> None:
    publish(target, OLD)
    metadata = target.metadata()
    assert metadata is not None
    head = s3.head_object(Bucket=BUCKET, Key="out/day/a.csv")
    upload = s3.create_multipart_upload(
        Bucket=BUCKET, Key="out/day/a.csv", Metadata=head["Metadata"]
    )["UploadId"]
    place = {"Bucket": BUCKET, "Key": "out/day/a.csv", "UploadId": upload}
    part = s3.upload_part(**place, PartNumber=1, Body=b"a1")
    parts = {"Parts": [{"PartNumber": 1, "ETag": part["ETag"]}]}
    s3.complete_multipart_upload(**place, MultipartUpload=parts)
    assert target.observe().etag != metadata["output"]["etag"]

    assert target.read_content(target.observe()).fingerprint == metadata["output"]["fingerprint"]


def die_at(faults: FaultProxy, count: int, matches: Callable[[str, str], bool]) -> None:
    """Let the store refuse everything from the nth matching request on, as if the process were gone."""
    seen = 0

    def refuse(method: str, path: str) -> None:
        nonlocal seen
        seen += matches(method, path)
        if seen >= count and method != "GET":
            raise ConnectionAbortedError

    faults.before.append(refuse)


@pytest.mark.parametrize("every", [3, pytest.param(1, marks=pytest.mark.faults)])
@pytest.mark.parametrize("old", [None, OLD], ids=["first", "over an old one"])
def test_a_death_at_any_instant_leaves_all_of_one_version(
    target: S3PrefixTarget,
    s3: Any,
    s3_faults: FaultProxy,
    tmp_path: Path,
    old: dict[str, bytes] | None,
    every: int,
) -> None:
    seen_states = set()
    left, count = True, 1
    while left:
        count += every
        target.remove()
        s3.delete_object(Bucket=BUCKET, Key=SIDECAR)
        if old:
            publish(target, old)
        die_at(s3_faults, count, lambda method, _: method in ("PUT", "POST", "DELETE"))
        try:
            publish(target, NEW, run_id="run-2")
            left = False
        except TargetError:
            pass
        s3_faults.reset()

        reader = S3PrefixTarget(target.uri)
        stands = handed_out(reader, tmp_path) if reader.exists() else None
        seen_states.add("none" if stands is None else "old" if stands == old else "new")
        assert stands in (old, NEW)
        assert reader.exists() == (stands is not None)
        if stands is None and reader.observe().exists:
            assert reader.observe().run_id == "run-2"
            with pytest.raises(InputChanged, match="interrupted"):
                handed_out(reader, tmp_path)

        if count % 2:
            target.remove_next()  # what the next build's recovery does
            assert reader.exists() == (stands is not None)
            assert stands is None or handed_out(reader, tmp_path) == stands
            assert stored(s3) == below(stands or {})
        else:
            publish(target, OLD | {"third.csv": b"3"}, run_id="run-3")
            assert stored(s3) == below(OLD | {"third.csv": b"3"})
        assert target.read_next() is None
    assert count > 6
    assert seen_states == {"old" if old else "none", "new"}


@pytest.mark.faults
@pytest.mark.timeout(600)
def test_a_prefix_of_several_pages_is_replaced_as_a_whole(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    old = {f"{number:04}.csv": b"old %d" % number for number in range(1_100)}
    new = {name: b"new" if number % 3 else data for number, (name, data) in enumerate(old.items())}
    del new["0007.csv"]
    s3.put_object(Bucket=BUCKET, Key="out/day/theirs.csv", Body=b"theirs")
    publish(target, old)
    assert handed_out(target, tmp_path) == old

    publish(target, new, run_id="run-2")

    assert handed_out(S3PrefixTarget(target.uri), tmp_path) == new
    listed = {row.key for row in target.store.list_objects(BUCKET, "out/")}
    assert listed == {f"out/day/{name}" for name in (*new, "theirs.csv")} | {SIDECAR}


@pytest.mark.parametrize("old", [OLD, None], ids=["ours", "of others"])
def test_a_reader_finds_one_whole_version_at_every_instant_of_a_publish(
    target: S3PrefixTarget,
    s3: Any,
    s3_faults: FaultProxy,
    tmp_path: Path,
    old: dict[str, bytes] | None,
) -> None:
    if old:
        publish(target, old)
    else:
        for key, data in below(OLD).items():
            s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    reader, lock, found = S3PrefixTarget(target.uri), threading.Lock(), []

    def read(method: str, path: str) -> None:
        if method == "GET" or lock.locked():
            return
        with lock:
            version = handed_out(reader, tmp_path)
            assert reader.exists()
            found.append("old" if version == OLD else "new" if version == NEW else version)

    s3_faults.before.append(read)

    publish(target, NEW, run_id="run-2")

    assert set(found) == {"old", "new"}
    assert found == sorted(found, reverse=True)
    others = {"gone.csv": b"g1"} if old is None else {}
    assert stored(s3) == below(NEW | others)


def test_what_was_handed_out_is_what_is_recorded_of_it(
    target: S3PrefixTarget, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    publish(target, OLD)
    content = target.read_content(target.observe())
    directory = tmp_path / "work"
    directory.mkdir()

    folder, seen = target.hand_out(str(directory))
    publish(target, NEW, run_id="run-2")

    assert tree(folder) == OLD
    assert target.read_content(seen).fingerprint == content.fingerprint
    assert target.read_content(target.observe()).fingerprint != content.fingerprint


def test_of_two_publishes_at_once_one_wins_and_nothing_of_the_other_stays(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    publish(target, OLD)
    other = begin(S3PrefixTarget(target.uri), {"a.csv": b"a3", "new.csv": b"n3"}, "run-3")
    once = [other]

    def publish_too(method: str, path: str) -> None:
        if method == "PUT" and path.endswith("/day.metadata.json") and once:
            pending = once.pop()
            pending.commit()
            pending.discard()

    s3_faults.before.append(publish_too)

    with pytest.raises(ObjectChanged, match="another writer"):
        publish(target, NEW, run_id="run-2")

    assert handed_out(target, tmp_path) == {"a.csv": b"a3", "new.csv": b"n3"}
    assert stored(s3) == below({"a.csv": b"a3", "new.csv": b"n3"})


def test_what_others_write_into_the_place_of_a_waiting_object_stays(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    publish(target, OLD)
    die_at(s3_faults, 1, lambda method, path: method == "PUT" and path.endswith("/day/a.csv"))
    with pytest.raises(TargetError):
        publish(target, NEW, run_id="run-2")
    s3_faults.reset()
    assert handed_out(target, tmp_path) == NEW
    s3.put_object(Bucket=BUCKET, Key="out/day/a.csv", Body=b"by hand")

    target.remove_next()

    assert stored(s3)["out/day/a.csv"] == b"by hand"
    assert handed_out(target, tmp_path)["a.csv"] == b"by hand"


def test_the_listing_of_a_prefix_shows_whether_its_sidecar_stands(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy
) -> None:
    s3.put_object(Bucket=BUCKET, Key="out/day-before/x", Body=b"a neighbour")
    publish(target, OLD)
    for i in range(3):
        s3.put_object(Bucket=BUCKET, Key=f"out/day.old/{i}", Body=b"a neighbour")
    s3_faults.requests.clear()

    assert target.look().file_count == 3
    assert target.has_sidecar() is True
    assert target.is_announced() is False
    s3.delete_object(Bucket=BUCKET, Key=SIDECAR)  # not through the proxy
    assert target.look().file_count == 3
    assert target.has_sidecar() is False

    assert (
        s3_faults.requests == ["GET /lake"] * 2 + [f"DELETE /lake/{SIDECAR}"]
        or len([r for r in s3_faults.requests if r == "GET /lake"]) == 2
    )


@pytest.mark.parametrize("why", ["denied", "strangers"])
def test_where_sidecar_and_objects_are_not_listed_together_the_objects_are(
    target: S3PrefixTarget, s3_faults: FaultProxy, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    publish(target, OLD)
    fill_bucket(f"out/day.old/{i}" for i in range(5))
    if why == "strangers":
        monkeypatch.setattr("superluigi.targets.s3_listing._MOST_STRANGERS", 4)
    else:
        s3_faults.always(
            lambda answer: answer.refuse(403, "AccessDenied"),
            when=lambda answer: "prefix=out%2Fday&" in answer.path,
        )

    assert target.look().file_count == 3
    assert target.has_sidecar() is None
    assert target.files() == sorted(OLD)


def test_a_restored_sidecar_names_all_objects_again(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    publish(target, OLD)
    whole = target.metadata()
    assert whole is not None
    s3.delete_object(Bucket=BUCKET, Key=SIDECAR)
    bare = json.loads(json.dumps(whole))
    del bare["output"]["contents"]

    target.restore_sidecar(bare)

    s3.put_object(Bucket=BUCKET, Key="out/day/later.csv", Body=b"by others")
    assert handed_out(target, tmp_path) == OLD
    restored = target.metadata()
    assert restored is not None
    assert restored["output"]["contents"] == whole["output"]["contents"]
    target.restore_sidecar(bare | {"run_id": "late"})  # it stands again: left alone
    assert target.metadata() == restored


def test_a_death_after_the_sidecar_is_a_finished_publish_that_is_tidied_up(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    publish(target, OLD)
    die_at(s3_faults, 1, lambda method, path: method in ("POST", "DELETE"))
    with pytest.raises(TargetError):
        publish(target, NEW, run_id="run-2")
    s3_faults.reset()

    assert target.exists()
    assert target.observe().run_id is None
    assert handed_out(target, tmp_path) == NEW
    assert "out/day/gone.csv" in stored(s3)

    target.remove_next()

    assert stored(s3) == below(NEW)
    assert handed_out(target, tmp_path) == NEW


def test_the_sidecar_may_be_inside(s3: Any, tmp_path: Path) -> None:
    target = S3PrefixTarget(BUCKET, "out/day", metadata_inside=True)
    seen = publish(target, OLD)

    assert target.observe().token == seen.token
    assert handed_out(target, tmp_path) == OLD
    assert set(stored(s3)) == {*below(OLD), "out/day/.metadata.json"}
    with pytest.raises(OutputNotWritten, match="name of the sidecar"):
        begin(target, {".metadata.json": b"{}"}, "run-2")


def test_a_prefix_that_others_made_is_all_that_is_listed(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    for key, data in below(OLD).items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    s3.put_object(Bucket=BUCKET, Key="out/day/", Body=b"")
    s3.put_object(Bucket=BUCKET, Key="out/day/b/", Body=b"")

    assert target.exists()
    content = target.read_content(target.observe())
    assert content.file_count == 3
    assert handed_out(target, tmp_path) == OLD
    s3.put_object(Bucket=BUCKET, Key="out/day/more.csv", Body=b"")
    assert target.read_content(target.observe()).fingerprint != content.fingerprint


@pytest.mark.parametrize("key", ["../evil", "a//b", "a/./b", "x" * 256, "clash/x", "clash", "/abs"])
def test_a_key_that_cannot_be_a_file_is_refused_and_nothing_leaves_the_folder(
    target: S3PrefixTarget, s3: Any, tmp_path: Path, key: str
) -> None:
    s3.put_object(Bucket=BUCKET, Key=f"out/day/{key}", Body=b"x")
    if key.startswith("clash"):
        other = "clash" if key == "clash/x" else "clash/y"
        s3.put_object(Bucket=BUCKET, Key=f"out/day/{other}", Body=b"y")
    work = tmp_path / "work"
    work.mkdir()

    with pytest.raises(TargetConflict, match="cannot be a file in a folder"):
        target.hand_out(str(work))

    assert {path.name for path in tmp_path.iterdir()} == {"project", "work"}
    assert {path.name for path in work.iterdir()} <= {"day"}
    with pytest.raises(TargetConflict):
        target.download()
    with pytest.raises(TargetConflict):
        target.download(str(tmp_path / "copy"))


def test_an_object_that_changes_while_it_is_fetched_is_not_mixed_in(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    for key, data in below(OLD).items():
        s3.put_object(Bucket=BUCKET, Key=key, Body=data)
    once = [b"a9"]

    def overwrite(method: str, path: str) -> None:
        if method == "GET" and path.endswith("a.csv") and once:
            s3.put_object(Bucket=BUCKET, Key="out/day/a.csv", Body=once.pop())

    s3_faults.before.append(overwrite)
    directory = tmp_path / "work"
    directory.mkdir()

    folder, seen = target.hand_out(str(directory))

    assert tree(folder) == OLD | {"a.csv": b"a9"}
    assert seen.token == target.observe().token


def test_what_was_just_published_is_not_downloaded(
    target: S3PrefixTarget, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    publish(target, OLD)
    s3_faults.requests.clear()

    assert handed_out(target, tmp_path) == OLD

    assert not [request for request in s3_faults.requests if "/out/day/" in request]


def test_a_download_is_a_lasting_folder(target: S3PrefixTarget, tmp_path: Path) -> None:
    publish(target, OLD)
    folder = target.download()
    assert Path(folder).name == "day"
    assert tree(folder) == OLD
    assert target.download() == folder

    damaged = Path(folder, "a.csv")
    damaged.unlink()
    damaged.write_bytes(b"??")
    assert tree(target.download()) == OLD

    copy = target.download(str(tmp_path / "deep" / "copy"))
    Path(copy, "a.csv").write_bytes(b"mine")
    assert tree(target.download()) == OLD
    with pytest.raises(TargetConflict, match="exists already"):
        target.download(copy)


def test_a_task_that_wrote_a_file_or_nothing_publishes_nothing(
    target: S3PrefixTarget, s3: Any
) -> None:
    with pytest.raises(OutputNotWritten, match="empty"):
        begin(target, {}, "run-1")
    pending = target.begin_output("run-1")
    Path(pending.path).rmdir()
    Path(pending.path).write_bytes(b"")
    with pytest.raises(OutputNotWritten, match="declare an S3ObjectTarget"):
        pending.seal()
    with pytest.raises(OutputNotWritten, match="cannot be an object"):
        begin(target, {"/".join(["d" * 250] * 5): b""}, "run-1")
    pending = begin(target, OLD, "run-1")
    Path(pending.path, "late.csv").write_bytes(b"")
    with pytest.raises(SyncFailed, match="changed after run"):
        pending.commit()
    assert Path(pending.keep(), "late.csv").exists()
    assert stored(s3) == {}


def test_more_files_than_a_sidecar_can_name_are_refused_before_any_upload(
    target: S3PrefixTarget, s3: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("superluigi.sidecar.MAX_SIDECAR_BYTES", 2_000)
    with pytest.raises(TargetError, match="20 files, more than its sidecar can name"):
        begin(target, {f"{i}.csv": b"" for i in range(20)}, "run-1")
    assert stored(s3) == {}


def test_what_the_store_refuses_is_not_missing(
    target: S3PrefixTarget, s3_faults: FaultProxy
) -> None:
    with pytest.raises(BucketMissing):
        S3PrefixTarget("no-such-bucket", "p").exists()

    def refuse(answer: Answer) -> None:
        answer.refuse(403, "AccessDenied")

    s3_faults.always(refuse, when=lambda _: True)
    for look in (target.exists, target.observe, target.files, target.download):
        with pytest.raises(AccessDenied):
            look()
    (seen,) = S3PrefixTarget.observe_many([target])
    assert "s3:ListBucket" in str(seen.error)


def test_reading_what_is_not_there_is_an_error(target: S3PrefixTarget, tmp_path: Path) -> None:
    for read in (
        target.download,
        lambda: target.hand_out(str(tmp_path)),
        lambda: target.read_content(target.observe()),
    ):
        with pytest.raises(TargetMissing, match="Run the task that makes it"):
            read()
    with pytest.raises(TargetConflict, match="Open one of its objects"):
        target.open()


def test_an_old_version_is_put_aside_and_back(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    assert target.stash("run-1") is None
    publish(target, OLD)
    stash = target.stash("run-2")
    assert stash is not None
    stash.take()
    assert not target.exists()
    s3.put_object(Bucket=BUCKET, Key="out/day/half.csv", Body=b"of the new one")

    stash.restore()

    assert stored(s3) == below(OLD)
    assert handed_out(target, tmp_path) == OLD


def test_a_stash_that_a_dead_run_had_not_completed_is_not_put_back(
    target: S3PrefixTarget, s3: Any, s3_faults: FaultProxy, tmp_path: Path
) -> None:
    publish(target, OLD)
    stash = target.stash("run-2")
    assert stash is not None
    die_at(s3_faults, 1, lambda method, path: method == "PUT" and path.endswith(".complete"))
    with pytest.raises(TargetError):
        stash.take()
    s3_faults.reset()

    assert not S3PrefixTarget(target.uri).put_back(stash.location)
    assert stored(s3) == below(OLD)
    assert not S3PrefixTarget(target.uri).put_back("s3://lake/other.superluigi-stash-run-2/")

    stash.take()
    assert S3PrefixTarget(target.uri).put_back(stash.location)
    assert handed_out(target, tmp_path) == OLD


def test_what_a_task_wrote_in_place_counts_as_a_whole(target: S3PrefixTarget, s3: Any) -> None:
    publish(target, OLD)
    before = target.read_content(target.observe())
    target.write_next(document(target) | {"state": "running"})
    s3.put_object(Bucket=BUCKET, Key="out/day/more.csv", Body=b"more")

    content = target.read_content(target.observe())
    target.write_sidecar(document(target, content, run_id="run-2"))
    target.remove_next()

    assert content.file_count == 4
    assert content.fingerprint != before.fingerprint
    assert target.read_content(target.observe()).fingerprint == content.fingerprint


def test_a_sidecar_that_is_nonsense_is_no_manifest(
    target: S3PrefixTarget, s3: Any, tmp_path: Path
) -> None:
    publish(target, OLD)
    for body in (b"", b"{", b"[]", json.dumps({"output": {"contents": [3]}}).encode()):
        s3.put_object(Bucket=BUCKET, Key=SIDECAR, Body=body)
        s3.put_object(Bucket=BUCKET, Key=f"{SIDECAR}.next", Body=body)
        assert target.exists()
        assert handed_out(target, tmp_path) == OLD
    publish(target, NEW, run_id="run-2")
    assert handed_out(target, tmp_path) == NEW


def test_a_contrib_target_whose_path_ends_in_a_slash_is_a_prefix(s3_endpoint: str) -> None:
    contrib = pytest.importorskip("luigi.contrib.s3")
    client = contrib.S3Client("testing", "testing", endpoint_url=s3_endpoint)
    ours = adapt(contrib.S3Target("s3://lake/out/day/", client=client))
    assert ours == S3PrefixTarget(BUCKET, "out/day")
