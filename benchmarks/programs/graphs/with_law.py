"""law, with its own tasks and targets."""

from pathlib import Path

import law
import shapes
from asked import write
from classes import build


class Node(law.Task):
    def output(self):
        return law.LocalFileTarget(Path(shapes.path_of(self.name())).absolute())

    def run(self):
        write(self.output().path, self.name())


if __name__ == "__main__":
    build(Node)
