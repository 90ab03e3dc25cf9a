"""pytask's project: a module of tasks."""

from pathlib import Path

import shapes
from asked import ASKED

MODULE = """\
from pathlib import Path
from typing import Annotated

from pytask import Product, task

for NAME, UPSTREAM in {needs}.items():

    @task(id=NAME)
    def task_write(
        upstream: list[Path] = [Path("out", f"{{other}}.txt") for other in UPSTREAM],
        path: Annotated[Path, Product] = Path("out", f"{{NAME}}.txt"),
        name: str = NAME,
    ):
        path.write_text(name)
"""

if __name__ == "__main__":
    Path("task_graph.py").write_text(MODULE.format(needs=shapes.needs(ASKED.shape, ASKED.size)))
    Path("pyproject.toml").write_text("[tool.pytask.ini_options]\n")
