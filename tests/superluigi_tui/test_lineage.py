from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from superluigi_catalog import Catalog
from superluigi_tui.demo.pipeline import daily_tasks
from superluigi_tui.glyphs import ASCII
from superluigi_tui.lineage_export import write_lineage
from superluigi_tui.screens.lineage import LineageView
from tests.superluigi_tui.driving import Driver, driving
from tests.superluigi_tui.test_task import hash_of


def screen(driver: Driver) -> LineageView:
    return cast("LineageView", driver.app.screen)


async def test_the_whole_pipeline_is_drawn_with_its_states(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Report')}", size=(80, 30)) as driver:
        await driver.sees(
            "focus Report", "↑ all upstream   ↓ 0 downstream", "◐ 2", "├─┬─╮", "ExtractUsers"
        )
        names = [line[11:28].split()[0] for line in driver.lines if "date=" in line]
        assert names[:5] == ["Report", "Score", "TrainModel", "Split", "Features"]


async def test_depth_direction_and_hiding_are_in_the_address(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("minus")
        await driver.until(lambda: "depth=3" in str(screen(driver).route))
        await driver.press("minus", "minus")
        await driver.sees("↑ 1 upstream")
        await driver.until(lambda: "CleanPrices" not in driver.text)
        await driver.press("plus", "plus", "plus")
        await driver.sees("↑ 4 upstream", "ExtractOrders")
        await driver.press("plus")
        await driver.sees("↑ 5 upstream", "ExtractOrders")
        await driver.press("plus")
        await driver.sees("↑ all upstream", "ExtractOrders")
        await driver.press("x")
        await driver.sees("fresh ones hidden", "JoinOrders")
        await driver.until(lambda: "CleanPrices" not in driver.text)
        await driver.press("d")
        await driver.sees("↓ all downstream", "TrainModel", "Report")


async def test_folding_hides_what_hangs_from_a_task(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("j", "h")
        await driver.sees("[folded]")
        assert "ExtractOrders" not in driver.text
        await driver.press("l")
        await driver.sees("ExtractOrders")


async def test_the_cursor_skips_lines_without_a_task(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("j", "j")
        assert screen(driver).current_task() == hash_of("CleanPrices")
        await driver.press("N")
        assert screen(driver).current_task() == hash_of("Features")
        await driver.sees("Features 5f4d59d4", "stale: an input is not the one")
        await driver.press("full_stop")
        await driver.sees("focus Features")


@pytest.mark.parametrize(
    ("key", "ending", "begins"),
    [
        ("1", "mmd", "flowchart LR"),
        ("2", "dot", "digraph"),
        ("3", "svg", "<svg "),
        ("4", "json", "{"),
    ],
)
async def test_a_lineage_is_exported(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, ending: str, begins: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("e", key)
        path = tmp_path / f"lineage-{hash_of('Split')[:8]}.{ending}"
        await driver.until(lambda: path.read_text().startswith(begins))


def test_an_export_replaces_no_other_file(demo: Path, tmp_path: Path) -> None:
    with Catalog(demo, read_only=True) as catalog:
        lineage = catalog.upstream(hash_of("Split"))
    path = write_lineage(lineage, "dot", tmp_path)
    assert write_lineage(lineage, "dot", tmp_path) == path
    path.write_text("mine")
    assert write_lineage(lineage, "dot", tmp_path).name.endswith("-2.dot")
    assert path.read_text() == "mine"


async def test_the_map_stands_below_the_rows_where_there_is_room(demo: Path) -> None:
    route = f"lineage/{hash_of('Report')}"
    async with driving(demo, route, size=(140, 40)) as driver:
        await driver.sees("Map", "──▸ ✗ TrainModel", "──▸[? Report]", "↑ Score")
        driver.app.screen.query_one("#map").focus()
        await driver.press("h", "h")
        await driver.until(lambda: screen(driver).current_task() == hash_of("TrainModel"))
        await driver.sees("[✗ TrainModel]", "↑ Split   ↓ Score", "TrainModel 878c17a6")
        await driver.press("m")
        await driver.until(lambda: "Map" not in driver.text)
        assert "map=off" in str(screen(driver).route)


async def test_the_map_takes_the_place_of_the_rows_where_there_is_not(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Split')}", glyphs=ASCII) as driver:
        await driver.sees("ExtractOrders")
        await driver.press("m")
        await driver.sees("~ Features -->[+ Split]")
        await driver.press("left", "k", "enter")
        await driver.sees("Tasks > Features")


async def test_tasks_of_one_family_are_shown_together(own_demo: Path) -> None:
    task = next(iter(daily_tasks("2024-06-01"))).entry
    root = replace(
        task,
        task_hash="f" * 32,
        family="Month",
        outputs=(),
        upstream=tuple((str(day), f"{day:032x}") for day in range(1, 71)),
    )
    days = (
        replace(task, task_hash=f"{day:032x}", family="Day", outputs=()) for day in range(1, 71)
    )
    with Catalog(own_demo) as catalog:
        catalog.record_tasks([*days, root])
    async with driving(own_demo, f"lineage/{'f' * 32}") as driver:
        await driver.sees("Month", "┆+")
        await driver.press("m")
        await driver.until(lambda: "71 tasks: hide fresh ones (x)" in str(driver.notes))
        await driver.press("c")
        await driver.sees("Day ×70", "? 70 unknown", "families together")
        await driver.press("m")
        await driver.sees("Day ×70 ──▸[? Month]")
        await driver.press("m", "j", "enter")
        await driver.until(lambda: "×70" not in driver.text)


async def test_the_tab_opens_the_lineage_of_the_task_at_hand(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("TrainModel")
        await driver.press("3")
        await driver.sees("focus TrainModel")
