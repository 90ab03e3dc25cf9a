"""law, with its own tasks and targets. The setting `all` asks it for every task rather than for the root."""

import sys
from pathlib import Path

import law
import luigi
import shapes
from asked import ASKED, write
from classes import root_and_all


class Node(law.Task):
    def output(self):
        return law.LocalFileTarget(Path(shapes.path_of(self.name())).absolute())

    def run(self):
        write(self.output().path, self.name())


if __name__ == "__main__":
    root, everything = root_and_all(Node, luigi.IntParameter, ASKED)
    built = luigi.build(
        everything if ASKED.setting == "all" else [root],
        local_scheduler=True,
        workers=ASKED.workers,
        log_level="WARNING",
    )
    if not built:
        sys.exit("failed")
