"""The graphs as task classes, for Luigi and for what is built on it."""

import sys

import luigi
import shapes
from asked import ASKED


def classes_of(base):
    """The task classes `Layer`, `Link` and `Root`.

    Args:
        base: A task class whose `output` and `run` go by `self.name()`.
    """

    class Leaf(base):
        i = luigi.IntParameter()

        def name(self):
            return f"leaf-{self.i}"

    class Layer(base):
        layer = luigi.IntParameter()
        i = luigi.IntParameter()

        def requires(self):
            return layer_of(Layer, self.layer - 1) if self.layer else []

        def name(self):
            return f"layer-{self.layer}-{self.i}"

    class Link(base):
        i = luigi.IntParameter()

        def requires(self):
            return Link(i=self.i - 1) if self.i else []

        def name(self):
            return f"link-{self.i}"

    class Root(base):
        def requires(self):
            if ASKED.shape == "diamond":
                return layer_of(Layer, ASKED.size - 1)
            return [Leaf(i=i) for i in range(ASKED.size)]

        def name(self):
            return "root"

    return Layer, Link, Root


def root_and_all(base):
    """The root of the graph that is asked for, and all of its tasks."""
    layer, link, root = classes_of(base)
    if ASKED.shape == "chain":
        links = [link(i=i) for i in range(ASKED.size)]
        return links[-1], links
    if ASKED.shape == "diamond":
        layers = [layer_of(layer, number) for number in range(ASKED.size)]
        return root(), [root(), *(task for tasks in layers for task in tasks)]
    return root(), [root(), *root().requires()]


def layer_of(layer, number):
    return [layer(layer=number, i=i) for i in range(shapes.LAYER)]


def build(base):
    """Luigi's own way; the setting `all` asks for every task, which is then looked at, rather than for the root."""
    root, everything = root_and_all(base)
    built = luigi.build(
        everything if ASKED.setting == "all" else [root],
        local_scheduler=True,
        workers=ASKED.workers,
        log_level="WARNING",
    )
    if not built:
        sys.exit("failed")
