"""`load_task` for targets that the catalog does not know."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from superluigi import load_task, run_task
from superluigi.errors import SidecarError, TaskNotLoadable
from superluigi_catalog import Catalog, TaskNotFound
from tests.superluigi.places.conftest import B, built, lose_catalog

__all__ = ["built"]

SIDECAR = Path("data/b.txt.metadata.json")


def test_the_catalog_is_asked_first(built: Path) -> None:
    SIDECAR.unlink()
    assert load_task("data/b.txt") == B()


@pytest.mark.parametrize("ref", ["data/b.txt", Path("data/b.txt"), str(SIDECAR)], ids=repr)
def test_a_target_that_the_catalog_lost_is_loaded_from_its_sidecar(built: Path, ref: Any) -> None:
    lose_catalog()
    task = load_task(ref)
    assert (task, task.task_id) == (B(), B().task_id)
    with Catalog() as catalog:
        assert catalog.tasks() == ()  # loading records nothing
        assert load_task(built / "data/b.txt", catalog=catalog) == B()


def test_what_has_no_sidecar_is_not_found(built: Path) -> None:
    lose_catalog()
    SIDECAR.unlink()
    for ref in ("data/b.txt", "data", "gs://bucket/b.txt", B().task_id, ""):
        with pytest.raises(TaskNotFound):
            load_task(ref)


@pytest.mark.parametrize("data", [b"", b"{", b'{"format": "superluigi-sidecar/9"}'], ids=repr)
def test_a_sidecar_that_cannot_be_used_is_an_error(built: Path, data: bytes) -> None:
    lose_catalog()
    SIDECAR.write_bytes(data)
    with pytest.raises(SidecarError, match=r"cannot be used|Upgrade"):
        load_task("data/b.txt")


def test_the_sidecar_of_another_target_is_refused(built: Path) -> None:
    lose_catalog()
    shutil.copy("data/a.txt.metadata.json", SIDECAR)
    with pytest.raises(SidecarError, match=r"of another target"):
        load_task("data/b.txt")


def test_a_sidecar_makes_nobody_import_what_is_no_module_of_the_project(
    built: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere = built.parent / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "planted.py").write_text("import pathlib; pathlib.Path('HACKED').touch()\n")
    (built / "ours.py").write_text("from tests.superluigi.places.conftest import B\n")
    monkeypatch.setattr(sys, "path", [str(elsewhere), str(built), *sys.path])
    lose_catalog()
    document = json.loads(SIDECAR.read_text())
    for module in ("planted", "planted.deeper"):
        SIDECAR.write_text(json.dumps(document | {"module": module}))
        with pytest.raises(TaskNotLoadable, match="no module of the project"):
            load_task("data/b.txt")
    assert not Path("HACKED").exists()
    SIDECAR.write_text(json.dumps(document | {"module": "ours"}))
    assert load_task("data/b.txt") == B()
    SIDECAR.write_text(json.dumps(document | {"module": "nowhere.at.all"}))
    with pytest.raises(TaskNotLoadable, match="cannot be imported"):
        load_task("data/b.txt")


def test_an_object_and_a_prefix_are_loaded_from_their_sidecars(built: Path, s3: Any) -> None:
    from tests.s3_flows import S3Clean, S3Raw

    s3.put_object(Bucket="lake", Key="source.txt", Body=b"hello")
    run_task(S3Clean(), progress=False)
    lose_catalog()
    assert load_task("s3://lake/raw/raw.txt") == S3Raw()
    assert load_task("s3://lake/clean/") == S3Clean()
    with pytest.raises(TaskNotFound):
        load_task("s3://lake/nothing")
