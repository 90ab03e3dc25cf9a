"""The graphs that every tool builds.

Each task writes `out/<its name>.txt`, which holds its name. Where a tool has its tasks as classes, the classes
say the same as `needs`.
"""

SHAPES = ("wide", "naps", "diamond", "chain")

LAYER = 50
"""The tasks of one layer of a diamond; each needs all of the layer before."""


def needs(shape, size):
    """Name → the names of what it needs; what is needed stands first, the root last."""
    if shape == "chain":
        links = [f"link-{i}" for i in range(size)]
        return {name: links[max(i - 1, 0) : i] for i, name in enumerate(links)}
    if shape == "diamond":
        layers = [[f"layer-{number}-{i}" for i in range(LAYER)] for number in range(size)]
        before = [[], *layers]
        inner = {name: before[number] for number, layer in enumerate(layers) for name in layer}
        return inner | {"root": layers[-1]}
    leaves = [f"leaf-{i}" for i in range(size)]
    return {name: [] for name in leaves} | {"root": leaves}


def path_of(name):
    return f"out/{name}.txt"
