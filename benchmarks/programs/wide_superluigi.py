"""Super Luigi: the same files, each with a sidecar and a row in the catalog; every check looks at all."""

import sys
from pathlib import Path

from superluigi import run_task
from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata

N = int(sys.argv[1])
EXPECTED_RUNS = int(sys.argv[2])


class Leaf(AtomicTaskWithMetadata):
    i = IntParameter()

    def output(self):
        return LocalFileTarget(f"out/{self.i}.txt")

    def run(self, output_path):
        Path(output_path).write_text(str(self.i))


class Root(AtomicTaskWithMetadata):
    def requires(self):
        return [Leaf(i=i) for i in range(N)]

    def output(self):
        return LocalFileTarget("out/root.txt")

    def run(self, output_path):
        Path(output_path).write_text("root")


if __name__ == "__main__":
    result = run_task(Root(), progress=False)
    if len(result.ran) != EXPECTED_RUNS:
        sys.exit(f"ran {len(result.ran)} tasks instead of {EXPECTED_RUNS}")
