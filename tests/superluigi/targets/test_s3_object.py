"""`S3ObjectTarget`: what is special to S3; what all targets share is in `test_contract.py`."""

from __future__ import annotations

import gzip
import os
import pickle
from pathlib import Path
from typing import Any

import luigi
import luigi.format
import pytest

from superluigi.errors import (
    AccessDenied,
    BucketMissing,
    ObjectChanged,
    OutputNotWritten,
    SyncFailed,
    TargetError,
    TargetMissing,
)
from superluigi.targets import S3ObjectTarget
from superluigi.targets.foreign import adapt
from superluigi.targets.s3_stash import key_beside
from superluigi_catalog.owner import this_owner
from tests.s3_server import BUCKET, Answer, FaultProxy, fill_bucket
from tests.superluigi.targets.s3_documents import document

HOSTILE_KEYS = [
    "../../x",
    "/abs",
    "C:\\x",
    "a//b",
    "a/b",
    "./x",
    "k",
    "k/x",
    "Case",
    "case",
    "\u00e9",
    "e\u0301",
    "\U0001f98e.csv",
    "trailing/",
    "x" * 300 + ".csv",
    "y" * 1024,
    "y" * 1023 + "z",
    "k.metadata.json.d",
]


@pytest.fixture(autouse=True)
def project(s3_faults: FaultProxy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "superluigi.toml").touch()
    monkeypatch.chdir(root)
    return root


@pytest.fixture
def target() -> S3ObjectTarget:
    return S3ObjectTarget(BUCKET, "out/table.csv")


def begin(
    target: S3ObjectTarget, data: bytes, *, run_id: str = "run-1", build_id: str = "build-1"
) -> Any:
    pending = target.begin_output(run_id)
    Path(pending.path).write_bytes(data)
    content = pending.seal()
    pending.prepare(document(target, content, run_id=run_id) | {"build_id": build_id})
    return pending


def publish(target: S3ObjectTarget, data: bytes, *, run_id: str = "run-1") -> Any:
    pending = begin(target, data, run_id=run_id)
    seen = pending.commit()
    pending.discard()
    return seen


def handed_out(target: S3ObjectTarget, tmp_path: Path, **options: Any) -> bytes:
    directory = tmp_path / os.urandom(4).hex()
    directory.mkdir()
    return Path(target.hand_out(str(directory), **options)[0]).read_bytes()


def keys(s3: Any) -> set[str]:
    return {row["Key"] for row in s3.list_objects_v2(Bucket=BUCKET).get("Contents", ())}


def test_a_target_is_named_by_bucket_and_key_or_by_uri() -> None:
    target = S3ObjectTarget(BUCKET, "a//b c.csv")
    assert target == S3ObjectTarget("s3://lake/a//b c.csv")
    assert target == S3ObjectTarget(uri="s3://lake/a//b c.csv")
    assert target.path == target.uri == str(target) == "s3://lake/a//b c.csv"
    assert (target.bucket, target.object_key) == (BUCKET, "a//b c.csv")
    assert target.metadata_path == "s3://lake/a//b c.csv.metadata.json"
    assert pickle.loads(pickle.dumps(target)) == target


def test_a_uri_and_a_key_besides_are_refused() -> None:
    message = (
        "S3ObjectTarget was given the URI 's3://lake/key' and 'key' besides. Give the URI alone"
    )
    with pytest.raises(ValueError, match=message):
        S3ObjectTarget("s3://lake/key", "key")


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"bucket": "lake"},
        {"bucket": "lake", "object_key": ""},
        {"bucket": "s3://lake/key", "object_key": "key"},
        {"bucket": "lake", "object_key": "key", "uri": "s3://lake/key"},
        {"uri": "s3://lake"},
        {"bucket": "lake", "object_key": "x" * 1025},
        {"bucket": "lake", "object_key": "key", "metadata_object_key": "x" * 1020},
    ],
)
def test_a_target_without_a_place_is_refused(arguments: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"[Uu]RI|bytes|bucket"):
        S3ObjectTarget(**arguments)


def test_the_sidecar_may_be_elsewhere(s3: Any) -> None:
    s3.create_bucket(Bucket="notes")
    target = S3ObjectTarget(
        BUCKET, "key", metadata_bucket="notes", metadata_object_key="about/key.json"
    )

    publish(target, b"data")

    assert target.metadata_path == "s3://notes/about/key.json"
    assert keys(s3) == {"key"}
    metadata = target.metadata()
    assert metadata is not None
    assert metadata["run_id"] == "run-1"


def test_a_published_object_says_its_digest_its_run_and_its_etag(
    target: S3ObjectTarget, s3: Any
) -> None:
    seen = publish(target, b"data", run_id="run-7")

    assert target.observe().token == seen.token
    looked = target.observe()
    assert looked.run_id == "run-7"
    assert looked.fingerprint == seen.fingerprint
    assert looked.fingerprint is not None
    assert looked.fingerprint.startswith("sha256:")
    metadata = target.metadata()
    assert metadata is not None
    assert metadata["output"]["etag"] == looked.etag
    assert keys(s3) == {"out/table.csv", "out/table.csv.metadata.json"}


def test_nothing_is_left_on_disk_but_the_local_copy(target: S3ObjectTarget, project: Path) -> None:
    publish(target, b"data")

    home = project / ".superluigi"
    assert list((home / "tmp").iterdir()) == []
    assert list((home / "cache" / "tmp").glob("*/*")) == []
    assert len([path for path in home.glob("cache/cas/v1/*/*") if path.is_file()]) == 1


def test_what_was_just_published_is_not_downloaded(
    target: S3ObjectTarget, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    publish(target, b"data")
    s3_faults.requests.clear()

    assert handed_out(target, tmp_path) == b"data"
    assert s3_faults.requests == ["HEAD /lake/out/table.csv"]
    assert handed_out(target, tmp_path, force_download=True) == b"data"
    assert "GET /lake/out/table.csv" in s3_faults.requests


def test_a_handed_out_file_has_the_base_name_and_cannot_reach_the_original(
    target: S3ObjectTarget, tmp_path: Path
) -> None:
    publish(target, b"data")
    (tmp_path / "work").mkdir()
    path, seen = target.hand_out(str(tmp_path / "work"))
    assert Path(path).name == "table.csv"
    assert seen.token == target.observe().token
    assert seen.fingerprint == target.observe().fingerprint

    Path(path).chmod(0o644)
    Path(path).write_bytes(b"DATA")

    assert handed_out(target, tmp_path) == b"data"


def test_an_overwrite_of_the_same_size_by_another_client_is_seen(
    target: S3ObjectTarget, s3: Any, tmp_path: Path
) -> None:
    before = publish(target, b"old!")
    s3.put_object(Bucket=BUCKET, Key="out/table.csv", Body=b"new!")

    seen = target.observe()
    assert seen.token != before.token
    assert seen.run_id is None
    assert seen.fingerprint == target.read_content(seen).fingerprint == seen.token
    assert handed_out(target, tmp_path) == b"new!"


def test_metadata_that_others_copied_along_names_no_run_here(
    target: S3ObjectTarget, s3: Any
) -> None:
    publish(target, b"data")
    s3.copy_object(
        Bucket=BUCKET, Key="elsewhere", CopySource={"Bucket": BUCKET, "Key": "out/table.csv"}
    )

    copied = S3ObjectTarget(BUCKET, "elsewhere").observe()

    assert copied.run_id is None
    assert copied.fingerprint == target.observe().fingerprint


def test_an_upload_that_failed_leaves_the_remote_bytes_in_force(
    target: S3ObjectTarget, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    publish(target, b"old")

    def refuse(method: str, _: str) -> None:
        if method == "PUT":
            raise ConnectionAbortedError

    s3_faults.before.append(refuse)
    pending = target.begin_output("run-2")
    Path(pending.path).write_bytes(b"new")
    pending.prepare(document(target, pending.seal()))
    with pytest.raises(TargetError, match="no connection to the store"):
        pending.commit()
    kept = pending.keep()
    pending.discard()

    assert Path(kept).read_bytes() == b"new"
    s3_faults.reset()
    assert handed_out(target, tmp_path) == b"old"
    assert target.observe().run_id == "run-1"


def test_a_death_between_object_and_sidecar_is_told_by_the_object(
    target: S3ObjectTarget, s3_faults: FaultProxy
) -> None:
    publish(target, b"old")

    def refuse(method: str, path: str) -> None:
        if method == "PUT" and path.endswith(".json"):
            raise ConnectionAbortedError

    s3_faults.before.append(refuse)
    with pytest.raises(TargetError):
        publish(target, b"new", run_id="run-2")
    s3_faults.reset()

    metadata = target.metadata()
    assert metadata is not None
    assert metadata["run_id"] == "run-1"
    assert metadata["output"]["etag"] != target.observe().etag
    assert target.observe().run_id == "run-2"


@pytest.mark.parametrize("key", HOSTILE_KEYS)
def test_any_key_is_published_and_handed_out(key: str, tmp_path: Path, project: Path) -> None:
    target = S3ObjectTarget(BUCKET, key)
    publish(target, key.encode())

    assert target.exists()
    assert handed_out(target, tmp_path) == key.encode()
    assert target.metadata() is not None
    assert {path.name for path in tmp_path.iterdir() if len(path.name) != 8} == {"project"}
    assert {path.name for path in project.iterdir()} == {"superluigi.toml", ".superluigi"}


def test_no_two_keys_share_a_sidecar() -> None:
    places = {S3ObjectTarget(BUCKET, key).metadata_path for key in HOSTILE_KEYS}
    assert len(places) == len(HOSTILE_KEYS)
    assert len(key_beside("é" * 512, ".metadata.json").encode()) <= 1024 - len(".next")


@pytest.mark.parametrize("before", [None, b"old"], ids=["first", "over an old one"])
@pytest.mark.parametrize("theirs", [b"other", b"new", None], ids=["other", "the same", "deleted"])
def test_what_somebody_wrote_since_the_plan_is_not_overwritten(
    target: S3ObjectTarget, s3: Any, before: bytes | None, theirs: bytes | None
) -> None:
    if before:
        target_key = {"Bucket": BUCKET, "Key": target.object_key}
        s3.put_object(**target_key, Body=before)
    pending = begin(target, b"new")
    pending.replaces = target.observe().token or ""
    if theirs is not None:
        other = begin(S3ObjectTarget(target.uri), theirs, run_id="run-other", build_id="build-2")
        other.commit()
    elif before:
        target.remove()

    if theirs == b"new" or (theirs, before) == (None, None):
        assert pending.commit().exists
    else:
        with pytest.raises(ObjectChanged, match="since this build was planned"):
            pending.commit()
        assert target.exists() == (theirs is not None)
        if theirs:
            assert Path(target.download()).read_bytes() == theirs


def test_a_second_try_replaces_what_the_first_try_of_the_build_had_uploaded(
    target: S3ObjectTarget, s3_faults: FaultProxy
) -> None:
    first = begin(target, b"first", run_id="run-1", build_id="build-1")
    first.replaces = ""
    s3_faults.always(
        lambda answer: answer.refuse(403, "AccessDenied"),
        when=lambda answer: answer.method == "PUT" and "metadata.json" in answer.path,
    )
    with pytest.raises(AccessDenied):
        first.commit()
    s3_faults.reset()

    second = begin(target, b"second", run_id="run-2", build_id="build-1")
    second.replaces = ""

    assert second.commit().exists
    assert Path(target.download()).read_bytes() == b"second"
    third = begin(target, b"third", run_id="run-3", build_id="build-2")
    third.replaces = ""
    with pytest.raises(ObjectChanged):
        third.commit()


def test_open_writes_and_reads_text_and_bytes(target: S3ObjectTarget) -> None:
    with target.open("w") as file:
        file.write("größe\n")
        assert not target.exists()
    assert target.exists()
    with target.open() as file:
        assert file.read() == "größe\n"
    with target.open("r") as file:
        assert list(file) == ["größe\n"]

    raw = S3ObjectTarget(BUCKET, "raw", format=luigi.format.Nop)
    with raw.open("wb") as file:
        file.write(b"\xff\x00")
    with raw.open("rb") as file:
        assert file.read() == b"\xff\x00"
    with pytest.raises(ValueError, match="'r' or 'w'"):
        raw.open("a")


def test_open_goes_through_a_format_that_is_a_process(s3: Any) -> None:
    target = S3ObjectTarget(BUCKET, "data.gz", format=luigi.format.Gzip)
    with target.open("w") as file:
        file.write(b"packed")

    stored = s3.get_object(Bucket=BUCKET, Key="data.gz")["Body"].read()
    assert gzip.decompress(stored) == b"packed"
    with target.open("r") as file:
        assert file.read() == b"packed"


def fail_inside(file: Any) -> None:
    with file:
        file.write("half")
        raise ZeroDivisionError


@pytest.mark.parametrize("format", [None, luigi.format.UTF8, luigi.format.Nop])
def test_nothing_is_uploaded_when_writing_ends_with_an_exception(
    format: Any, s3: Any, project: Path
) -> None:
    target = S3ObjectTarget(BUCKET, "key", format=format)
    if format is luigi.format.Nop:
        file = target.open("w")
        file.write(b"half")
        with pytest.raises(ZeroDivisionError), file:
            raise ZeroDivisionError
    else:
        with pytest.raises(ZeroDivisionError):
            fail_inside(target.open("w"))

    assert keys(s3) == set()
    assert list((project / ".superluigi" / "tmp").iterdir()) == []


def test_a_file_that_nobody_closes_is_not_uploaded(target: S3ObjectTarget, s3: Any) -> None:
    file = target.open("w")
    file.write("half")
    del file

    assert keys(s3) == set()


def test_reading_what_is_not_there_is_an_error(target: S3ObjectTarget, tmp_path: Path) -> None:
    for read in (
        target.open,
        target.download,
        lambda: target.hand_out(str(tmp_path)),
        lambda: target.read_content(target.observe()),
    ):
        with pytest.raises(TargetMissing, match="Run the task that makes it") as info:
            read()
        assert isinstance(info.value, FileNotFoundError)
    assert target.read_sidecar() is target.read_next() is None


def test_what_the_store_refuses_is_not_missing(
    target: S3ObjectTarget, s3_faults: FaultProxy
) -> None:
    def refuse(answer: Answer) -> None:
        answer.refuse(403, "AccessDenied")

    s3_faults.always(refuse, when=lambda _: True)

    for look in (target.exists, target.observe, target.read_sidecar, target.open):
        with pytest.raises(AccessDenied):
            look()
    (seen,) = S3ObjectTarget.observe_many([target])
    assert seen.error is not None
    assert "s3:ListBucket" in seen.error


def test_a_missing_bucket_is_an_error() -> None:
    target = S3ObjectTarget("no-such-bucket", "key")
    with pytest.raises(BucketMissing):
        target.exists()
    (seen,) = S3ObjectTarget.observe_many([target])
    assert "no bucket 'no-such-bucket'" in str(seen.error)


def test_a_task_that_wrote_nothing_or_a_folder_publishes_nothing(
    target: S3ObjectTarget, s3: Any
) -> None:
    pending = target.begin_output("run-1")
    with pytest.raises(OutputNotWritten, match="wrote nothing"):
        pending.seal()
    Path(pending.path).mkdir()
    with pytest.raises(OutputNotWritten, match="declare an S3PrefixTarget"):
        pending.seal()
    pending.discard()
    assert keys(s3) == set()


def test_a_file_that_changes_after_it_was_sealed_is_not_uploaded(
    target: S3ObjectTarget, s3: Any
) -> None:
    pending = target.begin_output("run-1")
    Path(pending.path).write_bytes(b"one")
    pending.prepare(document(target, pending.seal()))
    Path(pending.path).write_bytes(b"two")
    with pytest.raises(SyncFailed, match="changed after run"):
        pending.commit()
    pending.discard()
    assert keys(s3) == set()


def test_an_output_that_is_a_link_to_a_file_of_the_user_stays_theirs(
    target: S3ObjectTarget, tmp_path: Path
) -> None:
    own = tmp_path / "own.csv"
    own.write_bytes(b"mine")
    for link in (os.link, os.symlink):
        pending = target.begin_output("run-1")
        link(own, pending.path)
        pending.prepare(document(target, pending.seal()))
        pending.commit()
        pending.discard()

        own.write_bytes(b"MINE")
        assert own.stat().st_mode & 0o200
        assert handed_out(target, tmp_path) == b"mine"
        own.write_bytes(b"mine")


def test_a_download_is_a_lasting_copy_with_the_base_name(
    target: S3ObjectTarget, tmp_path: Path, s3_faults: FaultProxy
) -> None:
    publish(target, b"data")
    path = Path(target.download())
    assert path == Path(target.download())
    assert (path.name, path.read_bytes()) == ("table.csv", b"data")

    (tmp_path / "folder").mkdir()
    copy = Path(target.download(str(tmp_path / "folder")))
    assert copy == tmp_path / "folder" / "table.csv"
    copy.write_bytes(b"changed")
    other = Path(target.download(str(tmp_path / "new" / "name.csv"), force=True))
    assert other.read_bytes() == b"data"
    assert path.read_bytes() == b"data"


def test_many_targets_are_looked_at_with_a_listing(s3_faults: FaultProxy, s3: Any) -> None:
    targets = [S3ObjectTarget(BUCKET, f"out/day={i:03}/part.csv") for i in range(300)]
    fill_bucket([target.object_key for target in targets[::2]], b"data")
    s3_faults.requests.clear()

    seen = S3ObjectTarget.observe_many(targets)

    assert [look.exists for look in seen] == [i % 2 == 0 for i in range(300)]
    assert s3_faults.requests == ["GET /lake"]
    assert {look.token for look in seen if look.exists} == {targets[0].observe().token}


def test_what_the_listing_showed_to_be_absent_is_not_asked_for_again(
    s3_faults: FaultProxy,
) -> None:
    targets = [S3ObjectTarget(BUCKET, f"out/{i}.csv") for i in range(20)]
    publish(targets[3], b"data")
    targets[5].write_next(document(targets[5]))
    assert targets[0].is_announced() is None
    S3ObjectTarget.observe_many(targets)
    s3_faults.requests.clear()
    assert [target.is_announced() for target in targets] == [i == 5 for i in range(20)]

    nexts = [target.read_next() for target in targets]
    sidecars = [target.read_sidecar() for target in targets]

    assert [i for i, data in enumerate(nexts) if data] == [5]
    assert [i for i, data in enumerate(sidecars) if data] == [3]
    assert len(s3_faults.requests) == 2
    targets[7].write_sidecar(document(targets[7]))
    assert targets[7].read_sidecar() is not None


def test_where_listing_is_not_allowed_targets_are_looked_at_one_by_one(
    s3_faults: FaultProxy,
) -> None:
    def refuse(answer: Answer) -> None:
        answer.refuse(403, "AccessDenied")

    s3_faults.always(refuse, when=lambda answer: "list-type" in answer.path)
    targets = [S3ObjectTarget(BUCKET, f"out/{i}.csv") for i in range(20)]
    publish(targets[3], b"data")

    seen = S3ObjectTarget.observe_many(targets)

    assert [i for i, look in enumerate(seen) if look.exists] == [3]
    assert [look.error for look in seen] == [None] * 20


def test_targets_of_several_buckets_are_told_apart(s3: Any) -> None:
    s3.create_bucket(Bucket="other")
    targets = [
        S3ObjectTarget(bucket, f"{i}") for i in range(10) for bucket in (BUCKET, "other", "none")
    ]
    s3.put_object(Bucket="other", Key="4", Body=b"")

    seen = S3ObjectTarget.observe_many(targets)

    assert [str(t) for t, look in zip(targets, seen, strict=True) if look.exists] == [
        "s3://other/4"
    ]
    assert [look.error is not None for look in seen] == [False, False, True] * 10


def test_an_old_version_is_put_aside_and_back(target: S3ObjectTarget, s3: Any) -> None:
    publish(target, b"old")
    before = keys(s3)

    stash = target.stash("run-2")
    assert stash is not None
    assert target.exists()
    stash.take()
    assert not target.exists()
    with target.open("w") as file:
        file.write("half of the new one")
    stash.restore()

    assert keys(s3) == before
    assert target.observe().run_id == "run-1"
    with target.open() as file:
        assert file.read() == "old"


def test_an_old_version_is_let_go(target: S3ObjectTarget, s3: Any) -> None:
    assert target.stash("run-1") is None
    publish(target, b"old")
    stash = target.stash("run-2")
    assert stash is not None
    stash.take()
    publish(target, b"new", run_id="run-2")
    stash.drop()
    stash.restore()

    assert keys(s3) == {"out/table.csv", "out/table.csv.metadata.json"}
    with target.open() as file:
        assert file.read() == "new"


def test_what_a_dead_run_put_aside_is_put_back_by_another(target: S3ObjectTarget) -> None:
    publish(target, b"old")
    stash = target.stash("run-2")
    assert stash is not None
    stash.take()

    again = S3ObjectTarget(target.uri)
    assert not again.put_back("s3://lake/anything.superluigi-stash-run-2")
    assert not again.put_back("/etc/passwd")
    assert again.put_back(stash.location)
    assert not again.put_back(stash.location)
    assert handed_out_text(again) == "old"


def announce_stash(target: S3ObjectTarget, run_id: str, owner: str) -> Any:
    stash = target.stash(run_id)
    assert stash is not None
    note = {"state": "running", "owner": owner, "stash": stash.location}
    target.write_next(document(target, run_id=run_id) | note)
    return stash


def test_what_a_dead_run_put_aside_without_need_goes_with_its_announcement(
    target: S3ObjectTarget, s3: Any, s3_faults: FaultProxy
) -> None:
    dead = f"{this_owner().rsplit('|', 2)[0]}|999999|1"
    publish(target, b"data")
    before = keys(s3)

    def refuse(method: str, path: str) -> None:
        if method == "DELETE" and path.endswith("table.csv"):
            raise ConnectionAbortedError

    for drop in (lambda at: target.drop_stashed(at), lambda _: target.stash("run-3")):
        stash = announce_stash(target, "run-2", dead)
        s3_faults.before.append(refuse)
        with pytest.raises(TargetError):
            stash.take()
        s3_faults.reset()
        assert len(keys(s3)) == len(before) + 2
        drop(stash.location)
        target.remove_next()
        assert keys(s3) == before
    target.drop_stashed("s3://lake/anything.superluigi-stash-run-2")


def test_what_a_living_run_put_aside_stays(target: S3ObjectTarget, s3: Any) -> None:
    publish(target, b"data")
    stash = announce_stash(target, "run-2", "another-host|boot|1|1")
    stash.take()

    assert target.stash("run-3") is None

    assert target.put_back(stash.location)


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff", b"[" * 100_000])
def test_an_announcement_that_is_nonsense_is_none(
    target: S3ObjectTarget, s3: Any, data: bytes
) -> None:
    s3.put_object(Bucket=BUCKET, Key=target.next_key, Body=data)
    assert target.announced() == {}
    target.remove_next()
    assert target.read_next() is None


def handed_out_text(target: S3ObjectTarget) -> str:
    with target.open() as file:
        return str(file.read())


def test_the_announcement_is_written_read_and_withdrawn(target: S3ObjectTarget) -> None:
    assert target.read_next() is None
    target.write_next(document(target))
    assert b"run-1" in (target.read_next() or b"")
    target.remove_next()
    target.remove_next()
    assert target.read_next() is None


def test_luigis_own_s3_target_is_seen_as_ours(s3_endpoint: str) -> None:
    contrib = pytest.importorskip("luigi.contrib.s3")
    client = contrib.S3Client("testing", "testing", endpoint_url=s3_endpoint)
    theirs = contrib.S3Target("s3://lake/table.csv", client=client)
    with theirs.open("w") as file:
        file.write("data")

    ours = adapt(theirs)

    assert isinstance(ours, S3ObjectTarget)
    assert ours.exists()
    assert handed_out_text(ours) == "data"


def test_it_is_a_luigi_target(target: S3ObjectTarget) -> None:
    assert isinstance(target, luigi.Target)
