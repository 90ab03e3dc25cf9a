"""Local copies by hand: of outputs, of a whole lineage, and of what a past run consumed."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from superluigi import Catalog, run_task
from superluigi.cli import command
from superluigi.errors import TargetConflict, TargetMissing
from superluigi.s3.offline import working_offline
from superluigi.syncing import fetch_as_of, sync_target, targets_to_sync
from superluigi.targets import S3ObjectTarget, S3PrefixTarget
from superluigi_catalog import TaskNotFound
from tests import s3_flows
from tests.s3_server import BUCKET, FaultProxy


@pytest.fixture(autouse=True)
def project(s3: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "project"
    root.mkdir()
    (root / "superluigi.toml").touch()
    monkeypatch.chdir(root)
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"hello")
    return root


def versioned(s3: Any) -> None:
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})


def build() -> str:
    """The id of the report's run."""
    run_task(s3_flows.S3Report(), progress=False)
    with Catalog() as catalog:
        return catalog.runs(s3_flows.S3Report())[0].run_id


def files(folder: str | Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in Path(folder).rglob("*")
        if path.is_file()
    }


def test_a_lineage_is_synced_to_a_directory(tmp_path: Path) -> None:
    build()
    report = s3_flows.S3Report()
    with Catalog() as catalog:
        targets = targets_to_sync(report.task_id[:8], catalog, upstream=True)
        done = [sync_target(target, str(tmp_path / "to")) for target in targets]

    assert files(tmp_path / "to") == {
        f"lake/report/{report.task_id}.txt": b"hhello",
        "lake/clean/first.txt": b"h",
        "lake/clean/sub/second.txt": b"hh",
        "lake/raw/raw.txt": b"hello",
        "lake/source.txt": b"hello",
    }
    assert sum(each.size_bytes or 0 for each in done) == 19
    Path(done[0].path).write_text("mine to change")


def test_a_folder_is_renewed_and_what_else_is_in_it_stays(tmp_path: Path, s3: Any) -> None:
    build()
    target = s3_flows.S3Clean().output()
    first = sync_target(target, str(tmp_path))
    Path(first.path, "own notes.txt").write_text("mine")
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"jello")
    build()

    again = sync_target(target, str(tmp_path))

    assert again.others == 1
    assert files(again.path) == {
        "first.txt": b"j",
        "sub/second.txt": b"jj",
        "own notes.txt": b"mine",
    }


@pytest.mark.parametrize("key", ["../../evil", "a//b", "/abs"])
def test_a_key_never_leads_out_of_the_directory(s3: Any, tmp_path: Path, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"x")
    with pytest.raises(TargetConflict, match="cannot be a file"):
        sync_target(S3ObjectTarget(BUCKET, key), str(tmp_path / "to"))
    assert not (tmp_path / "evil").exists()


def test_an_old_version_can_be_opened(s3: Any, s3_faults: FaultProxy) -> None:
    versioned(s3)
    old = s3.put_object(Bucket=BUCKET, Key="key", Body=b"old")["VersionId"]
    s3.put_object(Bucket=BUCKET, Key="key", Body=b"new")
    target = S3ObjectTarget(BUCKET, "key")

    with target.open() as new, target.open(version_id=old) as past:
        assert (new.read(), past.read()) == ("new", "old")
    s3_faults.requests.clear()
    with target.open("r", version_id=old) as past:
        assert past.read() == "old"
    assert s3_faults.requests == []
    with pytest.raises(TargetMissing), target.open(version_id="0" * 32):
        pass
    with pytest.raises(ValueError, match="only read"):
        target.open("w", version_id=old)


def test_in_a_bucket_with_versions_what_a_run_consumed_is_found(s3: Any, tmp_path: Path) -> None:
    versioned(s3)
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"hello")
    first = build()
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"jello")
    second = build()
    shutil.rmtree(".superluigi/cache")
    raw = "s3://lake/raw/raw.txt"

    with Catalog() as catalog:
        (consumed,) = (row for row in catalog.run(first).inputs if row.uri == raw)
        assert consumed.version_id
        (old,) = fetch_as_of(raw, first, catalog)
        (new,) = fetch_as_of(raw, second, catalog, to=str(tmp_path))
        raw_run = consumed.run_id or ""
        (source,) = fetch_as_of("s3://lake/source.txt", raw_run, catalog)
        (output,) = fetch_as_of(s3_flows.S3Report().task_id[:8], first, catalog)
        with pytest.raises(TaskNotFound, match="neither read nor wrote"):
            fetch_as_of("s3://lake/other", first, catalog)

    assert Path(old.path).read_bytes() == b"hello"
    assert Path(old.path).name == "raw.txt"
    assert (new.path, Path(new.path).read_bytes()) == (str(tmp_path / "lake/raw/raw.txt"), b"jello")
    assert Path(source.path).read_bytes() == b"hello"
    assert Path(output.path).read_bytes() == b"hhello"


def test_a_prefix_comes_back_as_it_was(s3: Any, tmp_path: Path) -> None:
    versioned(s3)
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"hello")
    first = build()
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"jello")
    second = build()
    for key in ("clean/first.txt", "clean/sub/second.txt", "clean.metadata.json"):
        s3.delete_object(Bucket=BUCKET, Key=key)
    shutil.rmtree(".superluigi/cache")

    with Catalog() as catalog:
        (old,) = fetch_as_of("s3://lake/clean/", first, catalog)
        (mine,) = fetch_as_of("s3://lake/clean/", first, catalog, to=str(tmp_path))
        (new,) = fetch_as_of("s3://lake/clean/", second, catalog)
        assert Path(old.path).name == "clean"
        assert files(old.path) == {"first.txt": b"h", "sub/second.txt": b"hh"}
        assert files(new.path) == {"first.txt": b"j", "sub/second.txt": b"jj"}
        versions = s3.list_object_versions(Bucket=BUCKET, Prefix="clean/sub/")["Versions"]
        oldest = versions[-1]["VersionId"]
        s3.delete_object(Bucket=BUCKET, Key="clean/sub/second.txt", VersionId=oldest)
        shutil.rmtree(".superluigi/cache")
        with pytest.raises(TargetMissing, match="not there any more"):
            fetch_as_of("s3://lake/clean/", first, catalog)

    assert (mine.path, mine.size_bytes) == (str(tmp_path / "lake/clean"), old.size_bytes)
    assert files(mine.path) == {"first.txt": b"h", "sub/second.txt": b"hh"}


def test_without_versions_the_local_copies_are_what_is_left(s3: Any) -> None:
    first = build()
    s3.put_object(Bucket=BUCKET, Key="source.txt", Body=b"jello")
    build()
    with Catalog() as catalog:
        with working_offline(True):
            (old,) = fetch_as_of("s3://lake/raw/raw.txt", first, catalog)
        assert Path(old.path).read_bytes() == b"hello"
        shutil.rmtree(".superluigi/cache")
        with pytest.raises(TargetMissing, match="switch on versioning"):
            fetch_as_of("s3://lake/raw/raw.txt", first, catalog)


def test_the_commands_print_paths(tmp_path: Path) -> None:
    run_id = build()
    shutil.rmtree(".superluigi/cache")
    synced = CliRunner().invoke(command, ["sync", "s3://lake/clean/", "--to", str(tmp_path / "to")])
    assert synced.stdout == f"{tmp_path}/to/lake/clean\n"
    assert "3 B received, " in synced.stderr
    missing = CliRunner().invoke(command, ["sync", "s3://lake/none"])
    assert (missing.exit_code, missing.stdout) == (1, "")
    assert "'s3://lake/none' does not exist" in missing.stderr

    fetched = CliRunner().invoke(
        command, ["fetch", "s3://lake/raw/raw.txt", "--as-of", run_id, "--json"]
    )
    (row,) = json.loads(fetched.stdout)
    assert Path(row["path"]).read_text() == "hello"
    assert S3PrefixTarget(uri="s3://lake/clean").download()
