"""Plain ASCII, no colours, other keys, nothing that changes anything, small terminals."""

from __future__ import annotations

from pathlib import Path

import pytest

from superluigi_tui.glyphs import ASCII, UNICODE, glyphs_for
from tests.superluigi_tui.driving import driving
from tests.superluigi_tui.test_builds import build_with
from tests.superluigi_tui.test_task import hash_of

FRAME = str.maketrans("", "", "╭╮╰╯─│▁▂▃▄▅▆▇█▔▕▊▎")
"""What Textual itself draws around panels and for scrollbars."""


async def test_ascii_signs_are_all_ascii(demo: Path) -> None:
    routes = [
        "home",
        "tasks",
        f"lineage/{hash_of('Report')}",
        f"builds/{build_with(demo, 'failed')}",
    ]
    async with driving(demo, glyphs=ASCII) as driver:
        for route in [*routes, f"tasks/{hash_of('Features')}"]:
            driver.app.open_route(driver.app.first_route.parse(route))
            await driver.until(lambda: driver.app.screen.has_loaded)  # type: ignore[attr-defined]
            await driver.pilot.pause()
            shown = driver.text.translate(FRAME)
            assert shown.isascii(), sorted(set(shown) - set(map(chr, range(128))))


def test_signs_follow_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "UTF-8")
    assert glyphs_for() is UNICODE
    monkeypatch.setattr("locale.getpreferredencoding", lambda _: "ANSI_X3.4-1968")
    assert glyphs_for() is ASCII
    assert glyphs_for("unicode") is UNICODE


def test_both_sets_have_the_same_signs() -> None:
    assert ASCII.states.keys() == UNICODE.states.keys()
    assert all(len(sign) == 1 for sign in (*ASCII.states.values(), *UNICODE.states.values()))


async def test_without_colours_every_state_is_a_word_too(
    demo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with driving(demo, "tasks") as driver:
        await driver.sees("? unknown", "✗ failed", "◐ stale", "● fresh")
        assert driver.app.no_color
        assert driver.app.environment["NO_COLOR"] == "1"


async def test_read_only_leaves_out_what_changes_anything(demo: Path) -> None:
    async with driving(demo, "tasks", read_only=True) as driver:
        await driver.sees("read-only")
        assert "rerun" not in driver.lines[-1]
        await driver.press("r")
        await driver.pilot.pause()
        assert len(driver.app.screen_stack) == 2
        await driver.press("question_mark")
        await driver.sees("Keys: tasks")
        await driver.press(*"plan")
        assert "a plan first" not in driver.text


async def test_plain_ascii_is_nothing_else(demo: Path) -> None:
    async with driving(demo, glyphs=ASCII) as driver:
        await driver.sees("+- Needs attention -", "input changed", "x failed")
        assert driver.text.isascii()
        for key, title in (("2", "+- Tasks"), ("question_mark", "Keys: tasks")):
            await driver.press(key)
            await driver.sees(title)
            assert driver.text.isascii()
        await driver.press("escape", "r")
        await driver.sees("Rerun Report", "$ superluigi run")
        assert driver.text.isascii()


async def test_keys_can_be_changed(demo: Path) -> None:
    async with driving(demo, "tasks", keymap={"filter": "ctrl+f", "go-home": "H"}) as driver:
        await driver.sees("84 tasks", "ctrl+f filter")
        await driver.press("f")
        assert len(driver.app.screen_stack) == 2
        await driver.press("ctrl+f")
        await driver.sees("state: any")
        await driver.press("escape", "H")
        await driver.sees("Needs attention")


@pytest.mark.parametrize(("width", "height"), [(60, 20), (40, 12), (200, 60)])
async def test_every_width_has_something_to_show(demo: Path, width: int, height: int) -> None:
    async with driving(demo, size=(width, height)) as driver:
        await driver.sees("TrainModel")
        await driver.press("2")
        await driver.sees("Score", "Split")
        await driver.press("3")
        await driver.sees("TrainModel")


async def test_a_terminal_that_is_too_small_says_so(demo: Path) -> None:
    async with driving(demo, size=(38, 9)) as driver:
        await driver.sees("make the terminal larger")
        await driver.pilot.resize_terminal(80, 24)
        await driver.sees("Needs attention", "TrainModel")


async def test_the_palette_offers_every_action(demo: Path) -> None:
    async with driving(demo) as driver:
        await driver.sees("TrainModel")
        await driver.press("colon")
        await driver.pilot.pause()
        await driver.press(*"all tasks")
        await driver.sees("all tasks (2)")
        await driver.press("down", "enter")
        await driver.sees("sort:newest")
