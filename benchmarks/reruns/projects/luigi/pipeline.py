"""Raw → Clean → Report, with local files whose names hold the parameter that they depend on."""

import os

import luigi
from bases import Cleaning
from cleaning import first_words
from entered import entered


class Source(luigi.ExternalTask):
    def output(self):
        return luigi.LocalTarget("source.txt")


class Raw(luigi.Task):
    day = luigi.Parameter()

    def requires(self):
        return Source()

    def output(self):
        return luigi.LocalTarget(f"data/raw-{self.day}.txt")

    def run(self):
        entered("Raw")
        with self.input().open() as source, self.output().open("w") as file:
            file.write(f"{self.day}{os.environ.get('SALT', '')} {source.read()}")


class OtherRaw(luigi.Task):
    day = luigi.Parameter()

    def output(self):
        return luigi.LocalTarget(f"data/other-{self.day}.txt")

    def run(self):
        entered("OtherRaw")
        with self.output().open("w") as file:
            file.write(f"{self.day} something else")


class Clean(Cleaning):
    day = luigi.Parameter()
    n = luigi.IntParameter()

    def requires(self):
        return Raw(day=self.day)

    def output(self):
        return luigi.LocalTarget(f"data/clean-{self.day}.txt")

    def run(self):
        entered("Clean")
        with self.input().open() as file:
            words = first_words(file.read())
        cleaned = " ".join(words)
        with self.output().open("w") as file:
            file.write(f"{self.title()} {cleaned} {self.n}")


class Report(luigi.Task):
    day = luigi.Parameter()
    n = luigi.IntParameter()

    def requires(self):
        return Clean(day=self.day, n=self.n)

    def output(self):
        return luigi.LocalTarget(f"data/report-{self.day}.txt")

    def run(self):
        entered("Report")
        with self.input().open() as clean, self.output().open("w") as file:
            file.write(f"report: {clean.read()}")
