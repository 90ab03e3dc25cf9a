from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.superluigi_tui.driving import driving
from tests.superluigi_tui.hostile import make_hostile

KEYS = [
    *"1234jkhlgGwLfsyYRrudxmeDcv.nNoFtWc?:/  ", "enter", "enter", "enter", "escape", "escape", "tab", "shift+tab",
    "plus", "minus", "left_square_bracket", "right_square_bracket", "less_than_sign", "greater_than_sign",
    "ctrl+d", "ctrl+u", "pagedown", "home", "end", "down", "up", "backspace",
]  # fmt: skip


async def walk(catalog: Path, seed: int, steps: int, folder: Path) -> None:
    """Press keys at random; nothing may raise, and nothing may be started."""
    choose = random.Random(seed)
    pressed: list[str] = []
    async with driving(catalog, read_only=bool(seed % 2)) as driver:
        app = driver.app
        app.start_command = refuse_to_run  # type: ignore[method-assign]
        app.hand_over = lambda *_, **__: None  # type: ignore[method-assign]
        # The palette may be told to quit.
        app.action_leave = app.action_quit = lambda: None  # type: ignore[method-assign,assignment]
        for _ in range(steps):
            pressed.append(choose.choice(KEYS))
            await driver.press(pressed[-1])
            said = [n for n in app._notifications if n.title == "Unexpected"]
            assert not said, (said[0].message, pressed[-20:])
        assert app.is_running
        assert app.started == []


def refuse_to_run(words: list[str], cwd: Path) -> None:
    """Only plans are asked for by keys at random: a build needs ctrl+r."""
    assert words[0] in ("plan", "why", "show", "verify"), words
    raise OSError("not here")


@pytest.mark.parametrize("seed", [1, 2])
async def test_keys_at_random_raise_nothing(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    await walk(demo, seed, 40, tmp_path)


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.parametrize("seed", range(10, 14))
async def test_many_keys_at_random_raise_nothing(
    demo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    monkeypatch.chdir(tmp_path)
    catalog = make_hostile(tmp_path) if seed % 2 else demo
    await walk(catalog, seed, 2_000, tmp_path)
