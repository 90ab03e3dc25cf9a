"""Draw the screens of the demo as SVG, for the README: `python tui/screenshots.py [FOLDER]`.

The demo, the clock and the size are fixed, so that a picture changes only when the screen does.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from pathlib import Path

from superluigi_catalog import Catalog
from superluigi_tui.app import SuperLuigiApp
from superluigi_tui.demo import NOW, make_demo
from superluigi_tui.demo.pipeline import daily_tasks
from superluigi_tui.routes import Route

SIZE = (110, 32)
FOLDER = Path(__file__).parent / "screenshots"


def routes(catalog: Path) -> dict[str, str]:
    """The pictures by name, with the addresses of what they show."""
    tasks = {task.entry.family: task.entry.task_hash for task in daily_tasks(f"{NOW:%Y-%m-%d}")}
    with Catalog(catalog, read_only=True) as opened:
        cleaned = opened.runs(tasks["CleanUsers"], limit=1)[0]
        failed = next(build.build_id for build in opened.builds() if build.status == "failed")
    return {
        "home": "home",
        "tasks": "tasks?q=features",
        "task": f"tasks/{tasks['JoinOrders']}",
        "lineage": f"lineage/{tasks['Report']}",
        "map": f"lineage/{tasks['Report']}?map=on",
        "build": f"builds/{failed}",
        "diff": f"diff/{cleaned.run_id}",
    }


async def draw(catalog: Path, route: str, size: tuple[int, int] = SIZE) -> str:
    """One screen as SVG, with nothing in it that differs from time to time."""
    app = SuperLuigiApp(Route.parse(route), catalog=catalog, clock=NOW.timestamp)
    async with app.run_test(size=size) as pilot:
        while not getattr(app.screen, "has_loaded", False) or app.total is None:
            await pilot.pause(0.02)
        await pilot.pause(0.5)
        svg = app.export_screenshot()
    svg = re.sub(r"\s*@font-face \{.*?\n    \}", "", svg, flags=re.DOTALL)
    return re.sub(r"terminal-\d+", "terminal", svg)


def main() -> None:
    """Write all pictures."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        catalog = make_demo(Path(place) / "orders")
        for name, route in routes(catalog).items():
            svg = asyncio.run(draw(catalog, route))
            (folder / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main()
