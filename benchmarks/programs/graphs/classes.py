"""The graphs as task classes, for Luigi and for what is built on it."""

import shapes


def classes_of(base, int_parameter, asked):
    """The task classes `Layer`, `Link` and `Root`.

    Args:
        base: A task class whose `output` and `run` go by `self.name()`.
        int_parameter: The parameter class.
        asked: Which graph.
    """

    class Leaf(base):
        i = int_parameter()

        def name(self):
            return f"leaf-{self.i}"

    class Layer(base):
        layer = int_parameter()
        i = int_parameter()

        def requires(self):
            return layer_of(Layer, self.layer - 1) if self.layer else []

        def name(self):
            return f"layer-{self.layer}-{self.i}"

    class Link(base):
        i = int_parameter()

        def requires(self):
            return Link(i=self.i - 1) if self.i else []

        def name(self):
            return f"link-{self.i}"

    class Root(base):
        def requires(self):
            if asked.shape == "diamond":
                return layer_of(Layer, asked.size - 1)
            return [Leaf(i=i) for i in range(asked.size)]

        def name(self):
            return "root"

    return Layer, Link, Root


def root_and_all(base, int_parameter, asked):
    """The root of the graph that is asked for, and all of its tasks."""
    layer, link, root = classes_of(base, int_parameter, asked)
    if asked.shape == "chain":
        links = [link(i=i) for i in range(asked.size)]
        return links[-1], links
    if asked.shape == "diamond":
        layers = [layer_of(layer, number) for number in range(asked.size)]
        return root(), [root(), *(task for tasks in layers for task in tasks)]
    return root(), [root(), *root().requires()]


def layer_of(layer, number):
    return [layer(layer=number, i=i) for i in range(shapes.LAYER)]
