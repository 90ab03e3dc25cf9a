"""Plain Luigi: N leaves that write one small file each, and a root."""

import sys

import luigi

N = int(sys.argv[1])


class Leaf(luigi.Task):
    i = luigi.IntParameter()

    def output(self):
        return luigi.LocalTarget(f"out/{self.i}.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write(str(self.i))


class Root(luigi.Task):
    def requires(self):
        return [Leaf(i=i) for i in range(N)]

    def output(self):
        return luigi.LocalTarget("out/root.txt")

    def run(self):
        with self.output().open("w") as file:
            file.write("root")


if __name__ == "__main__" and not luigi.build([Root()], local_scheduler=True, log_level="WARNING"):
    sys.exit("failed")
