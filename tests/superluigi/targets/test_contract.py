"""What every target does, whatever store it is in."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest

from superluigi.errors import OutputNotWritten, SidecarError, TargetMissing
from superluigi.files import remove_tree, sweep_temporaries
from superluigi.project import current_project
from superluigi.sidecar import MAX_SIDECAR_BYTES
from superluigi.targets.base import TargetWithMetadata
from tests.superluigi.targets.contract import (
    KINDS,
    NEW,
    OLD,
    Kind,
    begun,
    document,
    published,
    sealed,
)

pytestmark = pytest.mark.usefixtures("project")

ODD_NAMES = [
    "-dash/Größe ☃ 表 #1?x=%20&y *[a]{b} 'q\"`$(x).csv.gz",
    "dots.../.hidden",
    "new\nline/tab\t.npy",
]


@pytest.fixture(params=KINDS, ids=repr)
def kind(request: pytest.FixtureRequest) -> Kind:
    kind: Kind = request.param
    if kind.is_remote:
        kind.client = request.getfixturevalue("s3")
    return kind


@pytest.fixture
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory outside the project, for what is handed out."""
    return tmp_path_factory.mktemp("inputs")


@pytest.fixture
def target(kind: Kind) -> TargetWithMetadata:
    return kind.target()


def token_of(target: TargetWithMetadata) -> str | None:
    return target.observe().token


def own_temporaries() -> list[str]:
    """What lies in the project's own folder for temporary things."""
    folder = current_project().home / "tmp"
    return [path.name for path in folder.iterdir()] if folder.exists() else []


# -- state ---------------------------------------------------------------------------------------


def test_what_does_not_exist_is_missing(target: TargetWithMetadata, inputs: Path) -> None:
    assert not target.exists()
    seen = target.observe()
    assert (seen.exists, seen.token, seen.error) == (False, None, None)
    assert target.read_sidecar() is None
    assert target.metadata() is None
    assert target.read_next() is None
    assert target.stash("run") is None
    for attempt in (
        lambda: target.read_content(seen),
        lambda: target.hand_out(str(inputs)),
        target.download,
    ):
        with pytest.raises(TargetMissing) as caught:
            attempt()
        assert caught.value.target is target
        assert repr(target.path) in str(caught.value)


def test_what_others_wrote_is_seen(kind: Kind, target: TargetWithMetadata) -> None:
    kind.put(target, OLD)
    seen = target.observe()
    assert target.exists()
    assert seen.exists
    assert seen.token
    assert seen.observed_ns > 0
    assert seen.size_bytes == sum(map(len, kind.part(OLD).values()))
    content = target.read_content(seen)
    assert content.size_bytes == seen.size_bytes
    assert content.file_count == (3 if kind.is_folder else None)
    assert [entry.path for entry in content.contents] == (sorted(OLD) if kind.is_folder else [])
    assert target.metadata() is None


def test_a_look_shows_whether_anything_changed(kind: Kind, target: TargetWithMetadata) -> None:
    kind.put(target, OLD)
    first = target.observe()
    assert token_of(target) == first.token
    fingerprint = target.read_content(first).fingerprint
    kind.put(target, NEW)
    second = target.observe()
    assert second.token != first.token
    assert target.read_content(second).fingerprint != fingerprint


def test_many_are_looked_at_in_their_order(kind: Kind) -> None:
    targets = [kind.target(f"out/{name}") for name in "cab"]
    kind.put(targets[0], OLD)
    kind.put(targets[2], NEW)
    seen = type(targets[0]).observe_many(targets)
    assert [look.exists for look in seen] == [True, False, True]
    assert [look.token for look in seen] == [token_of(target) for target in targets]
    assert all(look.error is None for look in seen)


# -- publishing ------------------------------------------------------------------------------------


def test_a_published_version_stands_with_its_sidecar(
    kind: Kind, target: TargetWithMetadata
) -> None:
    pending, sidecar = sealed(kind, target, OLD)
    pending.prepare(sidecar)
    committed = pending.commit()
    pending.discard()
    assert kind.content(target) == kind.part(OLD)
    assert target.exists()
    seen = target.observe()
    assert committed.token == seen.token
    assert target.read_content(seen).fingerprint == sidecar["output"]["fingerprint"]
    assert target.metadata() == sidecar
    assert sidecar["output"]["size_bytes"] == seen.size_bytes
    if kind.is_remote:
        assert sidecar["output"]["etag"] == seen.etag == committed.etag
    else:
        assert sidecar["output"]["mtime_ns"] == seen.mtime_ns == committed.mtime_ns


def test_nothing_is_left_beside_a_published_target(kind: Kind, target: TargetWithMetadata) -> None:
    kind.put(target, OLD)
    plain = kind.everything()
    published(kind, target, OLD)
    (sidecar,) = kind.everything() - plain
    assert sidecar.endswith(".metadata.json")
    assert target.read_next() is None
    assert own_temporaries() == []


def test_a_new_version_replaces_all_of_the_old_one(kind: Kind, target: TargetWithMetadata) -> None:
    old = published(kind, target, OLD, run=1)
    new = published(kind, target, NEW, run=2)
    assert kind.content(target) == kind.part(NEW)
    metadata = target.metadata()
    assert metadata is not None
    assert metadata["run_id"] == new["run_id"] != old["run_id"]
    assert len(kind.everything()) == len(kind.part(NEW)) + 1


def test_equal_bytes_have_equal_fingerprints(kind: Kind) -> None:
    fingerprints = [
        published(kind, kind.target(f"out/{name}"), version)["output"]["fingerprint"]
        for name, version in (("one", OLD), ("other", dict(reversed(OLD.items()))), ("third", NEW))
    ]
    assert fingerprints[0] == fingerprints[1] != fingerprints[2]


def test_the_output_path_has_the_targets_base_name(kind: Kind) -> None:
    for name in ("out/data.csv.gz", "out/array.npy", "out/no_suffix", "top"):
        pending = kind.target(name).begin_output("run")
        path = Path(pending.path)
        assert path.name == Path(name).name
        assert path.is_absolute()
        assert path.is_dir() == path.exists() == kind.is_folder
        assert path.parent.is_dir()
        pending.discard()


def test_the_old_version_is_seen_until_the_new_one_is_committed(
    kind: Kind, target: TargetWithMetadata
) -> None:
    old = published(kind, target, OLD, run=1)
    before = token_of(target)
    pending, sidecar = sealed(kind, target, NEW, run=2)
    pending.prepare(sidecar)
    assert token_of(target) == before
    assert kind.content(target) == kind.part(OLD)
    assert target.metadata() == old
    pending.commit()
    pending.discard()
    assert kind.content(target) == kind.part(NEW)


@pytest.mark.parametrize("is_there", [False, True])
def test_a_discarded_version_leaves_nothing_behind(
    kind: Kind, target: TargetWithMetadata, is_there: bool
) -> None:
    if is_there:
        published(kind, target, OLD)
    before = (kind.everything(), token_of(target), target.metadata())
    for how_far in ("begun", "sealed", "prepared"):
        if how_far == "begun":
            pending = begun(kind, target, NEW, run=2)
        else:
            pending, sidecar = sealed(kind, target, NEW, run=2)
            if how_far == "prepared":
                pending.prepare(sidecar)
        pending.discard()
        assert (kind.everything(), token_of(target), target.metadata()) == before
        assert target.read_next() is None
        assert not Path(pending.path).exists()
        pending.discard()


def test_a_version_that_is_kept_is_no_sweeps_business(
    kind: Kind, target: TargetWithMetadata
) -> None:
    old = published(kind, target, OLD)
    kept = []
    for run in (2, 3):
        pending, sidecar = sealed(kind, target, NEW, run=run)
        pending.prepare(sidecar)
        kept.append(pending.keep())
        pending.discard()
    assert len(set(kept)) == 2
    for path in kept:
        assert kind.part(NEW).items() <= kind.read(path).items()
        assert not sweep_temporaries(str(Path(path).parent))
        assert "superluigi-tmp" not in path
    assert kind.content(target) == kind.part(OLD)
    assert target.metadata() == old
    assert target.read_next() is None


def test_a_run_that_wrote_nothing_is_refused(kind: Kind, target: TargetWithMetadata) -> None:
    pending = target.begin_output("run")
    with pytest.raises(OutputNotWritten) as caught:
        pending.seal()
    assert caught.value.target is target
    expected = "left the folder output_path empty" if kind.is_folder else "wrote nothing to output"
    assert expected in str(caught.value)
    assert target.path in str(caught.value)
    pending.discard()


def test_a_run_that_removed_its_output_path_is_refused(
    kind: Kind, target: TargetWithMetadata
) -> None:
    pending = begun(kind, target, NEW)
    remove_tree(pending.path)
    expected = "removed the folder output_path" if kind.is_folder else "wrote nothing to output"
    with pytest.raises(OutputNotWritten, match=expected):
        pending.seal()
    pending.discard()


def test_a_folder_for_a_file_is_refused_and_a_file_for_a_folder(
    kind: Kind, target: TargetWithMetadata
) -> None:
    pending = target.begin_output("run")
    if kind.is_folder:
        Path(pending.path).rmdir()
        Path(pending.path).write_text("a file")
    else:
        Path(pending.path).mkdir()
        Path(pending.path, "part").write_text("in a folder")
    wrote = "wrote a file" if kind.is_folder else "wrote a folder"
    with pytest.raises(OutputNotWritten, match=wrote):
        pending.seal()
    pending.discard()
    assert kind.everything() == set()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_name_will_do(kind: Kind, name: str, inputs: Path) -> None:
    if kind.is_remote and "\n" in name:
        pytest.skip("moto's server knows no keys with line feeds")
    target = kind.target(name)
    published(kind, target, OLD, run=1)
    sidecar = published(kind, target, NEW, run=2)
    assert target.metadata() == sidecar
    assert kind.content(target) == kind.part(NEW)
    handed, _ = target.hand_out(str(inputs))
    assert Path(handed).name == Path(name).name
    assert kind.read(handed) == kind.part(NEW)
    assert len(kind.everything()) == len(kind.part(NEW)) + 1


# -- sidecars -----------------------------------------------------------------------------------


def test_a_sidecar_is_replaced(kind: Kind, target: TargetWithMetadata) -> None:
    kind.put(target, OLD)
    for run, text in ((1, "x" * 10_000), (2, "Größe ☃ \ud800")):
        target.write_sidecar(document(run, note=text))
        assert target.metadata() == document(run, note=text)


def test_a_sidecar_can_be_elsewhere(kind: Kind) -> None:
    target = kind.target("out/result", sidecar="meta/deep/own name.json")
    assert target.metadata_path.endswith("meta/deep/own name.json")
    sidecar = published(kind, target, OLD)
    assert target.metadata() == sidecar
    beside = kind.everything() - {"meta/deep/own name.json"}
    assert len(beside) == len(kind.part(OLD))
    again = kind.target("out/other", sidecar="meta/other/own name.json")
    again.write_sidecar(document())
    assert again.metadata() == document()


def test_a_sidecar_is_no_part_of_the_content(kind: Kind, target: TargetWithMetadata) -> None:
    sidecar = published(kind, target, OLD)
    seen = target.observe()
    target.write_sidecar({**sidecar, "note": "added later"})
    assert token_of(target) == seen.token
    assert target.read_content(seen).fingerprint == sidecar["output"]["fingerprint"]


def test_what_is_no_sidecar_is_an_error_that_names_it(
    kind: Kind, target: TargetWithMetadata
) -> None:
    for data in (b"", b"no JSON", b"[1]", b"\xff", b'{"format": "other/1"}'):
        write_raw(kind, target, data)
        assert target.read_sidecar() == data
        with pytest.raises(SidecarError) as caught:
            target.metadata()
        assert caught.value.path == target.metadata_path


def test_of_a_huge_sidecar_no_more_than_one_byte_too_much_is_read(
    kind: Kind, target: TargetWithMetadata
) -> None:
    write_raw(kind, target, b"x" * (MAX_SIDECAR_BYTES + 1000))
    assert len(target.read_sidecar() or b"") == MAX_SIDECAR_BYTES + 1
    with pytest.raises(SidecarError, match="larger than"):
        target.metadata()


def write_raw(kind: Kind, target: TargetWithMetadata, data: bytes) -> None:
    if kind.is_remote:
        bucket, _, key = target.metadata_path.removeprefix("s3://").partition("/")
        kind.client.put_object(Bucket=bucket, Key=key, Body=data)
    else:
        Path(target.metadata_path).parent.mkdir(parents=True, exist_ok=True)
        Path(target.metadata_path).write_bytes(data)


def test_an_announcement_stands_until_it_is_withdrawn(
    kind: Kind, target: TargetWithMetadata
) -> None:
    for run in (1, 2):
        target.write_next(document(run))
        assert f'"{document(run)["run_id"]}"'.encode() in (target.read_next() or b"")
        assert target.is_announced() in (True, None)
    target.remove_next()
    target.remove_next()
    assert target.read_next() is None
    assert target.is_announced() in (False, None)
    assert target.metadata() is None


# -- handing out -----------------------------------------------------------------------------------


def test_what_is_handed_out_is_what_was_observed(
    kind: Kind, target: TargetWithMetadata, inputs: Path
) -> None:
    sidecar = published(kind, target, OLD)
    path, seen = target.hand_out(str(inputs))
    assert Path(path).parent == inputs
    assert Path(path).name == "result"
    assert kind.read(path) == kind.part(OLD)
    assert seen.token == token_of(target)
    assert target.read_content(seen).fingerprint == sidecar["output"]["fingerprint"]


def test_a_task_cannot_damage_an_input_through_its_path(
    kind: Kind, target: TargetWithMetadata, inputs: Path
) -> None:
    published(kind, target, OLD)
    before = (token_of(target), kind.content(target))
    for how in ("write", "append", "delete", "mode", "rename", "nothing"):
        directory = inputs / how
        directory.mkdir()
        path, _ = target.hand_out(str(directory))
        assert kind.read(path) == kind.part(OLD)
        damage(Path(path), how)
    assert (token_of(target), kind.content(target)) == before


def damage(path: Path, how: str) -> None:
    for file in [file for file in path.rglob("*") if file.is_file()] or [path]:
        if how in ("write", "append"):
            file.chmod(0o644)
            with file.open("wb" if how == "write" else "ab") as opened:
                opened.write(b"damage")
        elif how == "delete":
            file.unlink()
        elif how == "mode":
            file.chmod(0)
        elif how == "rename":
            file.rename(f"{file}.moved")


# -- stashes ---------------------------------------------------------------------------------------


def test_an_old_version_comes_back_over_what_a_task_left(
    kind: Kind, target: TargetWithMetadata
) -> None:
    published(kind, target, OLD)
    before = (kind.everything(), kind.content(target))
    stash = target.stash("run")
    assert stash is not None
    assert kind.content(target) == kind.part(OLD)
    stash.take()
    assert not target.exists()
    kind.put(target, NEW)
    stash.restore()
    assert (kind.everything(), kind.content(target)) == before


def test_an_old_version_that_was_not_taken_stays_where_it_is(
    kind: Kind, target: TargetWithMetadata
) -> None:
    published(kind, target, OLD)
    before = kind.everything()
    stash = target.stash("run")
    assert stash is not None
    stash.restore()
    assert kind.everything() == before
    assert kind.content(target) == kind.part(OLD)


def test_an_old_version_is_let_go_when_the_new_one_is_complete(
    kind: Kind, target: TargetWithMetadata
) -> None:
    published(kind, target, OLD)
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    kind.put(target, NEW)
    stash.drop()
    assert kind.content(target) == kind.part(NEW)
    assert not any("stash" in name for name in kind.everything())
    assert not target.put_back(stash.location)


def test_what_a_dead_run_put_aside_is_put_back_by_its_location(
    kind: Kind, target: TargetWithMetadata
) -> None:
    published(kind, target, OLD)
    before = kind.everything()
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    kind.put(target, NEW)
    assert kind.target().put_back(stash.location)
    assert kind.content(target) == kind.part(OLD)
    assert kind.everything() == before
    assert not target.put_back(stash.location)


def test_what_a_finished_run_put_aside_is_dropped_by_its_location(
    kind: Kind, target: TargetWithMetadata
) -> None:
    published(kind, target, OLD)
    stash = target.stash("run")
    assert stash is not None
    stash.take()
    kind.put(target, NEW)
    kind.target().drop_stashed(stash.location)
    assert kind.content(target) == kind.part(NEW)
    assert not any("stash" in name for name in kind.everything())


def test_only_a_targets_own_stash_is_put_back(kind: Kind, target: TargetWithMetadata) -> None:
    other = kind.target("out/other")
    published(kind, target, OLD)
    published(kind, other, NEW)
    stash = other.stash("run")
    assert stash is not None
    stash.take()
    for location in (stash.location, other.uri, target.uri, "", "/", "../x", "s3://lake/"):
        assert not target.put_back(location)
        target.drop_stashed(location)
    stash.restore()
    assert kind.content(target) == kind.part(OLD)
    assert kind.content(other) == kind.part(NEW)


# -- downloading --------------------------------------------------------------------------------------


def test_a_download_is_a_path_with_the_content(kind: Kind, target: TargetWithMetadata) -> None:
    published(kind, target, OLD)
    path = target.download()
    assert Path(path).name == "result"
    assert kind.part(OLD).items() <= kind.read(path).items()
    assert target.download() == path


def test_a_download_to_a_place_is_a_copy_of_ones_own(
    kind: Kind, target: TargetWithMetadata, tmp_path: Path
) -> None:
    published(kind, target, OLD)
    path = target.download(str(tmp_path / "new/copy"))
    assert path == str(tmp_path / "new/copy")
    kind.write(path, NEW)
    assert kind.content(target) == kind.part(OLD)
    assert [entry.name for entry in (tmp_path / "new").iterdir()] == ["copy"]


# -- identity ----------------------------------------------------------------------------------------


def test_targets_of_one_place_are_equal(kind: Kind) -> None:
    one, same, other = kind.target(), kind.target(), kind.target("out/other")
    assert one == same != other
    assert len({one, same, other}) == 2
    assert one != one.path


def test_a_target_is_pickled(kind: Kind, target: TargetWithMetadata) -> None:
    published(kind, target, OLD)
    again = pickle.loads(pickle.dumps(target))
    assert again == target
    assert again.metadata_path == target.metadata_path
    assert kind.content(again) == kind.part(OLD)


def test_a_targets_text_says_where_it_is(target: TargetWithMetadata) -> None:
    assert str(target) == target.path
    assert repr(target) == f"{type(target).__name__}({target.path!r})"


def test_a_removed_target_is_missing(kind: Kind, target: TargetWithMetadata) -> None:
    published(kind, target, OLD)
    target.remove()  # type: ignore[attr-defined]
    assert not target.exists()
