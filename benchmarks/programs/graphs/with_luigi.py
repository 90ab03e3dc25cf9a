"""Plain Luigi. The setting `all` asks it for every task, which it then looks at, rather than for the root."""

import sys

import luigi
import shapes
from asked import ASKED, write
from classes import root_and_all


class Node(luigi.Task):
    def output(self):
        return luigi.LocalTarget(shapes.path_of(self.name()))

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
