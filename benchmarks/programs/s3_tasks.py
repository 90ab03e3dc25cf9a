"""Tasks on S3 for the benchmark."""

from pathlib import Path

from superluigi.parameters import IntParameter
from superluigi.targets import LocalFileTarget, S3ObjectTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


class Raw(ExternalTask):
    number: int = IntParameter()

    def output(self):
        return S3ObjectTarget("lake", f"raw/{self.number:05}.csv")


class Reader(AtomicTaskWithMetadata):
    count: int = IntParameter()

    def requires(self):
        return [Raw(number=number) for number in range(self.count)]

    def output(self):
        return LocalFileTarget(f"read-{self.count}.txt")

    def run(self, output_path):
        Path(output_path).write_text("read")


class Clean(AtomicTaskWithMetadata):
    number: int = IntParameter()

    def requires(self):
        return Raw(number=self.number)

    def output(self):
        return S3ObjectTarget("lake", f"clean/{self.number:05}.csv")

    def run(self, input_path, output_path):
        Path(output_path).write_bytes(Path(input_path).read_bytes() * 2)


class AllClean(AtomicTaskWithMetadata):
    count: int = IntParameter()

    def requires(self):
        return [Clean(number=number) for number in range(self.count)]

    def output(self):
        return LocalFileTarget(f"clean-{self.count}.txt")

    def run(self, output_path):
        Path(output_path).write_text("clean")
