"""doit. The setting `fast` compares times rather than digests, keeps its records as JSON, and prints nothing."""

import sys

import shapes
from asked import ASKED, write
from doit.cmd_base import ModuleTaskLoader
from doit.doit_cmd import DoitMain
from doit.tools import run_once

CONFIG = {"verbosity": 0}
FAST = {"check_file_uptodate": "timestamp", "backend": "json", "reporter": "zero"}


def task_write():
    for name, upstream in shapes.needs(ASKED.shape, ASKED.size).items():
        path = shapes.path_of(name)
        yield {
            "name": name,
            "actions": [(write, [path, name])],
            "file_dep": [shapes.path_of(other) for other in upstream],
            "targets": [path],
            "uptodate": [] if upstream else [run_once],
        }


if __name__ == "__main__":
    config = CONFIG | (FAST if ASKED.setting == "fast" else {})
    loader = ModuleTaskLoader({"DOIT_CONFIG": config, "task_write": task_write})
    workers = ["-n", str(ASKED.workers)] if ASKED.workers > 1 else []
    sys.exit(DoitMain(loader).run([*workers, "write"]))
