"""Raw → Clean → Report, with local files whose names hold the parameter that they depend on."""

import os
from pathlib import Path

from bases import Cleaning
from cleaning import first_words
from entered import entered

from superluigi.parameters import IntParameter, Parameter
from superluigi.targets import LocalFileTarget
from superluigi.tasks import AtomicTaskWithMetadata, ExternalTask


class Source(ExternalTask):
    def output(self):
        return LocalFileTarget("source.txt")


class Raw(AtomicTaskWithMetadata):
    day = Parameter()

    def requires(self):
        return Source()

    def output(self):
        return LocalFileTarget(f"data/raw-{self.day}.txt")

    def run(self, input_path, output_path):
        entered("Raw")
        source = Path(input_path).read_text()
        Path(output_path).write_text(f"{self.day}{os.environ.get('SALT', '')} {source}")


class OtherRaw(AtomicTaskWithMetadata):
    day = Parameter()

    def output(self):
        return LocalFileTarget(f"data/other-{self.day}.txt")

    def run(self, output_path):
        entered("OtherRaw")
        Path(output_path).write_text(f"{self.day} something else")


class Clean(Cleaning):
    day = Parameter()
    n = IntParameter()

    def requires(self):
        return Raw(day=self.day)

    def output(self):
        return LocalFileTarget(f"data/clean-{self.day}.txt")

    def run(self, input_path, output_path):
        entered("Clean")
        words = first_words(Path(input_path).read_text())
        cleaned = " ".join(words)
        Path(output_path).write_text(f"{self.title()} {cleaned} {self.n}")


class Report(AtomicTaskWithMetadata):
    day = Parameter()
    n = IntParameter()

    def requires(self):
        return Clean(day=self.day, n=self.n)

    def output(self):
        return LocalFileTarget(f"data/report-{self.day}.txt")

    def run(self, input_path, output_path):
        entered("Report")
        Path(output_path).write_text(f"report: {Path(input_path).read_text()}")
