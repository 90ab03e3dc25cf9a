"""Plain Luigi."""

import luigi
import shapes
from asked import write
from classes import build


class Node(luigi.Task):
    def output(self):
        return luigi.LocalTarget(shapes.path_of(self.name()))

    def run(self):
        write(self.output().path, self.name())


if __name__ == "__main__":
    build(Node)
