from __future__ import annotations

from pathlib import Path

from superluigi_catalog import Catalog
from tests.superluigi_tui.driving import driving


async def test_what_failed_comes_first_then_what_is_stale_then_what_is_missing(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees(
            "TrainModel", "JoinOrders", "Score", "output missing", "fresh", "84 tasks"
        )
        rows = [line[4:20].split()[0] for line in driver.lines[3:7]]
        assert rows == ["TrainModel", "Features", "JoinOrders", "Score"]


async def test_builds_and_activity_are_shown(demo: Path) -> None:
    async with driving(demo, size=(120, 40)) as driver:
        await driver.sees("running", "1 failed", "12 ran", "last 14 days", "TrainModel 14m02s")


async def test_the_history_goes_back_and_forward(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("Needs attention")
        await driver.press("2")
        await driver.sees("sort:newest")
        await driver.press("left_square_bracket")
        await driver.sees("Needs attention")
        await driver.press("right_square_bracket")
        await driver.sees("sort:newest")


async def test_help_lists_the_keys_and_can_be_filtered(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("Needs attention")
        await driver.press("question_mark")
        await driver.sees("Keys: home", "MOVE")
        await driver.press(*"plan")
        await driver.sees("rerun: a plan first")
        assert "sideways" not in driver.text
        await driver.press("escape")
        await driver.sees("Needs attention")


async def test_an_empty_catalog_says_how_to_fill_it(tmp_path: Path) -> None:
    path = tmp_path / "catalog.db"
    Catalog(path).close()
    async with driving(path, "tasks") as driver:
        await driver.sees("No tasks yet. Run one: superluigi run MODULE.Task")
        await driver.press("1")
        await driver.sees("No tasks yet.", "no builds yet")
