from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from superluigi_catalog import Catalog, Project, find_project


@pytest.fixture(autouse=True)
def user_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "user"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("SUPERLUIGI_HOME", raising=False)
    return home


@pytest.mark.parametrize("marker", ["superluigi.toml", "luigi.cfg", "pyproject.toml", ".git"])
def test_the_nearest_marker_upwards_is_the_root(tmp_path: Path, marker: str) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (tmp_path / "pyproject.toml").touch()
    (tmp_path / "a" / marker).touch()
    assert find_project(inner) == Project(tmp_path / "a", tmp_path / "a" / ".superluigi")


def test_without_a_marker_the_users_home_is_used_and_paths_stay_absolute(
    tmp_path: Path, user_home: Path
) -> None:
    project = find_project(tmp_path)
    assert project == Project(None, user_home / ".superluigi")
    assert project.stored_path(tmp_path / "x.csv") == f"{tmp_path}/x.csv"


def test_the_variable_moves_the_home_but_not_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "luigi.cfg").touch()
    monkeypatch.setenv("SUPERLUIGI_HOME", "~/elsewhere")
    assert find_project(tmp_path) == Project(tmp_path, Path.home() / "elsewhere")


def test_with_the_variable_and_no_marker_the_directory_is_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SUPERLUIGI_HOME", str(tmp_path / "elsewhere"))
    monkeypatch.chdir(tmp_path)
    assert find_project().root == tmp_path


def test_the_home_is_hidden_from_git(tmp_path: Path) -> None:
    project = Project(tmp_path, tmp_path / ".superluigi")
    assert project.ensure_home() == project.ensure_home()
    assert (tmp_path / ".superluigi" / ".gitignore").read_text() == "*\n"


def test_only_the_home_of_the_user_is_private(tmp_path: Path, user_home: Path) -> None:
    old = os.umask(0o022)
    try:
        private = Project(None, user_home / ".superluigi").ensure_home()
        shared = Project(tmp_path, tmp_path / ".superluigi").ensure_home()
    finally:
        os.umask(old)
    assert stat.S_IMODE(private.stat().st_mode) == 0o700
    assert stat.S_IMODE(shared.stat().st_mode) == 0o755


@pytest.mark.parametrize(
    ("path", "stored"),
    [
        ("data/x.csv", "data/x.csv"),
        ("./data//x.csv", "data/x.csv"),
        ("{root}/data/x.csv", "data/x.csv"),
        ("{root}/data/../x.csv", "x.csv"),
        ("../outside.csv", "{parent}/outside.csv"),
        ("{root}extra/x.csv", "{root}extra/x.csv"),
        ("{root}", "."),
        ("{root}/", "."),
        ("/etc/hosts", "/etc/hosts"),
        ("s3://bucket//a/../b", "s3://bucket//a/../b"),
        ("gs://bucket/x", "gs://bucket/x"),
        ("odd:name", "odd:name"),
        ("a b/ü\udc80.csv", "a b/ü\udc80.csv"),
    ],
)
def test_paths_inside_the_project_are_stored_relative_to_it(
    project_directory: Path, path: str, stored: str
) -> None:
    names = {"root": str(project_directory), "parent": str(project_directory.parent)}
    project = find_project()
    assert project.stored_path(path.format(**names)) == stored.format(**names)
    assert project.stored_path(project.absolute_path(stored.format(**names))) == stored.format(
        **names
    )


def test_paths_are_relative_to_where_the_process_is_now(
    project_directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = find_project()
    (project_directory / "sub").mkdir()
    monkeypatch.chdir(project_directory / "sub")
    assert project.stored_path("x.csv") == "sub/x.csv"
    assert project.absolute_path("sub/x.csv") == f"{project_directory}/sub/x.csv"


def test_a_project_spelled_through_a_link_is_the_same_project(
    project_directory: Path, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(project_directory)
    project = Project(link, link / ".superluigi")
    assert project.stored_path(f"{link}/x.csv") == "x.csv"
    assert project.stored_path(f"{project_directory}/x.csv") == "x.csv"


def test_a_linked_file_keeps_its_own_name(project_directory: Path) -> None:
    (project_directory / "real.csv").touch()
    (project_directory / "alias.csv").symlink_to("real.csv")
    assert find_project().stored_path("alias.csv") == "alias.csv"


def test_a_project_at_the_root_of_the_filesystem() -> None:
    assert Project(Path("/"), Path("/.superluigi")).stored_path("/etc/hosts") == "etc/hosts"


def test_a_catalog_belongs_to_the_project_around_it(
    project_directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Catalog().close()
    monkeypatch.chdir(tmp_path)
    with Catalog(project_directory / ".superluigi" / "catalog.db") as catalog:
        assert catalog.project.root == project_directory
        assert catalog.project.stored_path(project_directory / "x.csv") == "x.csv"


def test_a_catalog_elsewhere_belongs_to_the_project_of_the_working_directory(
    project_directory: Path, tmp_path: Path
) -> None:
    with Catalog(tmp_path / "copy.db") as catalog:
        assert catalog.project.root == project_directory


def test_a_catalog_in_the_users_home_has_no_root(user_home: Path, tmp_path: Path) -> None:
    with Catalog(user_home / ".superluigi" / "catalog.db") as catalog:
        assert catalog.project.root is None
