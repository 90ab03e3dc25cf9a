"""The pictures of the README show what the screens show."""

from __future__ import annotations

import html
import re
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from superluigi_tui.demo import make_demo

TUI = Path(__file__).parents[2] / "tui"
NAMES = ("home", "tasks", "task", "lineage", "map", "build", "diff")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = spec_from_file_location("screenshots", TUI / "screenshots.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def orders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_demo(tmp_path_factory.mktemp("pictures") / "orders")


def words(svg: str) -> list[str]:
    """The text of a picture; shades and shapes may differ between versions of Textual."""
    found = re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL)
    return [text for each in found if (text := html.unescape(each).replace("\xa0", " ").strip())]


@pytest.mark.parametrize("name", NAMES)
async def test_a_picture_is_what_the_screen_shows(
    name: str, orders: Path, script: ModuleType
) -> None:
    route = script.routes(orders)[name]
    drawn = await script.draw(orders, route)
    kept = (TUI / "screenshots" / f"{name}.svg").read_text(encoding="utf-8")
    assert words(drawn) == words(kept), "run `make screenshots` if this is meant"


def test_there_is_a_picture_of_each(orders: Path, script: ModuleType) -> None:
    assert tuple(script.routes(orders)) == NAMES
    assert {path.stem for path in (TUI / "screenshots").glob("*.svg")} == set(NAMES)
