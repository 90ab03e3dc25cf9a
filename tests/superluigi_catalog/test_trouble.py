"""Disks that are full, directories that cannot be written, filesystems that several machines share."""

from __future__ import annotations

import os
import resource
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from superluigi_catalog import Catalog, CatalogError, CatalogReadOnly
from superluigi_catalog.project import Project
from superluigi_catalog.storage import connection
from superluigi_catalog.storage.filesystem import is_on_network, type_of
from tests.superluigi_catalog.entries import a_run, a_task, hash_of, record_chain
from tests.superluigi_catalog.test_journal import pragma, safe_library

__all__ = ["safe_library"]

NOBODY = 65_534


def in_child(work: Callable[[], None]) -> None:
    """Do it in a child, which may limit itself; an error there is one here."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        told = ""
        try:
            work()
        except BaseException:
            told = traceback.format_exc()
        os.write(writing, told.encode()[:60_000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read().decode()
    os.waitpid(child, 0)
    assert not told, told


def without_rights() -> None:
    """Be a user who may write nowhere that matters here."""
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)


@pytest.fixture
def locked_away(new_catalog: Path) -> Iterator[Path]:
    """A catalog in a directory that may be read, but not written."""
    directory = Path(tempfile.mkdtemp())
    shutil.copy(new_catalog, directory / "catalog.db")
    with Catalog(directory / "catalog.db") as catalog:
        record_chain(catalog, "a", "b")
    (directory / "catalog.db").chmod(0o444)
    directory.chmod(0o555)
    yield directory / "catalog.db"
    directory.chmod(0o755)
    shutil.rmtree(directory)


def test_a_catalog_in_a_read_only_directory_is_read(locked_away: Path) -> None:
    def work() -> None:
        without_rights()
        with Catalog(locked_away, read_only=True) as catalog:
            assert len(catalog.tasks()) == 2
            assert len(catalog.upstream(hash_of("b")).tasks) == 1

    in_child(work)
    assert [path.name for path in locked_away.parent.iterdir()] == ["catalog.db"]


def test_writing_into_a_read_only_directory_is_a_clear_error(locked_away: Path) -> None:
    def work() -> None:
        without_rights()
        with pytest.raises(CatalogReadOnly, match="let this user write"):  # noqa: SIM117
            with Catalog(locked_away) as catalog:
                catalog.record_tasks([a_task("c")])
        with pytest.raises(CatalogError, match="must be allowed to write"):
            Catalog(locked_away.with_name("new.db"))

    in_child(work)


def test_a_home_that_cannot_be_made_is_a_clear_error(tmp_path: Path) -> None:
    blocked = tmp_path / ".superluigi"
    blocked.write_text("a file")
    with pytest.raises(
        CatalogError, match=r"'.*\.superluigi' is a file where a directory is needed"
    ):
        Project(tmp_path, blocked).ensure_home()
    with pytest.raises(CatalogError, match="Move it away, or name another directory"):
        Project(tmp_path, blocked / "deeper").ensure_home()
    assert blocked.read_text() == "a file"
    directory = Path(tempfile.mkdtemp())
    directory.chmod(0o555)

    def work() -> None:
        without_rights()
        with pytest.raises(CatalogError, match="Let this user write into"):
            Project(directory, directory / ".superluigi").ensure_home()

    in_child(work)
    directory.rmdir()


def test_a_full_disk_is_a_clear_error_and_loses_nothing(catalog: Catalog) -> None:
    record_chain(catalog, "a")
    catalog.close()
    room = max(path.stat().st_size for path in catalog.path.parent.iterdir()) + 60_000

    def work() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        kept = 0
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, resource.RLIM_INFINITY))
        try:
            for kept in range(1000):
                catalog.record_tasks(
                    a_task(f"{kept}.{i}", params={"text": "x" * 2000}) for i in range(5)
                )
        except CatalogError as error:
            assert "room" in str(error)  # noqa: PT017
        assert 0 < kept < 999
        resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert len(catalog.tasks()) == 1 + 5 * kept
        catalog.record_tasks([a_task("afterwards")])

    in_child(work)
    assert catalog.task(hash_of("a")).status == "fresh"
    assert catalog.task(hash_of("afterwards")).family == "Step"
    with catalog._connections.snapshot() as session:
        assert session.rows("PRAGMA integrity_check") == [("ok",)]


MOUNTS = """\
22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
40 22 0:45 / /home/me\\040too rw - nfs4 server:/home rw,vers=4.2
41 22 0:46 / /mnt/s3 rw - fuse.rclone remote: rw
"""


def test_what_kind_of_filesystem_a_file_is_on() -> None:
    assert type_of(os.makedev(8, 1), MOUNTS) == "ext4"
    assert type_of(os.makedev(0, 45), MOUNTS) == "nfs4"
    assert type_of(os.makedev(0, 46), MOUNTS) == "fuse.rclone"
    assert type_of(os.makedev(9, 9), MOUNTS) == type_of(0, "nonsense\n") == ""
    assert not is_on_network(Path("/nowhere/at/all"))
    assert not is_on_network(Path("/dev"))


def test_on_a_network_filesystem_no_log_is_shared(
    tmp_path: Path, safe_library: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "wal"
        record_chain(catalog, "a")
    monkeypatch.setattr(connection, "is_on_network", lambda directory: True)
    with Catalog(tmp_path / "c.db") as catalog:
        assert pragma(catalog, "journal_mode") == "truncate"
        assert pragma(catalog, "synchronous") == 2
        catalog.finish_run(a_run("a", number=2, minute=9))
        assert len(catalog.runs()) == 2


def _acknowledges(path: Path, pipe: int) -> None:
    with Catalog(path) as catalog:
        for number in range(100_000):
            catalog.record_tasks([a_task(f"t{number}")])
            catalog.finish_run(a_run(f"t{number}"))
            os.write(pipe, f"{number}\n".encode())


@pytest.mark.parametrize("after", [1, 40])
def test_a_process_that_is_killed_loses_nothing_that_it_was_told_is_kept(
    catalog: Catalog, after: int
) -> None:
    catalog.close()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _acknowledges(catalog.path, writing)
    os.close(writing)
    told = b""
    with os.fdopen(reading, "rb", buffering=0) as pipe:
        while told.count(b"\n") < after:
            told += pipe.read(100)
        os.kill(child, signal.SIGKILL)
        told += pipe.read()
    os.waitpid(child, 0)
    kept = {task.params["name"] for task in catalog.tasks()}
    runs = {run.task_hash for run in catalog.runs(limit=None)}
    for number in told.decode().split("\n")[:-1]:
        assert f"t{number}" in kept
        assert hash_of(f"t{number}") in runs
    with catalog._connections.snapshot() as session:
        assert session.rows("PRAGMA integrity_check") == [("ok",)]
        assert session.rows("PRAGMA foreign_key_check") == []
