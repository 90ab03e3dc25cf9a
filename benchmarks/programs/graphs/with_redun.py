"""redun, with its records in SQLite. The setting `fast` is silent, and looks at the root call alone."""

import logging
import sys

import shapes
from asked import ASKED, write
from redun import File, Scheduler, task
from redun.config import Config

redun_namespace = "bench"


@task()
def node(name: str, upstream: list) -> File:
    path = shapes.path_of(name)
    write(path, name)
    return File(path)


@task(check_valid="shallow" if ASKED.setting == "fast" else "full")
def main(shape: str, size: int) -> File:
    made: dict = {}
    for name, upstream in shapes.needs(shape, size).items():
        made[name] = node(name, [made[other] for other in upstream])
    return made.popitem()[1]


if __name__ == "__main__":
    if ASKED.setting == "fast":
        logging.getLogger("redun").setLevel(logging.WARNING)
    scheduler = Scheduler(config=Config({"backend": {"db_uri": "sqlite:///redun.db"}}))
    scheduler.load()
    file = scheduler.run(main(ASKED.shape, ASKED.size))
    if not file.exists():
        sys.exit("failed")
