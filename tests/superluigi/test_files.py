from __future__ import annotations

import ctypes
import hashlib
import multiprocessing
import os
import shutil
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from superluigi.files import (
    STASH_PREFIX,
    TEMPORARY_PREFIX,
    clone_or_copy,
    clone_or_copy_tree,
    file_sha256,
    new_temporary_directory,
    remove_tree,
    replace_file,
    shared_temporaries,
    sweep_temporaries,
    sync_directory,
    temporary_place,
    tree_files,
)

_DAY_S = 24 * 3600


def fill(folder: Path, *names: str) -> Path:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"in {name}")
    return folder


def names_in(folder: Path) -> list[str]:
    return sorted(relative for relative, _ in tree_files(str(folder)))


# -- digests and trees ---------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 1 << 20, (1 << 20) + 1])
def test_a_digest_is_of_all_bytes(tmp_path: Path, size: int) -> None:
    data = os.urandom(size)
    (tmp_path / "f").write_bytes(data)
    assert file_sha256(str(tmp_path / "f")) == hashlib.sha256(data).hexdigest()


def test_a_tree_has_every_file_with_its_stat(tmp_path: Path) -> None:
    fill(tmp_path, "a", "x/b", "x/y/c", ".hidden", "-dash", "new\nline")
    (tmp_path / "empty").mkdir()
    assert names_in(tmp_path) == ["-dash", ".hidden", "a", "new\nline", "x/b", "x/y/c"]
    assert {status.st_size for _, status in tree_files(str(tmp_path / "x"))} == {6, 8}


def test_a_tree_leaves_our_own_temporaries_out(tmp_path: Path) -> None:
    fill(tmp_path, "a", f"{TEMPORARY_PREFIX}1/b", f"{STASH_PREFIX}2/c", f"x/{TEMPORARY_PREFIX}file")
    assert names_in(tmp_path) == ["a"]


def test_a_tree_follows_links_to_files_and_folders(tmp_path: Path) -> None:
    fill(tmp_path / "elsewhere", "big.bin", "deep/er")
    root = fill(tmp_path / "root", "own")
    (root / "file").symlink_to("../elsewhere/big.bin")
    (root / "folder").symlink_to("../elsewhere")
    (root / "dangling").symlink_to("nowhere")
    assert names_in(root) == ["file", "folder/big.bin", "folder/deep/er", "own"]
    (tmp_path / "linked root").symlink_to("root")
    assert names_in(tmp_path / "linked root") == names_in(root)


def test_a_tree_with_links_in_a_circle_ends(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "a/file", "b/file")
    (root / "a/up").symlink_to("..")
    (root / "a/over").symlink_to("../b")
    (root / "b/over").symlink_to("../a")
    (root / "itself").symlink_to(".")
    assert {"a/file", "b/file", "a/over/file", "b/over/file"} <= set(names_in(root))


def test_a_tree_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(tree_files(str(tmp_path / "none")))


# -- copies ---------------------------------------------------------------------------------------


def test_a_copy_is_writable_and_shares_nothing(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    (tmp_path / "a").chmod(0o444)
    clone_or_copy(str(tmp_path / "a"), str(tmp_path / "b"))
    assert (tmp_path / "b").stat().st_mode & stat.S_IWUSR
    (tmp_path / "b").write_text("changed")
    assert (tmp_path / "a").read_text() == "in a"


def test_a_copy_of_a_link_is_a_file(tmp_path: Path) -> None:
    fill(tmp_path, "a")
    (tmp_path / "link").symlink_to("a")
    clone_or_copy(str(tmp_path / "link"), str(tmp_path / "b"))
    assert not (tmp_path / "b").is_symlink()
    assert (tmp_path / "b").read_text() == "in a"


@pytest.mark.parametrize("how", ["the same path", "a hard link", "a link"])
def test_a_file_is_never_copied_over_itself(tmp_path: Path, how: str) -> None:
    source = fill(tmp_path, "a") / "a"
    destination = source if how == "the same path" else tmp_path / "b"
    if how == "a hard link":
        destination.hardlink_to(source)
    elif how == "a link":
        destination.symlink_to(source)
    with pytest.raises(shutil.SameFileError):
        clone_or_copy(str(source), str(destination))
    assert source.read_text() == "in a"


def test_copying_nothing_is_an_error_that_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        clone_or_copy(str(tmp_path / "none"), str(tmp_path / "b"))
    assert list(tmp_path.iterdir()) == []


def test_a_copied_tree_has_the_same_files(tmp_path: Path) -> None:
    root = fill(tmp_path / "root", "a", "x/b", "x/y/ü \n#")
    (root / "link").symlink_to("x")
    clone_or_copy_tree(str(root), str(tmp_path / "new/copy"))
    assert names_in(tmp_path / "new/copy") == names_in(root)
    assert (tmp_path / "new/copy/link/b").read_text() == "in x/b"
    assert not (tmp_path / "new/copy/link").is_symlink()


def test_a_tree_is_copied_into_itself_without_end(tmp_path: Path) -> None:
    clone_or_copy_tree(str(fill(tmp_path, "a", "x/b")), str(tmp_path / "copy"))
    assert names_in(tmp_path / "copy") == ["a", "x/b"]


# -- replacing ------------------------------------------------------------------------------------


@given(data=st.binary(max_size=100))
@settings(max_examples=20)
def test_replaced_files_hold_the_new_bytes(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("replaced") / "f"
    for content in (b"old", data):
        replace_file(str(path), content)
    assert path.read_bytes() == data
    assert list(path.parent.iterdir()) == [path]


def test_a_reader_sees_the_old_bytes_or_the_new_ones(tmp_path: Path) -> None:
    path = tmp_path / "f"
    versions = [bytes([n]) * (3 << 20) for n in (1, 2)]
    replace_file(str(path), versions[0])
    stop = threading.Event()

    def replace_often() -> None:
        while not stop.is_set():
            for version in versions:
                replace_file(str(path), version)

    writer = threading.Thread(target=replace_often)
    writer.start()
    try:
        for _ in range(60):
            assert path.read_bytes() in versions
    finally:
        stop.set()
        writer.join()


def test_a_failed_replacement_leaves_the_old_file_alone(tmp_path: Path) -> None:
    folder = fill(tmp_path, "taken/by a file") / "taken"
    with pytest.raises(IsADirectoryError):
        replace_file(str(folder), b"new")
    assert names_in(tmp_path) == ["taken/by a file"]
    assert list(tmp_path.iterdir()) == [folder]


def test_a_name_of_the_greatest_length_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    replace_file(str(path), b"new")
    assert path.read_bytes() == b"new"


def test_a_relative_name_is_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    replace_file("f", b"new")
    sync_directory("")
    assert Path("f").read_bytes() == b"new"


# -- temporaries ------------------------------------------------------------------------------------


def test_temporary_directories_are_new_ones_and_make_their_parents(tmp_path: Path) -> None:
    parent = tmp_path / "not/there/yet"
    made = {new_temporary_directory(str(parent)) for _ in range(20)}
    assert len(made) == 20
    assert all(Path(path).parent == parent for path in made)


KILLED = """
import os, signal, sys
from superluigi.files import STASH_PREFIX, new_temporary_directory, replace_file
parent = sys.argv[1]
made = new_temporary_directory(parent)
open(made + "/half", "w").write("written")
os.chmod(made, 0o500)
stash = new_temporary_directory(parent, prefix=STASH_PREFIX)
open(stash + "/old", "w").write("precious")
new_temporary_directory(parent, prefix=STASH_PREFIX)
os.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
replace_file(parent + "/sidecar", b"half")
"""


def test_what_a_killed_process_left_is_swept_but_for_what_it_had_put_aside(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False)
    assert done.returncode == -signal.SIGKILL
    (tmp_path / "data").write_text("mine")
    left = {path.name for path in tmp_path.iterdir()} - {"data"}
    assert len(left) == 4
    swept = {Path(path).name for path in sweep_temporaries(str(tmp_path))}
    assert swept == {name for name in left if name.startswith(TEMPORARY_PREFIX)}
    (kept,) = [path for path in tmp_path.iterdir() if path.name != "data"]
    assert (kept / "old").read_text() == "precious"


def test_what_living_processes_use_is_not_swept(tmp_path: Path) -> None:
    own = new_temporary_directory(str(tmp_path))
    with multiprocessing.get_context("fork").Pool(1) as pool:
        of_child = pool.apply(new_temporary_directory, (str(tmp_path),))
        assert Path(of_child).name.split("-")[:-1] != Path(own).name.split("-")[:-1]
        assert sweep_temporaries(str(tmp_path)) == []
    pool.join()
    assert sweep_temporaries(str(tmp_path)) == [of_child]
    assert Path(own).is_dir()


def named_after(own: str, **parts: str) -> str:
    """A temporary's name, with some parts of its owner's changed."""
    fields = dict(
        zip(("host", "boot", "space", "pid", "start", "token"), own.split("-"), strict=True)
    )
    return TEMPORARY_PREFIX + "-".join({**fields, **parts}.values())


@pytest.mark.parametrize(
    ("parts", "age_s", "goes"),
    [
        ({"host": "0" * 8}, 0, False),
        ({"host": "0" * 8}, 6 * _DAY_S, False),
        ({"host": "0" * 8}, 8 * _DAY_S, True),
        ({"space": "0" * 8}, 0, False),
        ({"space": "0" * 8}, 8 * _DAY_S, True),
        ({"boot": "0" * 8}, 0, True),
        ({"start": "1"}, 0, True),
        ({"pid": "999999999"}, 0, True),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else None,
)
def test_temporaries_of_others_are_swept_when_their_owner_is_surely_dead(
    tmp_path: Path, parts: dict[str, str], age_s: int, goes: bool
) -> None:
    own = Path(new_temporary_directory(str(tmp_path / "own"))).name.removeprefix(TEMPORARY_PREFIX)
    other = fill(tmp_path / named_after(own, **parts), "half")
    then = time.time() - age_s
    os.utime(other, (then, then))
    assert sweep_temporaries(str(tmp_path)) == ([str(other)] if goes else [])
    assert other.exists() is not goes


def test_sweeping_where_nothing_is_does_nothing(tmp_path: Path) -> None:
    assert sweep_temporaries(str(tmp_path / "none")) == []


def test_a_build_shares_one_temporary_directory_per_folder(tmp_path: Path) -> None:
    with shared_temporaries():
        first, is_shared = temporary_place(str(tmp_path / "x"), "a")
        assert is_shared
        assert temporary_place(str(tmp_path / "x"), "b") == (first, True)
        assert temporary_place(str(tmp_path / "y"), "a")[0] != first
        Path(first, "a").touch()
        other, is_shared = temporary_place(str(tmp_path / "x"), "a")
        assert not is_shared
        assert other != first
        remove_tree(other)
    assert names_in(tmp_path) == []
    assert [list(folder.iterdir()) for folder in tmp_path.iterdir()] == [[], []]


def test_a_forked_child_shares_only_what_its_parent_will_remove(tmp_path: Path) -> None:
    with shared_temporaries():
        first, _ = temporary_place(str(tmp_path / "x"), "a")
        with multiprocessing.get_context("fork").Pool(1) as pool:
            assert pool.apply(temporary_place, (str(tmp_path / "x"), "b")) == (first, True)
            assert not pool.apply(temporary_place, (str(tmp_path / "y"), "b"))[1]
        pool.join()


# -- removing ---------------------------------------------------------------------------------------


def test_removing_nothing_is_fine(tmp_path: Path) -> None:
    remove_tree(str(tmp_path / "none"))


def test_removing_a_link_leaves_what_it_leads_to(tmp_path: Path) -> None:
    fill(tmp_path, "folder/file")
    (tmp_path / "folder").chmod(0o755)
    (tmp_path / "link").symlink_to("folder")
    (tmp_path / "doomed").mkdir()
    (tmp_path / "doomed/link").symlink_to("../folder")
    remove_tree(str(tmp_path / "link"))
    remove_tree(str(tmp_path / "doomed"))
    assert names_in(tmp_path) == ["folder/file"]
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o755


def test_a_file_is_removed_as_well(tmp_path: Path) -> None:
    remove_tree(str(fill(tmp_path, "f") / "f"))
    assert list(tmp_path.iterdir()) == []


REMOVES = """
import sys
from superluigi.files import remove_tree
try:
    open(sys.argv[1] + "/closed/c")
except PermissionError:
    remove_tree(sys.argv[1])
else:
    sys.exit(3)
"""


def give_up_roots_rights() -> None:
    """Let file modes count for this process, whoever it is, once it executes another program."""
    libc = ctypes.CDLL(None)
    for capability in (1, 2):  # CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH
        libc.prctl(24, capability, 0, 0, 0)


def test_what_was_made_read_only_is_removed(tmp_path: Path) -> None:
    doomed = fill(tmp_path / "doomed", "a", "x/y/b", "closed/c")
    (doomed / "x/y/b").chmod(0o444)
    (doomed / "x/y").chmod(0o555)
    (doomed / "x").chmod(0o555)
    (doomed / "closed").chmod(0)
    done = subprocess.run(
        [sys.executable, "-c", REMOVES, str(doomed)], preexec_fn=give_up_roots_rights, check=False
    )
    if done.returncode == 3:
        pytest.skip("this process may not give up its rights to closed folders")
    assert done.returncode == 0
    assert not doomed.exists()
