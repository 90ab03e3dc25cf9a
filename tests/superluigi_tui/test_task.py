from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from superluigi_catalog import Catalog
from superluigi_tui.demo.pipeline import daily_tasks
from tests.superluigi_tui.driving import driving


def hash_of(family: str, date: str = "2024-05-17") -> str:
    return next(task.entry.task_hash for task in daily_tasks(date) if task.entry.family == family)


async def test_the_checklist_names_the_input_that_changed_and_where_that_began(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('JoinOrders')}", size=(120, 40)) as driver:
        await driver.sees("by the records", "1 ● output", "◐ input", "root cause", "CleanUsers")
        await driver.sees("date  2024-05-17", "↑ ● CleanUsers", "↓ ◐ Features", "succeeded")


async def test_a_step_of_the_checklist_leads_to_its_evidence(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('JoinOrders')}", size=(120, 40)) as driver:
        await driver.sees("1 ● output", "root cause")
        driver.app.screen.query_one("#why").focus()
        await driver.press("j", "enter")
        await driver.sees("[Outputs 1]", "v looks now")
        await driver.press("less_than_sign", "less_than_sign")
        driver.app.screen.query_one("#why").focus()
        await driver.press("G", "enter")
        await driver.sees("Tasks › CleanUsers")


async def test_every_page_has_something_to_say(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('Features')}", size=(100, 40)) as driver:
        await driver.sees("Inputs 3", "Outputs 1", "Runs 1")
        await driver.press("greater_than_sign")
        await driver.sees("changed since", "as it was read", "from JoinOrders")
        await driver.press("greater_than_sign")
        await driver.sees("present", "18.2 MB", "sha256:")
        await driver.press("greater_than_sign")
        await driver.sees("there is none; the catalog has of its run:", '"row_count": 1204881')
        await driver.press("greater_than_sign")
        await driver.sees("flows/report.py:41", "features(frame)", "not found in the file now")
        await driver.press("greater_than_sign")
        await driver.sees("row_count=1204881")
        await driver.press("greater_than_sign")
        await driver.sees("963,904 rows")
        await driver.press("slash", *"writing", "enter")
        await driver.press("w")
        await driver.sees("Cannot ask the code")


async def test_a_failed_task_shows_its_traceback_in_the_log(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('TrainModel')}/log") as driver:
        await driver.sees("ValueError: bad label 'n/a' in row 7", "model.fit(X, y)")


async def test_neighbours_lead_on_and_escape_leads_back(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('Split')}") as driver:
        await driver.sees("↑ ◐ Features")
        await driver.press("shift+tab", "enter")
        await driver.sees("Tasks › Features")
        await driver.press("escape")
        await driver.sees("Tasks › Split")


async def test_a_run_leads_to_its_build(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('TrainModel')}") as driver:
        await driver.sees("failed", "ValueError")
        await driver.press("enter")
        await driver.sees("FAILED", "2 blocked", "flows.report.Report")


async def test_an_unknown_reference_says_what_comes_near(demo: Path) -> None:
    async with driving(demo, "tasks/0000beef") as driver:
        await driver.sees("Nothing is recorded under '0000beef'")


async def test_an_ambiguous_beginning_asks_which(own_demo: Path) -> None:
    task = next(iter(daily_tasks("2024-06-01"))).entry
    with Catalog(own_demo) as catalog:
        catalog.record_tasks(replace(task, task_hash=f"abcd{digit * 28}") for digit in "12")
    async with driving(own_demo, "tasks/abcd", loads=False) as driver:
        await driver.sees("Which task?", "abcd11111111", "abcd22222222")
        await driver.press("2")
        await driver.sees("ExtractOrders", "abcd222222222222")


async def test_the_sidecar_of_a_local_output_is_shown(own_demo: Path) -> None:
    with Catalog(own_demo, read_only=True) as catalog:
        (target,) = catalog.targets(hash_of("Split"))
        path = Path(catalog.project.absolute_path(target.uri) + ".metadata.json")
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"format": "superluigi-sidecar/1", "row_count": 7}))
    async with driving(own_demo, f"tasks/{hash_of('Split')}/sidecar") as driver:
        await driver.sees('"row_count": 7')


async def test_copying_goes_through_the_terminal(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('Split')}") as driver:
        await driver.sees("Split")
        await driver.press("Y")
        assert driver.app.clipboard == f"superluigi tui 'tasks/{hash_of('Split')}'"


async def test_a_run_is_compared_with_the_one_before(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('CleanUsers')}") as driver:
        await driver.sees("Runs", "14s")
        await driver.press("D")
        await driver.sees("first cause  function flows.report.CleanUsers.run changed")
        await driver.sees("+    frame = frame[frame.age >= 18]", "row_count", "+1", "shows same")
        await driver.press("s")
        await driver.sees("hides same", "= same")
        await driver.press("escape", "j", "D")
        await driver.sees("Nothing to compare", "No run that stood for the task")


async def test_accepting_wants_a_reason(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('JoinOrders')}") as driver:
        await driver.sees("JoinOrders")
        started: list[list[str]] = []
        driver.app.show_command = lambda _, words: started.append(words)  # type: ignore[method-assign]
        await driver.press("a", "enter")
        assert started == []
        await driver.press("a", *"same", "enter")
        expected = ["accept", "--yes", "--reason", "same", hash_of("JoinOrders")]
        await driver.until(lambda: started == [expected])


async def test_code_that_cannot_be_found_is_said_in_the_dialog(demo: Path) -> None:
    async with driving(demo, f"tasks/{hash_of('Split')}") as driver:
        await driver.sees("Split")
        await driver.press("r")
        await driver.sees("Rerun Split", "planning with your code")
        await driver.sees("Cannot plan", "There is no module 'flows.report'")
        await driver.press("ctrl+r", "escape")
        await driver.sees("Tasks › Split")
        assert driver.app.started == []
