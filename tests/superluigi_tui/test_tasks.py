from __future__ import annotations

from pathlib import Path
from typing import cast

from superluigi_catalog import Catalog
from superluigi_tui.demo.pipeline import daily_tasks
from superluigi_tui.screens.tasks import Tasks
from tests.superluigi_tui.driving import Driver, driving

ALL = 84


def tasks(driver: Driver) -> Tasks:
    return cast("Tasks", driver.app.screen)


async def test_the_newest_tasks_are_there_at_once(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees("Report", "unknown", f"{ALL} tasks", "TrainModel")
        assert tasks(driver).focused is tasks(driver).table
        assert "5.0s" not in driver.text


async def test_every_letter_searches(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        await driver.press("slash", *"clean")
        await driver.sees("21 tasks")
        await driver.press("space", *"2024-05-17")
        await driver.sees(" 3 tasks", "CleanUsers", "1 / 3")
        await driver.press("enter")
        assert tasks(driver).focused is tasks(driver).table
        assert str(tasks(driver).route) == "tasks?q=clean+2024-05-17"


async def test_letters_typed_in_one_burst_are_all_searched_for(demo: Path) -> None:
    from textual import events

    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        for key, letter in (("slash", "/"), ("f", "f"), ("r", "r"), ("q", "q")):
            driver.app.post_message(events.Key(key, letter))
        await driver.sees("No task matches 'frq'.")


async def test_escape_leaves_the_field_then_clears_then_goes_back(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("Needs attention", "TrainModel")
        await driver.press("slash", *"clean")
        await driver.sees("21 tasks")
        await driver.press("escape")
        assert tasks(driver).focused is tasks(driver).table
        await driver.press("escape")
        await driver.sees(f"{ALL} tasks")
        await driver.press("escape")
        await driver.sees("Needs attention")


async def test_a_misspelt_word_is_answered_with_the_nearest_family(demo: Path) -> None:
    async with driving(demo, "tasks?q=Reprt") as driver:
        await driver.sees("No task matches 'Reprt'. Did you mean Report? esc clears")


async def test_the_beginning_of_a_hash_finds_the_task(demo: Path) -> None:
    task = next(iter(daily_tasks("2024-05-17"))).entry
    async with driving(demo, f"tasks?q={task.task_hash[:7]}") as driver:
        await driver.sees("1 / 1 task", task.task_hash[:8], "ExtractOrders")


async def test_the_end_is_one_key_away_and_rows_keep_their_place(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        await driver.press("G")
        await driver.sees(f"{ALL} / {ALL}", "2024-05-11", "ExtractOrders")
        await driver.press("k")
        await driver.sees(f"{ALL - 1} / {ALL}")
        await driver.press("g")
        await driver.sees(f"1 / {ALL}", "2024-05-17")


async def test_filters_narrow_and_are_in_the_address(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        await driver.press("f", "1")
        await driver.sees("Status")
        await driver.press("5")
        await driver.sees("state:failed", "1 / 1 task", "TrainModel")
        await driver.press("f", "4")
        await driver.press(*"version", "equals_sign", *"11", "enter")
        await driver.sees("param:version=11", "No task matches.")
        assert str(tasks(driver).route) == "tasks?status=failed&param=version%3D11"
        await driver.press("f", "5")
        await driver.sees(f"{ALL} tasks")


async def test_sorting_goes_from_column_to_column(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        await driver.press("s", "s")
        await driver.sees("sort:family", "CleanOrders", "CleanPrices")
        assert "Report" not in "\n".join(driver.lines[4:14])


async def test_the_preview_follows_the_cursor(demo: Path) -> None:
    async with driving(demo, "tasks", size=(120, 40)) as driver:
        await driver.press("j", "j")
        await driver.sees("ValueError: bad label", "INPUTS  1", "TrainModel 878c17a6")


async def test_what_is_recorded_meanwhile_is_counted_above(own_demo: Path) -> None:
    async with driving(own_demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        with Catalog(own_demo) as catalog:
            catalog.record_tasks(task.entry for task in daily_tasks("2024-06-01"))
        await driver.sees(f"{ALL} tasks", "12 new")
        assert "2024-06-01" not in driver.text
        await driver.press("R")
        await driver.sees(f"{ALL + 12} tasks", "2024-06-01")


async def test_a_click_moves_the_cursor_and_another_opens(demo: Path) -> None:
    async with driving(demo, "tasks") as driver:
        await driver.sees(f"{ALL} tasks")
        await driver.pilot.click("TaskTable", offset=(10, 4))
        await driver.sees(f"3 / {ALL}")
        await driver.pilot.click("#tabs", offset=(2, 0))
        await driver.sees("Needs attention")
