from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from superluigi_tui.screens.lineage import LineageView
from tests.superluigi_tui.driving import Driver, driving
from tests.superluigi_tui.test_task import hash_of


def screen(driver: Driver) -> LineageView:
    return cast("LineageView", driver.app.screen)


async def test_the_whole_pipeline_is_drawn_with_its_states(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Report')}", size=(80, 30)) as driver:
        await driver.sees(
            "from Report", "upstream, all the way", "2 stale", "├─┬─╮", "ExtractUsers"
        )
        names = [line[11:28].split()[0] for line in driver.lines if "date=" in line]
        assert names[:5] == ["Report", "Score", "TrainModel", "Split", "Features"]


async def test_depth_direction_and_hiding_are_in_the_address(demo: Path) -> None:
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("minus")
        await driver.until(lambda: "depth=3" in str(screen(driver).route))
        await driver.press("minus", "minus")
        await driver.sees("1 steps")
        await driver.until(lambda: "CleanPrices" not in driver.text)
        await driver.press("plus", "plus", "plus")
        await driver.sees("4 steps", "ExtractOrders")
        await driver.press("plus")
        await driver.sees("5 steps", "ExtractOrders")
        await driver.press("plus")
        await driver.sees("all the way", "ExtractOrders")
        await driver.press("x")
        await driver.sees("fresh ones hidden", "JoinOrders")
        await driver.until(lambda: "CleanPrices" not in driver.text)
        await driver.press("d")
        await driver.sees("downstream", "TrainModel", "Report")


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
        await driver.sees("Features 5f4d59d4", "an input is not the one")
        await driver.press("full_stop")
        await driver.sees("from Features")


@pytest.mark.parametrize(
    ("key", "ending", "begins"), [("1", "mmd", "flowchart LR"), ("2", "dot", "digraph")]
)
async def test_a_lineage_is_exported(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, ending: str, begins: str
) -> None:
    monkeypatch.chdir(tmp_path)
    async with driving(demo, f"lineage/{hash_of('Split')}") as driver:
        await driver.sees("ExtractOrders")
        await driver.press("e", key)
        path = tmp_path / f"lineage-{hash_of('Split')[:8]}.{ending}"
        await driver.until(path.exists)
        assert path.read_text().startswith(begins)


async def test_the_tab_opens_the_lineage_of_the_task_at_hand(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("TrainModel")
        await driver.press("3")
        await driver.sees("from TrainModel")
