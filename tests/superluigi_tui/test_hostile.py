from __future__ import annotations

from pathlib import Path

import pytest
from rich.cells import cell_len

from superluigi_tui.routes import TABS
from tests.superluigi_catalog.entries import hash_of
from tests.superluigi_tui.driving import Driver, driving
from tests.superluigi_tui.hostile import make_hostile

ROUTES = [
    "home",
    "tasks",
    "tasks?q=漢字",
    *(f"tasks/{hash_of('b')}/{tab}" for tab in TABS),
    f"tasks/{hash_of('c')}",
    f"lineage/{hash_of('c')}",
    "builds",
    "builds/build-1",
]
SOME = ["home", "tasks", f"tasks/{hash_of('b')}", f"lineage/{hash_of('c')}", "builds/build-1"]
HARMFUL = ("\x1b", "\x9b", "\u202e", "\r", "\n", "\t", "\u200d")


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_hostile(tmp_path_factory.mktemp("hostile"))


def check(driver: Driver, width: int) -> None:
    for line in driver.lines:
        assert not [sign for sign in HARMFUL if sign in line]
        assert cell_len(line) == width, line


@pytest.mark.parametrize("width", [60, 80, 120])
async def test_no_screen_lets_anything_through_or_falls(hostile: Path, width: int) -> None:
    async with driving(hostile, size=(width, 24)) as driver:
        for route in ROUTES if width == 80 else SOME:
            driver.app.open_route(driver.app.first_route.parse(route))
            await driver.until(lambda: driver.app.screen.has_loaded)  # type: ignore[attr-defined]
            await driver.pilot.pause()
            check(driver, width)
            await driver.press("j")
            check(driver, width)
        assert not [
            note.message for note in driver.app._notifications if note.title == "Unexpected"
        ]


async def test_dialogs_show_it_harmless_too(hostile: Path) -> None:
    async with driving(hostile, "tasks") as driver:
        await driver.sees("3 tasks")
        await driver.press("f", "2")
        await driver.sees("Family")
        check(driver, 80)
        await driver.press("escape", "y")
        await driver.sees("Copy")
        check(driver, 80)
        await driver.press("escape", "r")
        await driver.sees("Rerun")
        check(driver, 80)


async def test_what_cannot_be_encoded_can_be_copied(hostile: Path) -> None:
    async with driving(hostile, "builds/build-1") as driver:
        await driver.press("y")
        assert "\\udc80" in driver.app.clipboard
