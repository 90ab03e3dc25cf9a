"""What a rerun of one or several tasks asks the command line for, and what its dialog shows."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from superluigi_catalog import Catalog
from superluigi_tui.glyphs import UNICODE
from superluigi_tui.plan_lines import plan_rows, replaced_by, replaced_line
from superluigi_tui.rerun_request import (
    CannotRerun,
    PlanShown,
    families_above,
    request_for,
    request_for_build,
    sinks_below,
)
from tests.superluigi_tui.driving import driving
from tests.superluigi_tui.test_builds import build_with
from tests.superluigi_tui.test_task import hash_of


def hashes(*families: str) -> list[str]:
    return [hash_of(family) for family in families]


def test_several_tasks_are_asked_for_in_one_build(demo: Path) -> None:
    with Catalog(demo, read_only=True) as catalog:
        request = request_for(catalog, hashes("Split", "CleanUsers"))
        assert request.title == f"Split  {hash_of('Split')[:8]}  and 1 other"
        words = request.with_mode("this").run_words()
        assert words[:4] == ["run", "--force", "--also", hash_of("CleanUsers")[:12]]
        assert words[4] == "flows.report.Split"
        assert list(families_above(catalog, request.tasks))[-1] == "JoinOrders"


def test_downstream_ends_in_all_tasks_that_nothing_depends_on(demo: Path) -> None:
    with Catalog(demo, read_only=True) as catalog:
        request = request_for(catalog, hashes("Split"))
        assert [each.family for each in sinks_below(catalog, request.tasks)] == ["Report"]
        both = request_for(catalog, [hash_of("Split"), hash_of("Split", "2024-05-16")])
        sinks = sinks_below(catalog, both.tasks)
        assert [each.params["date"] for each in sinks] == ["2024-05-17", "2024-05-16"]


def test_a_failed_build_is_gone_on_with(demo: Path) -> None:
    with Catalog(demo, read_only=True) as catalog:
        build = catalog.build(build_with(demo, "failed"))
        request = request_for_build(catalog, build)
    assert "--resume" in request.plan_words()
    assert "--resume" in request.run_words()
    assert request.tasks[0].family == "Report"


def test_what_has_no_code_is_refused_by_name(own_demo: Path) -> None:
    with Catalog(own_demo) as catalog:
        catalog.record_tasks(
            [replace_module(catalog, hash_of("Split"), "__main__")],
        )
        with pytest.raises(CannotRerun, match="Split c2912baf was defined in a script"):
            request_for(catalog, hashes("Report", "Split"))


def replace_module(catalog: Catalog, task_hash: str, module: str) -> object:
    from superluigi_catalog import TaskEntry

    task = catalog.task(task_hash)
    return TaskEntry(task_hash=task_hash, family=task.family, module=module, params=task.params)


def test_a_plan_says_what_runs_what_not_and_what_is_replaced(demo: Path) -> None:
    rows = [
        {"task_hash": hash_of("Split"), "family": "Split", "action": "run", "is_root": True},
        {"task_hash": hash_of("CleanUsers"), "family": "CleanUsers", "action": "skip"},
    ]
    plan = PlanShown.from_document({"decisions": rows})
    shown = plan_rows(plan, UNICODE, shows_all=False)
    assert [row.key for row in shown] == [hash_of("Split"), "skipped"]
    assert [row.key for row in plan_rows(plan, UNICODE, shows_all=True)][1] == hash_of("CleanUsers")
    with Catalog(demo, read_only=True) as catalog:
        request = request_for(catalog, hashes("Split"))
        replaced = replaced_by(catalog, plan)
    assert [each.family for each in replaced] == ["Split"]
    assert replaced_line(plan, request, replaced)[0].text == "replaces 1 output (Split)"
    other = request_for_another(rows)
    assert "another task" in replaced_line(other, request, replaced)[0].text


def request_for_another(rows: list[dict[str, object]]) -> PlanShown:
    return PlanShown.from_document({"decisions": [{**rows[0], "task_hash": "f" * 32}]})


async def test_marked_tasks_are_rerun_together(demo: Path) -> None:
    async with driving(demo, "tasks?q=CleanUsers") as driver:
        await driver.sees("7 tasks")
        await driver.press("space", "space", "r")
        await driver.sees("and 1 other", "--also", "Cannot plan")
        await driver.press("escape", "y")
        await driver.until(lambda: len(driver.app.clipboard.split()) == 2)
        await driver.press("escape")
        await driver.until(lambda: "marked" not in driver.text)


async def test_from_a_copy_of_a_catalog_nothing_is_started(demo: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    shutil.copy(demo, copy)
    async with driving(copy, "tasks?q=CleanUsers") as driver:
        await driver.sees("7 tasks")
        await driver.press("r")
        await driver.sees("Cannot plan", "is a copy of a catalog")
    assert [path.name for path in tmp_path.iterdir() if path.is_dir()] == []


async def test_two_marked_builds_are_compared(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driving(demo, "builds") as driver:
        await driver.sees("CleanUsers")
        await driver.press("j", "j", "j", "j", "space", "space", "D")
        await driver.sees("Builds › diff", "first cause  parameter date", "Everything")
        await driver.press("e", "y")
        assert "First cause" in driver.app.clipboard
        assert "first_cause" in next(tmp_path.glob("diff-*.json")).read_text()
