"""Tasks of every shape whose hashes are pinned; run as a program, it prints them as JSON.

The program needs no pytest, so that other interpreters can run it.
"""

from __future__ import annotations

import datetime
import enum
import json
import sys

import luigi

from superluigi.parameters import (
    BoolParameter,
    DateIntervalParameter,
    DateParameter,
    DictParameter,
    EnumParameter,
    FloatParameter,
    IntParameter,
    ListParameter,
    Parameter,
    ParameterVisibility,
    TaskParameter,
    TupleParameter,
)
from superluigi.tasks import (
    AtomicTaskWithMetadata,
    ExternalTask,
    Task,
    TaskWithMetadata,
    WrapperTask,
)


class Leaf(Task):
    pass


class Dated(TaskWithMetadata):
    date = DateParameter()
    n = IntParameter(default=3)


class Colour(enum.Enum):
    RED = 1


class Rich(AtomicTaskWithMetadata):
    name = Parameter(default="Größe ☃")
    ratio = FloatParameter(default=0.1)
    flag = BoolParameter(default=True)
    items = ListParameter(default=["b", "a", 1])
    pair = TupleParameter(default=(1, "x"))
    table = DictParameter(default={"k": {"nested": [1, 2]}})
    interval = DateIntervalParameter(default=luigi.date_interval.Month(2026, 1))
    colour = EnumParameter(enum=Colour, default=Colour.RED)
    family = TaskParameter(default=Leaf)


class Raw(ExternalTask):
    path = Parameter(default="raw.csv")

    def requires(self):
        return Leaf()


class PlainLeaf(luigi.Task):
    n = IntParameter(default=1)


class PlainReader(luigi.Task):
    def requires(self):
        return [PlainLeaf(), Leaf()]


class Single(Task):
    def requires(self):
        return Leaf()


class Keyed(Task):
    def requires(self):
        return {"raw": Raw(), "plain": PlainLeaf()}


class Swapped(Task):
    task_namespace = ""

    def requires(self):
        return {"raw": PlainLeaf(), "plain": Raw()}


class Nested(Task):
    def requires(self):
        return {
            "days": [Dated(date=datetime.date(2026, 1, d)) for d in (1, 2)],
            "more": {"inner": (Leaf(), [Raw(path="other.csv")])},
            7: Single(),
        }


class FromSet(Task):
    def requires(self):
        return {Hidden(secret_way=str(n)) for n in range(8)}


class FromGenerator(Task):
    def requires(self):
        yield Leaf()
        yield [Dated(date=datetime.date(2026, 2, 1)), Single()]


class Hidden(Task):
    secret_way = Parameter(visibility=ParameterVisibility.HIDDEN, default="a")


class Private(Task):
    password = Parameter(visibility=ParameterVisibility.PRIVATE, default="s3cret")
    verbose = BoolParameter(significant=False)


class Namespaced(Task):
    task_namespace = "flows.weekly"


class AddsDependencies(Task):
    """As Luigi's template tasks do."""

    def requires(self):
        return {"single": Single()}

    def _requires(self):
        return luigi.task.flatten([super()._requires(), Leaf()])


class Boundary(Task):
    day = IntParameter()

    def requires(self):
        return Boundary(day=self.day - 1)

    def lineage_requires(self):
        return []


class Everything(WrapperTask):
    def requires(self):
        return [
            Nested(),
            Keyed(),
            FromSet(),
            FromGenerator(),
            Rich(),
            PlainReader(),
            Boundary(day=5),
        ]


def shapes() -> dict[str, luigi.Task]:
    """One task of each shape, by a name of its own."""
    return {
        "no parameters": Leaf(),
        "date and int": Dated(date=datetime.date(2022, 12, 15)),
        "every kind of parameter": Rich(),
        "external": Raw(),
        "plain Luigi task": PlainLeaf(),
        "plain Luigi task above others": PlainReader(),
        "single upstream": Single(),
        "dict": Keyed(),
        "nested": Nested(),
        "set": FromSet(),
        "generator": FromGenerator(),
        "hidden parameter": Hidden(),
        "private and insignificant parameters": Private(),
        "namespace": Namespaced(),
        "template task": AddsDependencies(),
        "lineage_requires": Boundary(day=5),
        "wrapper": Everything(),
    }


def hashes() -> dict[str, str]:
    """Their hashes."""
    from superluigi.hashing import hash_of

    return {name: hash_of(task) for name, task in shapes().items()}


if __name__ == "__main__":
    json.dump(hashes(), sys.stdout)
