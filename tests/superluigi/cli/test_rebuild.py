from __future__ import annotations

import json
from pathlib import Path

import pytest

from superluigi.cli.errors import ExitCode


@pytest.fixture
def built(project):
    project.call("run", "flows.Total", "--n", "4")
    return project


def test_a_lost_catalog_is_rebuilt(built):
    before = built.call("lineage", "--json", str(next(Path("data").glob("total-*.txt")))).stdout
    Path(".superluigi/catalog.db").unlink()
    result = built.call("rebuild", "data")
    assert (result.exit_code, result.stderr) == (0, "")
    assert result.stdout.startswith("2 sidecars: 2 recorded; ")
    after = built.call("lineage", "--json", str(next(Path("data").glob("total-*.txt")))).stdout
    assert [t["task_hash"] for t in json.loads(after)["tasks"]] == [
        t["task_hash"] for t in json.loads(before)["tasks"]
    ]
    assert "2 known" in built.call("rebuild", "data").stdout


def test_sidecars_that_cannot_be_used_are_listed_and_make_it_fail(built):
    Path("data/\x1b[31m.metadata.json").write_text("{")
    result = built.call("rebuild", "data")
    assert result.exit_code == ExitCode.FAILED
    assert result.stdout.startswith("broken  data/\\x1b[31m.metadata.json")
    document = json.loads(built.call("rebuild", "--json", "data").stdout)
    assert [each["problem"] for each in document["problems"]] == ["broken"]
    assert (document["found"], document["unchanged"]) == (3, 3)


@pytest.mark.parametrize(
    "garbage",
    [b"this is no database at all" * 300, b"SQLite format 3\0" + b"\xff" * 8000],
    ids=["no-database", "damaged"],
)
def test_a_catalog_that_is_garbage_is_kept_aside_and_rebuilt_on_request(built, garbage):
    path = Path(".superluigi/catalog.db")
    path.write_bytes(garbage)
    for command in (["tasks"], ["rebuild", "data"], ["run", "flows.Total"]):
        result = built.call(*command)
        assert result.exit_code == ExitCode.REFUSED
        assert "superluigi rebuild --replace" in result.stderr
    assert path.read_bytes() == garbage
    result = built.call("rebuild", "--replace", "data")
    assert result.exit_code == 0
    assert "2 recorded" in result.stdout
    (kept,) = path.parent.glob("catalog.db.aside-*Z")
    assert str(kept.name) in result.stderr
    assert kept.read_bytes() == garbage


def test_a_good_catalog_can_be_replaced_too_and_is_kept_whole(built):
    built.call("rebuild", "--replace", "data")
    (kept,) = Path(".superluigi").glob("catalog.db.aside-*Z")
    from superluigi_catalog import Catalog

    with Catalog(kept) as old, Catalog() as new:
        assert len(old.builds()) == 1
        assert new.builds() == ()
        assert {task.task_hash for task in old.tasks()} == {task.task_hash for task in new.tasks()}


def test_a_root_that_is_not_there_is_refused(built):
    result = built.call("rebuild", "nowhere")
    assert result.exit_code == ExitCode.REFUSED
    assert "'nowhere'" in result.stderr
    assert built.call("rebuild").exit_code == ExitCode.USAGE
