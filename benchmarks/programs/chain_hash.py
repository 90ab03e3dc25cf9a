"""The identity of a chain of N tasks and of a fully joined diamond of 20 layers of 50."""

import sys
import time

from superluigi.parameters import IntParameter
from superluigi.tasks import Task

N = int(sys.argv[1])


class Link(Task):
    i = IntParameter()

    def requires(self):
        return Link(i=self.i - 1) if self.i else None


class Layer(Task):
    layer = IntParameter()
    i = IntParameter()

    def requires(self):
        return [Layer(layer=self.layer - 1, i=i) for i in range(50)] if self.layer else []


if __name__ == "__main__":
    for name, task in (("chain", Link(i=N)), ("diamond", Layer(layer=20, i=0))):
        started = time.process_time()
        task_hash = task.task_id
        print(f"{name} {time.process_time() - started:.3f} {task_hash}")
