"""Super Luigi: each file with its sidecar and its rows in the catalog.

The setting `inputs` gives every task of a diamond copies of what it needs; `missing` is Luigi's own rule.
"""

import shapes
from asked import ASKED, write

from superluigi import run_task
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata


class Node(AtomicTaskWithMetadata):
    def output(self):
        return LocalFileTarget(shapes.path_of(self.name()))

    def run(self, output_path):
        write(output_path, self.name())


class Leaf(Node):
    i = IntParameter()

    def name(self):
        return f"leaf-{self.i}"


class Layer(Node):
    layer = IntParameter()
    i = IntParameter()

    def requires(self):
        return layer(self.layer - 1) if self.layer else []

    def name(self):
        return f"layer-{self.layer}-{self.i}"

    if ASKED.setting == "inputs":

        def run(self, input_path, output_path):
            write(output_path, self.name())


class Link(Node):
    i = IntParameter()

    def requires(self):
        return Link(i=self.i - 1) if self.i else []

    def name(self):
        return f"link-{self.i}"


class Root(Node):
    def requires(self):
        if ASKED.shape == "diamond":
            return layer(ASKED.size - 1)
        return [Leaf(i=i) for i in range(ASKED.size)]

    def name(self):
        return "root"


def layer(number):
    return [Layer(layer=number, i=i) for i in range(shapes.LAYER)]


if __name__ == "__main__":
    run_task(
        Link(i=ASKED.size - 1) if ASKED.shape == "chain" else Root(),
        num_workers=ASKED.workers,
        rerun_on={"missing"} if ASKED.setting == "missing" else None,
        progress=False,
    )
